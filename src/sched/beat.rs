//! Since when the one who runs on an OS thread has run: noted by its loop, for the watchdog on another OS thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::clock::Deadline;

/// `Beat::since` while nobody runs.
const NOBODY: u64 = 0;

/// The note of one OS thread.
#[derive(Debug)]
pub(crate) struct Beat {
    /// When the loop gave way last, by the machine's clock; NOBODY while it has nobody to give way to. It also tells one turn from the next.
    since: AtomicU64,

    /// How long one may hold the OS thread.
    limit: Duration,
}

impl Beat {
    pub(crate) fn new(limit: Duration) -> Self {
        Beat {
            since: AtomicU64::new(NOBODY),
            limit,
        }
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// The loop is about to give way.
    pub(super) fn begin(&self) {
        let now = Deadline::real_now().nanos().max(NOBODY + 1);
        self.since.store(now, Ordering::Relaxed);
    }

    /// The loop has nobody to give way to.
    pub(super) fn rest(&self) {
        self.since.store(NOBODY, Ordering::Relaxed);
    }

    /// The turn that is under way, and for how long it has been.
    pub(crate) fn turn(&self) -> Option<(u64, Duration)> {
        let since = self.since.load(Ordering::Relaxed);
        let passed = Deadline::real_now().nanos().saturating_sub(since);
        (since != NOBODY).then(|| (since, Duration::from_nanos(passed)))
    }
}
