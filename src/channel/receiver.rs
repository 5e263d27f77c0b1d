//! The receiving end.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::error::{RecvError, RecvTimeoutError, TryRecvError};
use super::moments::{Moments, earlier};
use super::rendezvous;
use super::state::{self, Shared, State};
use crate::base::lock::{Lock, LockGuard, Mark};
use crate::sched::clock::Deadline;
use crate::sched::linger::Linger;
use crate::sched::list::Node;
use crate::sched::park::{self, Grant, Outcome, Waiter};
use crate::sched::wait::Operation;

static RECV: Operation = Operation::new("Receiver::recv");

static RECV_TIMEOUT: Operation = Operation::new("Receiver::recv_timeout");

/// The receiving end of a channel. Its clones receive from the same channel, each message once; when the last one is dropped, senders are told.
///
/// It may be shared between OS threads when the messages may be sent between them.
pub struct Receiver<T> {
    /// The channel.
    shared: Shared<T>,
}

/// Why there is no message; with the lock, for parking.
pub(super) enum Nothing<'a, T> {
    /// Not now.
    Empty(LockGuard<'a, State<T>>),

    /// Never again.
    Disconnected,
}

impl<T> Receiver<T> {
    /// The caller has counted it.
    pub(super) fn of(shared: Shared<T>) -> Self {
        Receiver { shared }
    }

    pub(super) fn queue(&self) -> &Lock<State<T>> {
        &self.shared
    }

    /// Receives the oldest message.
    ///
    /// Blocks while there is none. A cancellation while waiting is raised here; a message that came at the same moment wakes the next in line. On the root and on a plain OS
    /// thread the wait runs the event loop.
    ///
    /// In a channel of capacity 0 a message that was handed over is returned, and a cancellation that came meanwhile is raised at the next wait point.
    ///
    /// # Errors
    /// When there is none and every sender is gone.
    ///
    /// # Examples
    /// ```
    /// use greenthread::channel::{RecvError, bounded};
    /// let (sender, receiver) = bounded(1);
    /// sender.send("last words").unwrap();
    /// drop(sender);
    /// assert_eq!(receiver.recv(), Ok("last words"));
    /// assert_eq!(receiver.recv(), Err(RecvError));
    /// ```
    #[inline]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.next().ok_or(RecvError)
    }

    /// As [`recv`](Self::recv), inlined: a loop over a receiver parks again and again, and each frame between its switch and the loop is one return that is predicted wrongly (18 ns).
    #[inline(always)]
    pub(super) fn next(&self) -> Option<T> {
        self.recv_until(&RECV, || None).ok()
    }

    /// Receives the oldest message, if there is one. Does not block.
    ///
    /// # Errors
    /// When there is none, and whether every sender is gone.
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.take().map_err(|nothing| match nothing {
            Nothing::Empty(_) => TryRecvError::Empty,
            Nothing::Disconnected => TryRecvError::Disconnected,
        })
    }

    /// Receives the oldest message, waiting for one at most for `limit`.
    ///
    /// Blocks, is cancelled and behaves on the root as [`recv`](Self::recv) does.
    ///
    /// # Errors
    /// When `limit` passed first, or there is none and every sender is gone.
    pub fn recv_timeout(&self, limit: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_until(&RECV_TIMEOUT, || Some(park::deadline_in(limit)))
    }

    /// Tries first: what parking needs is set up only then.
    #[inline(always)]
    fn recv_until(
        &self,
        operation: &'static Operation,
        deadline: impl FnOnce() -> Option<Deadline>,
    ) -> Result<T, RecvTimeoutError> {
        let mut state = match self.take_from(self.shared.lock_to_receive()) {
            Ok(message) => return Ok(message),
            Err(Nothing::Disconnected) => return Err(RecvTimeoutError::Disconnected),
            Err(Nothing::Empty(state)) => state,
        };
        if Linger::is_due() {
            state = match self.look_again(state) {
                Ok(message) => return Ok(message),
                Err(Nothing::Disconnected) => return Err(RecvTimeoutError::Disconnected),
                Err(Nothing::Empty(state)) => state,
            };
        }
        let deadline = deadline();
        if state.moments.is_some() {
            return self.wait_for_moment(state, operation, deadline);
        }
        if state.capacity == 0 {
            return rendezvous::recv(&self.shared, state, operation, deadline);
        }
        self.wait_for_message(state, operation, deadline)
    }

    /// Tries again for a moment, because the sender is likely to be awake on another OS thread.
    #[cold]
    fn look_again<'a>(&'a self, mut state: LockGuard<'a, State<T>>) -> Result<T, Nothing<'a, T>> {
        if self.shared.holds_one() {
            Lock::leave(state, Mark::Empty);
            return self.take_from(self.shared.lock_to_receive());
        }
        let mut linger = Linger::new(state.batch());
        while linger.pays() {
            drop(state);
            linger.pause();
            match self.take() {
                Err(Nothing::Empty(still)) => state = still,
                taken => return taken,
            }
        }
        Err(Nothing::Empty(state))
    }

    #[inline(always)]
    fn wait_for_message<'a>(
        &'a self,
        mut state: LockGuard<'a, State<T>>,
        operation: &'static Operation,
        deadline: Option<Deadline>,
    ) -> Result<T, RecvTimeoutError> {
        let baton = Grant::GiveBack(state::pass_message_on);
        let waiter = Waiter::new(&*self.shared, operation, 0, baton);
        loop {
            let outcome = waiter.park(state, |state| &mut state.receiving, deadline);
            if outcome == Outcome::TimedOut {
                return Err(RecvTimeoutError::Timeout);
            }
            state = match self.take() {
                Ok(message) => return Ok(message),
                Err(Nothing::Disconnected) => return Err(RecvTimeoutError::Disconnected),
                Err(Nothing::Empty(state)) => state,
            };
        }
    }

    /// Waits for the next moment that nobody else receives.
    #[cold]
    fn wait_for_moment<'a>(
        &'a self,
        mut state: LockGuard<'a, State<T>>,
        operation: &'static Operation,
        limit: Option<Deadline>,
    ) -> Result<T, RecvTimeoutError> {
        let nothing = Grant::GiveBack(nobody_grants);
        let waiter = Waiter::new(&*self.shared, operation, 0, nothing);
        loop {
            let next = state.moments.as_ref().and_then(Moments::next);
            waiter.park(state, |state| &mut state.receiving, earlier(next, limit));
            state = self.shared.lock();
            if let Some(message) = state.moments.as_mut().and_then(Moments::take) {
                return Ok(message);
            }
            if limit.is_some_and(|limit| limit <= park::now()) {
                return Err(RecvTimeoutError::Timeout);
            }
        }
    }

    #[inline(always)]
    pub(super) fn take(&self) -> Result<T, Nothing<'_, T>> {
        self.take_from(self.shared.lock())
    }

    #[inline(always)]
    fn take_from<'a>(&'a self, mut state: LockGuard<'a, State<T>>) -> Result<T, Nothing<'a, T>> {
        if let Some(message) = state.messages.pop_front() {
            state::popped(state);
            return Ok(message);
        }
        if let Some(message) = state.messages.take_the_one() {
            state::popped_the_one(state);
            return Ok(message);
        }
        if state.senders == 0 {
            return Err(Nothing::Disconnected);
        }
        if let Some(moments) = &mut state.moments {
            return moments.take().ok_or(Nothing::Empty(state));
        }
        rendezvous::take(state).map_err(Nothing::Empty)
    }

    /// Returns how many messages the channel holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.lock().len()
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

/// A channel of moments has no sender who could.
fn nobody_grants<T>(_: &Lock<State<T>>, _: &Node) {}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.lock().receivers += 1;
        Receiver::of(Arc::clone(&self.shared))
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        state::receiver_gone(&self.shared);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
