//! A channel of capacity 0: a message goes from the sender's stack to the receiver's, and nowhere else.
//!
//! Whoever comes first parks with a slot; whoever comes second wins the first one's wait, and only then moves the message. A wait that has ended otherwise (cancelled, timed
//! out) is not won, so its message stays with its sender: a message that has left is always delivered (L4 c).
//!
//! When the OS thread of a receiver ends with a message in the receiver's slot, the message goes to the next receiver (L19): one that waits, or, through `messages`, one that comes.

#![expect(
    unsafe_code,
    reason = "names the slots of parked stacks: see Z1 of `slot`"
)]

use super::error::{RecvTimeoutError, SendTimeoutError};
use super::slot::Slot;
use super::state::State;
use crate::base::lock::{Lock, LockGuard};
use crate::sched::clock::Deadline;
use crate::sched::list::Node;
use crate::sched::park::{Grant, Outcome, Waiter};
use crate::sched::wait::Operation;

/// Hands `message` to a receiver that waits, or comes back with the lock. In a channel of another capacity nobody is looked for.
pub(super) fn give<T>(
    mut state: LockGuard<'_, State<T>>,
    message: T,
) -> Result<(), (LockGuard<'_, State<T>>, T)> {
    if state.capacity > 0 {
        return Err((state, message));
    }
    let Some((wake, slot, _)) = state.receiving.wake_within(usize::MAX) else {
        return Err((state, message));
    };
    // SAFETY: Z1: its node was in the list, and the lock is held.
    let before = unsafe { Slot::swap(slot, Some(message)) };
    drop(state);
    drop(wake);
    debug_assert!(before.is_none(), "a receiver waits with an empty slot");
    Ok(())
}

/// Takes the message of a sender that waits, or comes back with the lock. In a channel of another capacity nobody is looked for.
#[inline]
pub(super) fn take<T>(mut state: LockGuard<'_, State<T>>) -> Result<T, LockGuard<'_, State<T>>> {
    if state.capacity > 0 {
        return Err(state);
    }
    let Some((wake, slot, _)) = state.sending.wake_within(usize::MAX) else {
        return Err(state);
    };
    // SAFETY: Z1: its node was in the list, and the lock is held.
    let message = unsafe { Slot::swap(slot, None) };
    drop(state);
    drop(wake);
    Ok(message.expect("a sender waits with its message"))
}

/// Waits until a receiver has taken `message`.
#[cold]
pub(super) fn send<T>(
    queue: &Lock<State<T>>,
    state: LockGuard<'_, State<T>>,
    message: T,
    operation: &'static Operation,
    deadline: Option<Deadline>,
) -> Result<(), SendTimeoutError<T>> {
    let Err((state, message)) = give(state, message) else {
        return Ok(());
    };
    let slot = Slot::new(Some(message));
    let grant = Grant::Keep;
    let waiter = Waiter::new(queue, operation, slot.address(), grant);
    let outcome = waiter.park(state, |state| &mut state.sending, deadline);
    match (slot.into_inner(), outcome) {
        (None, _) => Ok(()),
        (Some(message), Outcome::Granted) => Err(SendTimeoutError::Disconnected(message)),
        (Some(message), Outcome::TimedOut) => Err(SendTimeoutError::Timeout(message)),
    }
}

/// Waits until a sender hands a message over; none waits now.
#[cold]
pub(super) fn recv<T>(
    queue: &Lock<State<T>>,
    state: LockGuard<'_, State<T>>,
    operation: &'static Operation,
    deadline: Option<Deadline>,
) -> Result<T, RecvTimeoutError> {
    let slot = Slot::new(None);
    let grant = Grant::Deliver(hand_on);
    let waiter = Waiter::new(queue, operation, slot.address(), grant);
    let outcome = waiter.park(state, |state| &mut state.receiving, deadline);
    match (slot.into_inner(), outcome) {
        (Some(message), _) => Ok(message),
        (None, Outcome::Granted) => Err(RecvTimeoutError::Disconnected),
        (None, Outcome::TimedOut) => Err(RecvTimeoutError::Timeout),
    }
}

/// L19.
pub(super) fn hand_on<T>(queue: &Lock<State<T>>, node: &Node) {
    let state = queue.lock();
    // SAFETY: Z1: runs for the owner, whose stack is kept.
    let Some(message) = (unsafe { Slot::swap(node.weight(), None) }) else {
        return;
    };
    if let Err((mut state, message)) = give(state, message) {
        state.messages.push_back(message);
    }
}
