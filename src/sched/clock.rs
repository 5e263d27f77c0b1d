//! The time of one OS thread: the machine's, or a virtual one that jumps from deadline to deadline.
//!
//! Deadlines are nanoseconds since the process's first look at the clock, so that they compare in one instruction. What would
//! overflow is clamped to [`Deadline::NEVER`], 584 years away.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::base::moment::{self, nanos};
use crate::base::recorder;

/// A moment, in nanoseconds since the process's first look at the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deadline(u64);

impl Deadline {
    /// Later than anything that will come.
    pub(crate) const NEVER: Deadline = Deadline(u64::MAX);

    /// Earlier than anything that will come.
    pub(crate) const BEGINNING: Deadline = Deadline(0);

    #[cfg(test)]
    pub(crate) const fn from_nanos(nanos: u64) -> Self {
        Deadline(nanos)
    }

    /// The present moment by the machine's clock, whatever this OS thread's says.
    pub(crate) fn real_now() -> Self {
        Deadline(moment::now())
    }

    /// The moment of `instant`; the beginning when it lies before that.
    pub(crate) fn at(instant: Instant) -> Self {
        Deadline(moment::at(instant))
    }

    /// This moment as std tells it.
    pub(crate) fn instant(self) -> Instant {
        moment::instant(self.0)
    }

    /// `duration` later, clamped to [`NEVER`](Self::NEVER).
    pub(crate) fn after(self, duration: Duration) -> Self {
        Deadline(self.0.saturating_add(nanos(duration)))
    }

    /// How long from `earlier` until this moment; zero when it has passed.
    pub(crate) fn since(self, earlier: Deadline) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// What time it is on this OS thread.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// The virtual now; `None` while the machine's clock is used.
    virtual_now: Cell<Option<Deadline>>,
}

impl Clock {
    pub(crate) fn now(&self) -> Deadline {
        match self.virtual_now.get() {
            Some(now) => now,
            None => Deadline::real_now(),
        }
    }

    pub(crate) fn is_virtual(&self) -> bool {
        self.virtual_now.get().is_some()
    }

    /// Stops the clock at the present moment: from now on it only jumps.
    pub(crate) fn make_virtual(&self) {
        self.set_virtual(Some(self.now()));
    }

    /// Goes back to the machine's clock.
    pub(crate) fn make_real(&self) {
        self.set_virtual(None);
    }

    /// Jumps forward to `deadline`, if the clock is virtual and not there yet.
    pub(crate) fn jump_to(&self, deadline: Deadline) {
        if let Some(now) = self.virtual_now.get() {
            self.set_virtual(Some(now.max(deadline)));
        }
    }

    /// What is recorded carries the same time.
    fn set_virtual(&self, now: Option<Deadline>) {
        self.virtual_now.set(now);
        recorder::set_virtual_time(now.map(|now| now.0));
    }
}
