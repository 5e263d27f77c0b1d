//! Ticks at even distances.

use std::time::{Duration, Instant};

use super::sleep::sleep_to;
use crate::sched::clock::Deadline;
use crate::sched::park;

/// A tick that is at most this late counts as on time: clocks have a grain, and others run too.
const ON_TIME: Duration = Duration::from_millis(5);

/// Makes ticks every `period`, the first at once.
///
/// # Panics
/// When `period` is zero.
///
/// # Examples
/// ```
/// use greenthread::{Runtime, time};
/// let runtime = Runtime::builder().virtual_time().build().unwrap();
/// runtime.run(|| {
///     let mut interval = time::interval(time::Duration::from_secs(10));
///     let first = interval.tick();
///     assert_eq!(interval.tick() - first, interval.period());
/// });
/// ```
#[must_use = "an interval does nothing before `tick`"]
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    assert!(
        !period.is_zero(),
        "time::interval(0): the period must be more than zero"
    );
    Interval {
        period,
        next: park::now(),
        missed: MissedTicks::Burst,
    }
}

/// What becomes of ticks that nobody was there for: the next call of [`Interval::tick`] came more than 5 ms late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MissedTicks {
    /// They come one after the other at once, until the interval has caught up.
    #[default]
    Burst,

    /// They are left out, and the next tick comes a whole period after the late one.
    Delay,

    /// They are left out, and the next tick comes when it would have come anyway.
    Skip,
}

/// Ticks at even distances; made by [`interval`].
#[derive(Debug)]
pub struct Interval {
    /// More than zero.
    period: Duration,

    /// When the next tick is due.
    next: Deadline,

    /// What becomes of missed ones.
    missed: MissedTicks,
}

impl Interval {
    /// Says what becomes of missed ticks; [`MissedTicks::Burst`] unless said.
    #[must_use = "it gives the interval back"]
    pub fn missed_ticks(mut self, missed: MissedTicks) -> Self {
        self.missed = missed;
        self
    }

    /// Parks until the next tick is due, and returns the moment at which it was.
    ///
    /// Always switches, as [`sleep`](crate::sleep) does. A cancellation or an outer timeout is raised here, and the tick is not lost by it. On the root and on a plain OS thread the wait runs
    /// the event loop.
    pub fn tick(&mut self) -> Instant {
        let due = self.next;
        sleep_to(due);
        self.next = self.after(due, park::now());
        due.instant()
    }

    /// Begins anew: the next tick comes a whole period from now.
    pub fn reset(&mut self) {
        self.next = park::now().after(self.period);
    }

    /// Returns the time from tick to tick.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }

    /// When the tick after the one that was `due` is, `now` being the moment at which that came.
    fn after(&self, due: Deadline, now: Deadline) -> Deadline {
        let late = now.since(due);
        match self.missed {
            MissedTicks::Delay if late > ON_TIME => now.after(self.period),
            MissedTicks::Skip if late > ON_TIME => now.after(self.period - self.since_tick(late)),
            _ => due.after(self.period),
        }
    }

    /// How far into a period a moment is that comes this long after a tick.
    fn since_tick(&self, late: Duration) -> Duration {
        let nanos = late.as_nanos() % self.period.as_nanos();
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}
