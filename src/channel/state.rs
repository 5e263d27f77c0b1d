//! What both ends of a channel share.
//!
//! A send wakes a receiver and does not hand it the message (but see `rendezvous`): whoever runs first takes the oldest.
//!
//! Invariants:
//! - C1 While a receiver waits, at least as many others have been woken and have not run yet as there are messages: one waits only when there is none, and each
//!   message that comes wakes one. A woken one that leaves without a message passes the wake on while messages remain (the baton, L4 b). The same for senders and
//!   room.
//! - C2 No message is dropped under the lock (L6).
//! - C3 In a channel of one, the mark EMPTY is left at the lock only by who saw that there is nothing to receive and somebody who may send, and FULL the other way round. Whoever changes
//!   that has taken the lock, which wipes it off; so nobody who watches a mark misses a change, and who gives up watching takes the lock before he parks.

use std::ops::Deref;
use std::sync::Arc;

use super::messages::{Messages, ROOM_AT_ONCE};
use super::moments::Moments;
use crate::base::lock::{Lock, LockGuard, Mark};
use crate::sched::linger::Linger;
use crate::sched::list::{Node, WaitList, wake_all};

/// Shared by both ends.
pub(super) type Shared<T> = Arc<Channel<T>>;

/// Begins a cache line, so that the lock and the message of a channel of one lie on one.
#[repr(C, align(64))]
pub(super) struct Channel<T> {
    /// What both ends do.
    lock: Lock<State<T>>,

    /// Whether messages go through one at a time, beside the lock.
    holds_one: bool,
}

impl<T> Channel<T> {
    pub(super) fn new(state: State<T>) -> Shared<T> {
        let holds_one = state.messages.are_one() && state.moments.is_none();
        let lock = Lock::new(state);
        Arc::new(Channel { lock, holds_one })
    }

    /// Whether messages go through one at a time, beside the lock.
    pub(super) fn holds_one(&self) -> bool {
        self.holds_one
    }

    /// Takes the lock to receive; not yet, for a moment, where there is nothing to be had and a sender is likely to be awake on another OS thread.
    #[inline(always)]
    pub(super) fn lock_to_receive(&self) -> LockGuard<'_, State<T>> {
        match self.lock.lock_leaning() {
            Some(state) => state,
            None => self.lock_unless(Mark::Empty),
        }
    }

    /// The same to send, where there is no room and a receiver is likely to be awake.
    #[inline(always)]
    pub(super) fn lock_to_send(&self) -> LockGuard<'_, State<T>> {
        match self.lock.lock_leaning() {
            Some(state) => state,
            None => self.lock_unless(Mark::Full),
        }
    }

    /// Takes the lock when `mark` is at it no more, or some time has passed in vain.
    #[inline(always)]
    fn lock_unless(&self, mark: Mark) -> LockGuard<'_, State<T>> {
        if self.holds_one {
            self.watch(mark);
        }
        self.lock.lock_shared()
    }

    /// Where messages go through one at a time: watches the mark, which takes nothing from the other end but a cache line when it is done.
    #[cold]
    fn watch(&self, mark: Mark) {
        let mut linger = Linger::new(1);
        while self.lock.may_have(mark) && linger.goes_on() {
            linger.watch(|| self.lock.may_have(mark));
        }
    }
}

impl<T> Deref for Channel<T> {
    type Target = Lock<State<T>>;

    #[inline(always)]
    fn deref(&self) -> &Lock<State<T>> {
        &self.lock
    }
}

/// Under the lock.
#[repr(C)]
pub(super) struct State<T> {
    /// Sent and not received; first, to be near the lock.
    pub(super) messages: Messages<T>,

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
        State {
            messages: Messages::new(capacity),
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
        self.messages.have_room()
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

/// Puts `message` in line, where there is room for it, and wakes a receiver.
#[inline(always)]
pub(super) fn push<T>(mut state: LockGuard<'_, State<T>>, message: T) {
    state.messages.push_back(message);
    let wake = state.receiving.wake_first();
    drop(state);
    drop(wake);
}

/// The same with the one that lacks beside the lock.
#[inline(always)]
pub(super) fn push_the_one<T>(mut state: LockGuard<'_, State<T>>, message: T) {
    state.messages.put_the_one(message);
    let wake = state.receiving.wake_first();
    Lock::leave(state, Mark::Full);
    drop(wake);
}

/// A message was taken from the line: gives the lock back and wakes a sender for whom there is room.
#[inline(always)]
pub(super) fn popped<T>(mut state: LockGuard<'_, State<T>>) {
    let wake = if state.messages.have_room_in_line() {
        state.sending.wake_first()
    } else {
        None
    };
    drop(state);
    drop(wake);
}

/// The same with the one beside the lock.
#[inline(always)]
pub(super) fn popped_the_one<T>(mut state: LockGuard<'_, State<T>>) {
    let wake = state.sending.wake_first();
    if state.senders > 0 {
        Lock::leave(state, Mark::Empty);
    } else {
        drop(state);
    }
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
        Some(state.messages.take_all())
    } else {
        None
    };
    drop(state);
    if last {
        wake_all(queue, |state| &mut state.sending);
    }
    drop(left);
}
