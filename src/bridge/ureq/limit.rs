//! How long one step of ureq's may take: its timeouts, as deadlines of ours.

use std::time::{Duration, Instant};

use ureq::unversioned::transport::NextTimeout;
use ureq::{Error, Timeout};

use crate::time::now;

/// A deadline, if there is one, and what ureq calls it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    /// `None` is never.
    deadline: Option<Instant>,

    /// What the error says.
    reason: Timeout,
}

impl Limit {
    /// Begins now.
    pub(super) fn begin(timeout: NextTimeout) -> Self {
        let after = (!timeout.after.is_not_happening()).then_some(*timeout.after);
        Limit {
            // What does not fit lies further ahead than the machine will last.
            deadline: after.and_then(|after| now().checked_add(after)),
            reason: timeout.reason,
        }
    }

    /// The time that is left, `None` for ever; an error when there is none.
    pub(super) fn left(&self) -> Result<Option<Duration>, Error> {
        let left = self.deadline.map(|deadline| deadline - now());
        if left.is_some_and(|left| left.is_zero()) {
            return Err(self.passed());
        }
        Ok(left)
    }

    /// The error that says that the time was up.
    pub(super) fn passed(&self) -> Error {
        Error::Timeout(self.reason)
    }
}
