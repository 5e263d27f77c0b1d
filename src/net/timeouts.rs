//! The read and write timeouts of a socket, shared by its clones as the kernel's own would be.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A limit for one direction, in nanoseconds; zero is none.
#[derive(Debug, Default)]
pub(crate) struct Limit(AtomicU64);

impl Limit {
    pub(crate) fn get(&self) -> Option<Duration> {
        let nanos = self.0.load(Ordering::Relaxed);
        (nanos != 0).then(|| Duration::from_nanos(nanos))
    }

    /// Sets it; zero is refused, as in std.
    pub(crate) fn set(&self, limit: Option<Duration>) -> io::Result<()> {
        let limit = limit.map(not_zero).transpose()?;
        // What does not fit lies 584 years ahead.
        let nanos = |limit: Duration| u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        self.0.store(limit.map_or(0, nanos), Ordering::Relaxed);
        Ok(())
    }
}

/// Refuses a timeout of zero.
pub(super) fn not_zero(limit: Duration) -> io::Result<Duration> {
    if limit.is_zero() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a timeout of zero: it must be longer, or none",
        ));
    }
    Ok(limit)
}

/// The limits of one socket.
#[derive(Debug, Default)]
pub(super) struct Timeouts {
    /// For reading.
    pub(super) read: Limit,

    /// For writing.
    pub(super) write: Limit,
}
