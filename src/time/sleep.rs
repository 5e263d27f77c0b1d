//! Waiting for a moment, and telling the present one.

use std::time::{Duration, Instant};

use crate::sched::clock::Deadline;
use crate::sched::park::{self, park_alone};
use crate::sched::wait::Operation;

static SLEEP: Operation = Operation::new("sleep");

/// Returns the present moment by this OS thread's clock; it follows virtual time.
#[must_use]
pub fn now() -> Instant {
    park::now().instant()
}

/// Parks for `duration`; [`Duration::MAX`] is longer than the machine will last.
///
/// Always switches, even for no time at all. Never ends early; it may end late by what the kernel grants itself (50 µs on Linux), and by up to 1 ms when many others sleep
/// until about the same moment, so that the OS thread wakes up once for all of them. Virtual time is exact. A cancellation is raised here. On the root and on a plain OS thread the wait runs the event loop.
///
/// # Examples
/// ```
/// use greenthread::{Runtime, sleep, time};
/// let runtime = Runtime::builder().virtual_time().build().unwrap();
/// runtime.run(|| {
///     let before = time::now();
///     sleep(time::Duration::from_secs(3600)); // takes no time at all
///     assert_eq!(time::now() - before, time::Duration::from_secs(3600));
/// });
/// ```
pub fn sleep(duration: Duration) {
    sleep_to(park::deadline_in(duration));
}

/// Parks until `instant`; when that has passed it only lets others go first.
///
/// A cancellation is raised here. On the root and on a plain OS thread the wait runs the event loop.
pub fn sleep_until(instant: Instant) {
    sleep_to(park::deadline_at(instant));
}

pub(super) fn sleep_to(deadline: Deadline) {
    if deadline <= park::now() {
        park::let_others_go_first();
    } else {
        park_alone(&SLEEP, Some(deadline), || ());
    }
}
