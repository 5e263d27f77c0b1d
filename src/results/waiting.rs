//! Waiting on a tally: the one wait of everything that waits for several green threads.

use crate::sched::clock::Deadline;
use crate::sched::park::{Grant, Outcome, Waiter};
use crate::sched::tally::{Marks, Tally};
use crate::sched::wait::Operation;

impl Tally {
    /// Takes the earliest that has ended and was not taken, waiting for one; none when `deadline` came first. One who is raised out of here has taken none.
    pub(super) fn next(
        &self,
        operation: &'static Operation,
        deadline: Option<Deadline>,
    ) -> Option<usize> {
        let wanted = self.marks().lock().taken() + 1;
        self.wait_for(operation, wanted, deadline);
        self.try_next()
    }

    /// Waits until `wanted` have ended in all, at most until `deadline`.
    pub(super) fn wait_for(
        &self,
        operation: &'static Operation,
        wanted: usize,
        deadline: Option<Deadline>,
    ) {
        // Results count as delivered, as in `JoinHandle::join`: one whose wait was granted is not raised out of it (L4 c).
        let waiter = Waiter::new(self.marks(), operation, 0, Grant::Keep);
        self.park_until(&waiter, wanted, deadline);
    }

    /// The same without a deadline, in a wait that no request ends (L11).
    pub(super) fn wait_protected(&self, operation: &'static Operation, wanted: usize) {
        let waiter = Waiter::protected(self.marks(), operation, Grant::Keep);
        self.park_until(&waiter, wanted, None);
    }

    fn park_until<'a>(
        &'a self,
        waiter: &Waiter<'a, Marks>,
        wanted: usize,
        deadline: Option<Deadline>,
    ) {
        loop {
            let mut marks = self.marks().lock();
            if marks.count() >= wanted {
                return;
            }
            marks.want(wanted);
            if waiter.park(marks, Marks::waiters, deadline) == Outcome::TimedOut {
                return;
            }
        }
    }
}
