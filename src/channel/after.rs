//! Receivers that need no sender: moments, one or again and again, and nothing at all.

use std::time::{Duration, Instant};

use super::moments::Moments;
use super::receiver::Receiver;
use super::state::{Channel, State};
use crate::sched::clock::Deadline;
use crate::sched::park;

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
    Receiver::of(Channel::new(State::new(1)))
}

fn of_moments(first: Deadline, period: Option<Duration>) -> Receiver<Instant> {
    let mut state = State::new(1);
    state.moments = Some(Moments::new(first, period));
    Receiver::of(Channel::new(state))
}
