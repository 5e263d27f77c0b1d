//! One message, from one sender to one receiver.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::error::{RecvError, RecvTimeoutError, SendError, TryRecvError};
use crate::base::lock::Lock;
use crate::sched::clock::Deadline;
use crate::sched::list::{WaitList, wake_all};
use crate::sched::park::{self, Grant, Outcome, Waiter};
use crate::sched::wait::Operation;

static RECV: Operation = Operation::new("oneshot::Receiver::recv");

static RECV_TIMEOUT: Operation = Operation::new("oneshot::Receiver::recv_timeout");

/// Makes a channel for one message.
///
/// # Examples
/// ```
/// let (sender, receiver) = greenthread::channel::oneshot();
/// greenthread::spawn(move || sender.send("done").unwrap());
/// assert_eq!(receiver.recv(), Ok("done"));
/// ```
#[must_use]
pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Lock::new(State {
        message: None,
        sender_gone: false,
        receiver_gone: false,
        receiving: WaitList::new(),
    }));
    let sender = Sender {
        shared: Arc::clone(&shared),
    };
    (sender, Receiver { shared })
}

/// Under the lock.
struct State<T> {
    /// Sent and not received.
    message: Option<T>,

    /// No message will come, but for the one that is there.
    sender_gone: bool,

    /// Nobody will receive.
    receiver_gone: bool,

    /// Wait for the message.
    receiving: WaitList,
}

/// Sends the one message; when it is dropped instead, the receiver is told.
pub struct Sender<T> {
    /// The channel.
    shared: Arc<Lock<State<T>>>,
}

/// Receives the one message.
pub struct Receiver<T> {
    /// The channel.
    shared: Arc<Lock<State<T>>>,
}

impl<T> Sender<T> {
    /// Sends `message`. Does not block.
    ///
    /// # Errors
    /// With the message, when the receiver is gone.
    pub fn send(self, message: T) -> Result<(), SendError<T>> {
        let mut state = self.shared.lock();
        if state.receiver_gone {
            drop(state);
            return Err(SendError(message));
        }
        state.message = Some(message);
        drop(state);
        Ok(())
    }

    /// Tells whether the receiver is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.lock().receiver_gone
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.lock().sender_gone = true;
        wake_all(&self.shared, |state| &mut state.receiving);
    }
}

impl<T> Receiver<T> {
    /// Receives the message; after that, and when it will never come, it is an error.
    ///
    /// Blocks until it is sent or the sender dropped. A cancellation while waiting is raised here; when the message came at the same moment, that is returned and
    /// the cancellation raised at the next wait point. On the root and on a plain OS thread the wait runs the event loop.
    ///
    /// # Errors
    /// When the sender is gone and there is no message.
    pub fn recv(&self) -> Result<T, RecvError> {
        self.recv_until(&RECV, None).map_err(|_| RecvError)
    }

    /// Receives the message if it is there. Does not block.
    ///
    /// # Errors
    /// When it is not there, and whether the sender is gone.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let mut state = self.shared.lock();
        match state.message.take() {
            Some(message) => Ok(message),
            None if state.sender_gone => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }

    /// Receives the message, waiting for it at most for `limit`.
    ///
    /// Blocks, is cancelled and behaves on the root as [`recv`](Self::recv) does.
    ///
    /// # Errors
    /// When `limit` passed first, or the sender is gone and there is no message.
    pub fn recv_timeout(&self, limit: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_until(&RECV_TIMEOUT, Some(park::deadline_in(limit)))
    }

    /// Tells whether no message will come any more: it was received, or the sender is gone without one.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        let state = self.shared.lock();
        state.sender_gone && state.message.is_none()
    }

    #[inline(always)]
    fn recv_until(
        &self,
        operation: &'static Operation,
        deadline: Option<Deadline>,
    ) -> Result<T, RecvTimeoutError> {
        let keep = Grant::Keep;
        let waiter = Waiter::new(&*self.shared, operation, 0, keep);
        loop {
            let mut state = self.shared.lock();
            if let Some(message) = state.message.take() {
                return Ok(message);
            }
            if state.sender_gone {
                return Err(RecvTimeoutError::Disconnected);
            }
            let outcome = waiter.park(state, |state| &mut state.receiving, deadline);
            if outcome == Outcome::TimedOut {
                return Err(RecvTimeoutError::Timeout);
            }
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.receiver_gone = true;
        let left = state.message.take();
        drop(state);
        drop(left);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
