//! A deadline for a piece of code.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use crate::base::error::Elapsed;
use crate::sched::clock::Deadline;
use crate::sched::frame::{Frame, Kind};
use crate::sched::park;
use crate::sched::payload::{self, What};
use crate::sched::scheduler::Scheduler;

/// Runs `f`, and unwinds it out of the wait point in which it stands when `limit` has passed.
///
/// `f` runs inline: it may borrow and needs no `Send`. The deadline is raised only where `f` waits; code that never waits runs to its end. An inner `timeout`
/// lets an outer one's deadline pass through.
///
/// # Errors
/// [`Elapsed`] when the limit passed first.
///
/// # Examples
/// ```
/// use greenthread::{Elapsed, Runtime, sleep, timeout, time::Duration};
/// let runtime = Runtime::builder().virtual_time().build().unwrap();
/// runtime.run(|| {
///     assert_eq!(timeout(Duration::from_secs(1), || sleep(Duration::from_secs(2))), Err(Elapsed));
///     assert_eq!(timeout(Duration::from_secs(2), || 7), Ok(7));
/// });
/// ```
pub fn timeout<T>(limit: Duration, f: impl FnOnce() -> T) -> Result<T, Elapsed> {
    run(park::deadline_in(limit), |_| f())
}

/// As [`timeout`], with the moment itself.
///
/// # Errors
/// [`Elapsed`] when the moment came first.
pub fn timeout_at<T>(deadline: Instant, f: impl FnOnce() -> T) -> Result<T, Elapsed> {
    run(park::deadline_at(deadline), |_| f())
}

/// As [`timeout`], and `f` may move the deadline while it runs.
///
/// # Errors
/// [`Elapsed`] when the limit passed first.
pub fn timeout_with<T>(limit: Duration, f: impl FnOnce(&Limit<'_>) -> T) -> Result<T, Elapsed> {
    run(park::deadline_in(limit), |frame| f(&Limit { frame }))
}

/// The deadline of the [`timeout_with`] that lends it.
pub struct Limit<'a> {
    /// Where it is set.
    frame: &'a Frame,
}

impl Limit<'_> {
    /// Moves the deadline to `limit` from now. Nothing changes once it has passed.
    pub fn reset(&self, limit: Duration) {
        self.frame
            .set_deadline(Scheduler::get().deadlines(), park::deadline_in(limit));
    }

    /// Returns the moment at which it passes.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.frame.deadline().instant()
    }
}

impl fmt::Debug for Limit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limit")
            .field("deadline", &self.deadline())
            .finish_non_exhaustive()
    }
}

fn run<T>(deadline: Deadline, f: impl FnOnce(&Frame) -> T) -> Result<T, Elapsed> {
    let scheduler = Scheduler::get();
    let (id, caught) = Frame::enter(scheduler.deadlines(), Kind::Timeout, |frame| {
        frame.set_deadline(scheduler.deadlines(), deadline);
        (frame.id(), catch_unwind(AssertUnwindSafe(|| f(frame))))
    });
    let payload = match caught {
        Ok(value) => return Ok(value),
        Err(payload) => payload,
    };
    match payload::sort(payload) {
        Ok(request) if matches!(request.what(), What::Timeout(frame) if *frame == id) => {
            Err(Elapsed)
        }
        Ok(request) => resume_unwind(request),
        Err(panic) => resume_unwind(panic),
    }
}
