//! How the scheduler of an OS thread stands, noted for others in its [`Counts`].

use super::counts::{self, Counts};
use super::scheduler::Scheduler;
use crate::stack::pool;

impl Scheduler {
    /// What it counted.
    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Notes for others how it stands.
    pub(crate) fn note_standing(&self) {
        let counts = &self.counts;
        let (alive, ready) = (self.all.borrow().len(), self.ready.len());
        let runs = usize::from(!self.current().is_null());
        let no_stack = self.refused.borrow().len();
        // All who are alive, and the root, are in line, run, have no stack yet, or wait.
        let parked = (alive + 1).saturating_sub(ready + runs + no_stack);
        counts.pushed.set(self.ready.pushed());
        counts.taken.set(self.ready.taken());
        counts.alive.set(alive as u64);
        counts.parked.set(parked as u64);
        counts.timers.set(self.timers().len() as u64);
        let sources = self.reactor_if_made().map_or(0, |one| one.sources());
        counts.sources.set(sources as u64);
        counts.stacks.set(pool::live() as u64);
    }

    /// Its OS thread goes: what it counted stays.
    pub(super) fn leave_counts(&self) {
        self.note_standing();
        counts::leave(&self.counts);
    }
}
