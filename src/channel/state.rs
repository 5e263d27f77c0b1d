//! What both ends of a channel share.
//!
//! A send wakes a receiver and does not hand it the message (but see `rendezvous`): whoever runs first takes the oldest.
//!
//! Invariants:
//! - C1 While a receiver waits, at least as many others have been woken and have not run yet as there are messages: one waits only when there is none, and each
//!   message that comes wakes one. A woken one that leaves without a message passes the wake on while messages remain (the baton, L4 b). The same for senders and
//!   room.
//! - C2 No message is dropped under the lock (L6).

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use super::moments::Moments;
use crate::base::lock::{Lock, LockGuard};
use crate::sched::list::{Node, WaitList, wake_all};

/// The most messages for which room is made at once.
const ROOM_AT_ONCE: usize = 64;

/// Shared by both ends.
pub(super) type Shared<T> = Arc<Lock<State<T>>>;

/// Under the lock.
pub(super) struct State<T> {
    /// Sent and not received, oldest first.
    pub(super) messages: VecDeque<T>,

    /// The most messages it holds; `usize::MAX` without a bound.
    pub(super) capacity: usize,

    /// How many [`Sender`](super::Sender)s there are.
    pub(super) senders: usize,

    /// How many [`Receiver`](super::Receiver)s there are.
    pub(super) receivers: usize,

    /// Wait for a message.
    pub(super) receiving: WaitList,

    /// Wait for room, or for a receiver.
    pub(super) sending: WaitList,

    /// Where the messages come from, in a channel that has no sender.
    pub(super) moments: Option<Moments<T>>,
}

impl<T> State<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let room = if capacity == usize::MAX { 0 } else { capacity };
        State {
            messages: VecDeque::with_capacity(room.min(ROOM_AT_ONCE)),
            capacity,
            senders: 1,
            receivers: 1,
            receiving: WaitList::new(),
            sending: WaitList::new(),
            moments: None,
        }
    }

    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.messages.len() < self.capacity
    }

    /// How many messages the other end may be about to send or receive; none where it hands them over, or there is no other end.
    #[inline]
    pub(super) fn batch(&self) -> usize {
        match &self.moments {
            Some(_) => 0,
            None => self.capacity.min(ROOM_AT_ONCE),
        }
    }

    /// How many messages there are now.
    pub(super) fn len(&self) -> usize {
        let due = self.moments.as_ref().is_some_and(Moments::is_due);
        self.messages.len() + usize::from(due)
    }

    /// The most messages it holds, if there is a bound.
    pub(super) fn bound(&self) -> Option<usize> {
        (self.capacity != usize::MAX).then_some(self.capacity)
    }
}

/// Puts `message` where there is room for it, and wakes a receiver.
#[inline(always)]
pub(super) fn push<T>(mut state: LockGuard<'_, State<T>>, message: T) {
    state.messages.push_back(message);
    let wake = state.receiving.wake_first();
    drop(state);
    drop(wake);
}

/// A message was taken: gives the lock back and wakes a sender for whom there is room.
#[inline(always)]
pub(super) fn popped<T>(mut state: LockGuard<'_, State<T>>) {
    let wake = if state.has_room() {
        state.sending.wake_first()
    } else {
        None
    };
    drop(state);
    drop(wake);
}

/// C1, for a receiver.
pub(super) fn pass_message_on<T>(queue: &Lock<State<T>>, _: &Node) {
    let mut state = queue.lock();
    let wake = if state.messages.is_empty() {
        None
    } else {
        state.receiving.wake_first()
    };
    drop(state);
    drop(wake);
}

/// C1, for a sender.
pub(super) fn pass_room_on<T>(queue: &Lock<State<T>>, _: &Node) {
    let mut state = queue.lock();
    let wake = if state.has_room() {
        state.sending.wake_first()
    } else {
        None
    };
    drop(state);
    drop(wake);
}

/// A sender goes; the last one tells every receiver.
pub(super) fn sender_gone<T>(queue: &Lock<State<T>>) {
    let mut state = queue.lock();
    state.senders -= 1;
    let last = state.senders == 0;
    drop(state);
    if last {
        wake_all(queue, |state| &mut state.receiving);
    }
}

/// A receiver goes; the last one tells every sender, and drops what nobody will receive (C2).
pub(super) fn receiver_gone<T>(queue: &Lock<State<T>>) {
    let mut state = queue.lock();
    state.receivers -= 1;
    let last = state.receivers == 0;
    let left = if last {
        mem::take(&mut state.messages)
    } else {
        VecDeque::new()
    };
    drop(state);
    if last {
        wake_all(queue, |state| &mut state.sending);
    }
    drop(left);
}
