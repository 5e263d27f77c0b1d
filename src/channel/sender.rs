//! The sending end.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::error::{SendError, SendTimeoutError, TrySendError};
use super::rendezvous;
use super::state::{self, Shared, State};
use crate::base::lock::{Lock, LockGuard, Mark};
use crate::sched::clock::Deadline;
use crate::sched::linger::Linger;
use crate::sched::park::{self, Grant, Outcome, Waiter};
use crate::sched::wait::Operation;

static SEND: Operation = Operation::new("Sender::send");

static SEND_TIMEOUT: Operation = Operation::new("Sender::send_timeout");

/// The sending end of a channel. Its clones send into the same channel; when the last one is dropped, receivers are told.
///
/// It may be shared between OS threads when the messages may be sent between them.
pub struct Sender<T> {
    /// The channel.
    shared: Shared<T>,
}

/// What became of a message.
pub(super) enum Put<'a, T> {
    /// It is in the channel.
    Done,

    /// There is no room; with the lock, for parking.
    Full(LockGuard<'a, State<T>>, T),

    /// There is no receiver.
    Disconnected(T),
}

impl<T> Sender<T> {
    /// The caller has counted it.
    pub(super) fn of(shared: Shared<T>) -> Self {
        Sender { shared }
    }

    pub(super) fn queue(&self) -> &Lock<State<T>> {
        &self.shared
    }

    /// Sends `message`.
    ///
    /// Blocks while the channel is full. A cancellation while waiting is raised here, and `message` is dropped; room that came at the same moment goes to the next
    /// in line. On the root and on a plain OS thread the wait runs the event loop.
    ///
    /// In a channel of capacity 0 it blocks until the message was received. Once that is so it returns, and a cancellation that came meanwhile is
    /// raised at the next wait point.
    ///
    /// # Errors
    /// With the message, when every receiver is gone.
    ///
    /// # Examples
    /// ```
    /// use greenthread::channel::{SendError, bounded};
    /// let (sender, receiver) = bounded(1);
    /// sender.send(1).unwrap();
    /// drop(receiver);
    /// assert_eq!(sender.send(2), Err(SendError(2)));
    /// ```
    #[inline]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.send_until(message, &SEND, || None)
            .map_err(|error| SendError(error.into_inner()))
    }

    /// Sends `message` if there is room for it, or, in a channel of capacity 0, a receiver that waits. Does not block.
    ///
    /// # Errors
    /// With the message, when the channel is full or every receiver is gone.
    #[inline]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        match self.put(message) {
            Put::Done => Ok(()),
            Put::Disconnected(message) => Err(TrySendError::Disconnected(message)),
            Put::Full(state, message) => match rendezvous::give(state, message) {
                Ok(()) => Ok(()),
                Err((state, message)) => {
                    drop(state);
                    Err(TrySendError::Full(message))
                }
            },
        }
    }

    /// Sends `message`, waiting for room at most for `limit`.
    ///
    /// Blocks, is cancelled and behaves on the root as [`send`](Self::send) does.
    ///
    /// # Errors
    /// With the message, when `limit` passed first or every receiver is gone.
    pub fn send_timeout(&self, message: T, limit: Duration) -> Result<(), SendTimeoutError<T>> {
        self.send_until(message, &SEND_TIMEOUT, || Some(park::deadline_in(limit)))
    }

    /// Tries first: what parking needs is set up only then.
    #[inline(always)]
    fn send_until(
        &self,
        message: T,
        operation: &'static Operation,
        deadline: impl FnOnce() -> Option<Deadline>,
    ) -> Result<(), SendTimeoutError<T>> {
        let (mut state, mut message) = match self.put_into(self.shared.lock_to_send(), message) {
            Put::Done => return Ok(()),
            Put::Disconnected(message) => return Err(SendTimeoutError::Disconnected(message)),
            Put::Full(state, message) => (state, message),
        };
        if Linger::is_due() {
            (state, message) = match self.look_again(state, message) {
                Put::Done => return Ok(()),
                Put::Disconnected(message) => return Err(SendTimeoutError::Disconnected(message)),
                Put::Full(state, message) => (state, message),
            };
        }
        let deadline = deadline();
        if state.capacity == 0 {
            return rendezvous::send(&self.shared, state, message, operation, deadline);
        }
        self.wait_for_room(state, message, operation, deadline)
    }

    /// Tries again for a moment, because the receiver is likely to be awake on another OS thread.
    #[cold]
    fn look_again<'a>(&'a self, mut state: LockGuard<'a, State<T>>, mut message: T) -> Put<'a, T> {
        if self.shared.holds_one() {
            Lock::leave(state, Mark::Full);
            return self.put_into(self.shared.lock_to_send(), message);
        }
        let mut linger = Linger::new(state.batch());
        while linger.pays() {
            drop(state);
            linger.pause();
            match self.put(message) {
                Put::Full(still, back) => (state, message) = (still, back),
                put => return put,
            }
        }
        Put::Full(state, message)
    }

    #[inline(always)]
    fn wait_for_room<'a>(
        &'a self,
        mut state: LockGuard<'a, State<T>>,
        mut message: T,
        operation: &'static Operation,
        deadline: Option<Deadline>,
    ) -> Result<(), SendTimeoutError<T>> {
        let baton = Grant::GiveBack(state::pass_room_on);
        let waiter = Waiter::new(&*self.shared, operation, 0, baton);
        loop {
            let outcome = waiter.park(state, |state| &mut state.sending, deadline);
            if outcome == Outcome::TimedOut {
                return Err(SendTimeoutError::Timeout(message));
            }
            (state, message) = match self.put(message) {
                Put::Done => return Ok(()),
                Put::Disconnected(message) => {
                    return Err(SendTimeoutError::Disconnected(message));
                }
                Put::Full(state, message) => (state, message),
            };
        }
    }

    /// Puts `message` where there is room for it.
    #[inline(always)]
    pub(super) fn put(&self, message: T) -> Put<'_, T> {
        self.put_into(self.shared.lock(), message)
    }

    #[inline(always)]
    fn put_into<'a>(&'a self, state: LockGuard<'a, State<T>>, message: T) -> Put<'a, T> {
        if state.receivers == 0 {
            drop(state);
            return Put::Disconnected(message);
        }
        if state.messages.have_room_in_line() {
            state::push(state, message);
            return Put::Done;
        }
        if state.messages.lack_the_one() {
            state::push_the_one(state, message);
            return Put::Done;
        }
        Put::Full(state, message)
    }

    /// Returns how many messages the channel holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.lock().messages.len()
    }

    /// Tells whether the channel holds no message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells whether the channel holds as many messages as it may.
    #[must_use]
    pub fn is_full(&self) -> bool {
        !self.shared.lock().has_room()
    }

    /// Returns the most messages the channel holds; `None` without a bound.
    #[must_use]
    pub fn capacity(&self) -> Option<usize> {
        self.shared.lock().bound()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.lock().senders += 1;
        Sender::of(Arc::clone(&self.shared))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        state::sender_gone(&self.shared);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}
