//! Receivers that need no sender: moments, one or again and again, and nothing at all.
//!
//! Such a channel holds no message: a receiver looks at the clock instead, and waits until the next moment. So they cost no timer and no green thread while nobody
//! looks, and follow the clock of the OS thread that receives.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::RecvTimeoutError;
use super::receiver::Receiver;
use super::state::State;
use crate::base::lock::{Lock, LockGuard};
use crate::sched::clock::Deadline;
use crate::sched::list::Node;
use crate::sched::park::{self, Grant, Outcome, with_waiter};
use crate::sched::wait::Operation;

/// When there is a message.
pub(super) struct Moments<T> {
    /// The next one, if there is one.
    next: Option<Deadline>,

    /// From one to the next, if there is more than one.
    period: Option<Duration>,

    /// What is received.
    message: fn(Instant) -> T,
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

/// Makes a receiver that gets one message, `duration` from now: the moment that it was due.
///
/// After that it is empty for ever, and never disconnected. Time is that of the OS thread that receives.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use greenthread::{Runtime, channel};
/// Runtime::builder().virtual_time().build().unwrap().run(|| {
///     let before = greenthread::time::now();
///     let due = channel::after(Duration::from_secs(60)).recv().unwrap();
///     assert_eq!(due - before, Duration::from_secs(60));
/// });
/// ```
#[must_use]
pub fn after(duration: Duration) -> Receiver<Instant> {
    of_moments(park::deadline_in(duration), None)
}

/// Makes a receiver that gets a message every `period`, first in one `period` from now: the moment that it was due.
///
/// It holds one message at most: moments that passed while one waited to be received are left out, and the row is kept. It is never disconnected. Time is that
/// of the OS thread that receives. With a period of zero there is always a message.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use greenthread::{Runtime, channel};
/// Runtime::builder().virtual_time().build().unwrap().run(|| {
///     let ticks = channel::tick(Duration::from_secs(1));
///     let first = ticks.recv().unwrap();
///     assert_eq!(ticks.recv().unwrap() - first, Duration::from_secs(1));
/// });
/// ```
#[must_use]
pub fn tick(period: Duration) -> Receiver<Instant> {
    of_moments(park::deadline_in(period), Some(period))
}

/// Makes a receiver that never gets a message and is never disconnected: an arm of `select!` that is switched off.
///
/// # Examples
/// ```
/// use greenthread::channel::{TryRecvError, never};
/// assert_eq!(never::<u32>().try_recv(), Err(TryRecvError::Empty));
/// ```
#[must_use]
pub fn never<T>() -> Receiver<T> {
    Receiver::of(Arc::new(Lock::new(State::new(1))))
}

fn of_moments(first: Deadline, period: Option<Duration>) -> Receiver<Instant> {
    let mut state = State::new(1);
    state.moments = Some(Moments {
        next: Some(first).filter(|first| *first < Deadline::NEVER),
        period,
        message: |due| due,
    });
    Receiver::of(Arc::new(Lock::new(state)))
}

/// The earlier of the two, if there is one.
pub(super) fn earlier(one: Option<Deadline>, other: Option<Deadline>) -> Option<Deadline> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Waits for the next moment that nobody else receives.
#[cold]
pub(super) fn recv<'a, T>(
    queue: &'a Lock<State<T>>,
    mut state: LockGuard<'a, State<T>>,
    operation: &'static Operation,
    limit: Option<Deadline>,
) -> Result<T, RecvTimeoutError> {
    let nothing = Grant::GiveBack(nobody_grants);
    with_waiter(queue, operation, 0, nothing, |waiter| {
        loop {
            let next = state.moments.as_ref().and_then(Moments::next);
            let until = earlier(next, limit);
            let outcome = waiter.park(state, |state| &mut state.receiving, until);
            state = queue.lock();
            if let Some(message) = state.moments.as_mut().and_then(Moments::take) {
                return Ok(message);
            }
            if outcome == Outcome::TimedOut && limit.is_some_and(|limit| limit <= park::now()) {
                return Err(RecvTimeoutError::Timeout);
            }
        }
    })
}

/// There is no sender who could.
fn nobody_grants<T>(_: &Lock<State<T>>, _: &Node) {}
