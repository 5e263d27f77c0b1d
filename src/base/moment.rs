//! The machine's clock, in nanoseconds since the process's first look at it.

use std::hint::spin_loop;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// When the process first looked; one for all OS threads.
static BASE: OnceLock<Instant> = OnceLock::new();

#[allow(
    clippy::disallowed_methods,
    reason = "the one place that reads the real clock"
)]
fn base() -> Instant {
    *BASE.get_or_init(Instant::now)
}

/// The present moment.
#[allow(
    clippy::disallowed_methods,
    reason = "the one place that reads the real clock"
)]
#[inline]
pub(crate) fn now() -> u64 {
    at(Instant::now())
}

/// Lets so many nanoseconds pass, awake and without touching memory.
pub(crate) fn pass(nanos: u64) {
    pass_while(nanos, || true);
}

/// The same, as long as `unchanged` says yes.
pub(crate) fn pass_while(nanos: u64, unchanged: impl Fn() -> bool) {
    let end = now().saturating_add(nanos);
    while unchanged() && now() < end {
        spin_loop();
    }
}

/// The moment of `instant`; zero when it lies before the first look.
#[inline]
pub(crate) fn at(instant: Instant) -> u64 {
    nanos(instant.saturating_duration_since(base()))
}

/// That moment as std tells it.
pub(crate) fn instant(moment: u64) -> Instant {
    base() + Duration::from_nanos(moment)
}

/// A span in nanoseconds, clamped to 584 years.
#[inline]
pub(crate) fn nanos(duration: Duration) -> u64 {
    let seconds = duration.as_secs().saturating_mul(1_000_000_000);
    seconds.saturating_add(u64::from(duration.subsec_nanos()))
}
