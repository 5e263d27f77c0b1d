//! The messages of a channel that has no sender: moments, one or again and again.
//!
//! Such a channel holds no message: a receiver looks at the clock instead, and waits until the next moment. So they cost no timer and no green thread while nobody
//! looks, and follow the clock of the OS thread that receives.

use std::time::{Duration, Instant};

use crate::sched::clock::Deadline;
use crate::sched::park;

/// When there is a message.
pub(super) struct Moments<T> {
    /// The next one, if there is one.
    next: Option<Deadline>,

    /// From one to the next, if there is more than one.
    period: Option<Duration>,

    /// What is received.
    message: fn(Instant) -> T,
}

impl Moments<Instant> {
    /// `first`, and again after each `period`.
    pub(super) fn new(first: Deadline, period: Option<Duration>) -> Self {
        Moments {
            next: Some(first).filter(|first| *first < Deadline::NEVER),
            period,
            message: |due| due,
        }
    }
}

impl<T> Moments<T> {
    /// The next one, if there is one.
    pub(super) fn next(&self) -> Option<Deadline> {
        self.next
    }

    /// Whether there is a message now.
    pub(super) fn is_due(&self) -> bool {
        self.next.is_some_and(|next| next <= park::now())
    }

    /// The message, if its moment has come.
    pub(super) fn take(&mut self) -> Option<T> {
        let now = park::now();
        let due = self.next.filter(|next| *next <= now)?;
        self.next = self.period.map(|period| following(due, period, now));
        Some((self.message)(due.instant()))
    }
}

/// The first moment of the row after `now`: those that nobody has received are left out.
fn following(due: Deadline, period: Duration, now: Deadline) -> Deadline {
    if period.is_zero() {
        return now;
    }
    let missed = now.since(due).as_nanos() / period.as_nanos();
    let missed = u32::try_from(missed).unwrap_or(u32::MAX);
    due.after(period.saturating_mul(missed.saturating_add(1)))
}

/// The earlier of the two, if there is one.
pub(super) fn earlier(one: Option<Deadline>, other: Option<Deadline>) -> Option<Deadline> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
