//! Every message to every receiver.
//!
//! The channel keeps the newest messages, up to its size; each receiver has a number, of the message that it gets next. One that is too slow is told how many it
//! has missed. Method names and meanings are tokio's.
//!
//! No message is cloned or dropped under the lock (L6): they are held by counted pointers.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::base::lock::{Lock, LockGuard};
use crate::sched::clock::Deadline;
use crate::sched::list::{Node, WaitList, wake_all};
use crate::sched::park::{self, Grant, Outcome, Waiter};
use crate::sched::wait::Operation;

pub use std::sync::mpsc::SendError;

static RECV: Operation = Operation::new("broadcast::Receiver::recv");

static RECV_TIMEOUT: Operation = Operation::new("broadcast::Receiver::recv_timeout");

/// Makes a channel that keeps the newest `capacity` messages for every receiver.
///
/// # Panics
/// When `capacity` is 0.
///
/// # Examples
/// ```
/// let (sender, one) = greenthread::channel::broadcast(8);
/// let two = sender.subscribe();
/// sender.send("to all").unwrap();
/// assert_eq!(one.recv(), Ok("to all"));
/// assert_eq!(two.recv(), Ok("to all"));
/// ```
#[must_use]
#[track_caller]
pub fn broadcast<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(
        capacity > 0,
        "broadcast(0): a broadcast channel keeps at least 1 message"
    );
    let shared = Arc::new(Lock::new(State {
        kept: VecDeque::new(),
        next: 0,
        capacity,
        senders: 1,
        receivers: 1,
        receiving: WaitList::new(),
    }));
    let sender = Sender {
        shared: Arc::clone(&shared),
    };
    (sender, Receiver::of(shared, 0))
}

/// Under the lock.
struct State<T> {
    /// The newest messages, oldest first.
    kept: VecDeque<Arc<T>>,

    /// The number of the next message.
    next: u64,

    /// The most messages it keeps.
    capacity: usize,

    /// How many senders there are.
    senders: usize,

    /// How many receivers there are.
    receivers: usize,

    /// Wait for a message.
    receiving: WaitList,
}

impl<T> State<T> {
    /// The number of the oldest message that is kept.
    fn oldest(&self) -> u64 {
        self.next - self.kept.len() as u64
    }

    /// The message with this number, which is not older than the oldest.
    fn message(&self, number: u64) -> Option<Arc<T>> {
        let place = usize::try_from(number - self.oldest()).ok()?;
        self.kept.get(place).map(Arc::clone)
    }
}

/// Sends to every receiver. Its clones send into the same channel; when the last one is dropped, receivers are told.
///
/// It may be shared between OS threads when the messages may.
pub struct Sender<T> {
    /// The channel.
    shared: Arc<Lock<State<T>>>,
}

/// Gets every message that was sent since it subscribed.
///
/// It may be shared between OS threads when the messages may; those who share one share its messages too.
pub struct Receiver<T> {
    /// The channel.
    shared: Arc<Lock<State<T>>>,

    /// The number of the message that it gets next; changed under the lock.
    next: AtomicU64,
}

/// Why `recv` has no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecvError {
    /// Every sender is gone, and every message was received.
    Closed,

    /// So many messages were missed; the next call gets the oldest that is kept.
    Lagged(u64),
}

/// Why `try_recv` has no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// There is none now.
    Empty,

    /// Every sender is gone, and every message was received.
    Closed,

    /// So many messages were missed; the next call gets the oldest that is kept.
    Lagged(u64),
}

/// Why `recv_timeout` has no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecvTimeoutError {
    /// The time was up first.
    Timeout,

    /// Every sender is gone, and every message was received.
    Closed,

    /// So many messages were missed; the next call gets the oldest that is kept.
    Lagged(u64),
}

/// Why there is no message; with the lock, for parking.
enum Nothing<'a, T> {
    /// Not now.
    Empty(LockGuard<'a, State<T>>),

    /// Never again.
    Closed,

    /// So many were missed.
    Lagged(u64),
}

impl<T> Sender<T> {
    /// Sends `message` to every receiver there is now, and returns how many that are. Does not block.
    ///
    /// When the channel is full, its oldest message is dropped.
    ///
    /// # Errors
    /// With the message, when there is no receiver.
    pub fn send(&self, message: T) -> Result<usize, SendError<T>> {
        let mut state = self.shared.lock();
        let receivers = state.receivers;
        if receivers == 0 {
            drop(state);
            return Err(SendError(message));
        }
        let full = state.kept.len() == state.capacity;
        let oldest = if full { state.kept.pop_front() } else { None };
        state.kept.push_back(Arc::new(message));
        state.next += 1;
        drop(state);
        wake_all(&self.shared, |state| &mut state.receiving);
        drop(oldest);
        Ok(receivers)
    }

    /// Makes a receiver that gets every message sent from now on.
    #[must_use]
    pub fn subscribe(&self) -> Receiver<T> {
        subscribe(&self.shared)
    }

    /// Returns how many receivers there are.
    #[must_use]
    pub fn receiver_count(&self) -> usize {
        self.shared.lock().receivers
    }

    /// Returns the most messages the channel keeps.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.shared.lock().capacity
    }

    /// Returns how many messages the channel keeps now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.lock().kept.len()
    }

    /// Tells whether the channel keeps no message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn subscribe<T>(shared: &Arc<Lock<State<T>>>) -> Receiver<T> {
    let mut state = shared.lock();
    state.receivers += 1;
    let next = state.next;
    drop(state);
    Receiver::of(Arc::clone(shared), next)
}

impl<T> Receiver<T> {
    /// The caller has counted it.
    fn of(shared: Arc<Lock<State<T>>>, next: u64) -> Self {
        let next = AtomicU64::new(next);
        Receiver { shared, next }
    }

    /// Makes another receiver of the same channel, that gets every message sent from now on.
    #[must_use]
    pub fn resubscribe(&self) -> Receiver<T> {
        subscribe(&self.shared)
    }

    /// Returns how many messages this receiver has not received, those that it has missed included.
    #[must_use]
    pub fn len(&self) -> usize {
        let state = self.shared.lock();
        let waiting = state.next - self.next.load(Ordering::Relaxed);
        usize::try_from(waiting).unwrap_or(usize::MAX)
    }

    /// Tells whether this receiver has received everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next message, and this receiver goes on to the one after.
    fn take(&self) -> Result<Arc<T>, Nothing<'_, T>> {
        let state = self.shared.lock();
        let (next, oldest) = (self.next.load(Ordering::Relaxed), state.oldest());
        if next < oldest {
            self.next.store(oldest, Ordering::Relaxed);
            return Err(Nothing::Lagged(oldest - next));
        }
        match state.message(next) {
            Some(message) => {
                self.next.store(next + 1, Ordering::Relaxed);
                Ok(message)
            }
            None if state.senders == 0 => Err(Nothing::Closed),
            None => Err(Nothing::Empty(state)),
        }
    }
}

/// A grant says that there is something new; whoever else waits was told too.
fn nothing_to_give_back<T>(_: &Lock<State<T>>, _: &Node) {}

impl<T: Clone> Receiver<T> {
    /// Receives the next message.
    ///
    /// Blocks while there is none. A cancellation while waiting is raised here, and no message is lost by it. On the root and on a plain OS thread the wait runs
    /// the event loop.
    ///
    /// # Errors
    /// When messages were missed, and when there is none and every sender is gone.
    ///
    /// # Examples
    /// ```
    /// use greenthread::channel::broadcast::{RecvError, broadcast};
    /// let (sender, receiver) = broadcast(2);
    /// (1..=3).for_each(|n| assert_eq!(sender.send(n), Ok(1)));
    /// assert_eq!(receiver.recv(), Err(RecvError::Lagged(1)));
    /// assert_eq!(receiver.recv(), Ok(2));
    /// ```
    pub fn recv(&self) -> Result<T, RecvError> {
        self.recv_until(&RECV, None).map_err(|error| match error {
            RecvTimeoutError::Lagged(missed) => RecvError::Lagged(missed),
            _ => RecvError::Closed,
        })
    }

    /// Receives the next message, if there is one. Does not block.
    ///
    /// # Errors
    /// When there is none, when messages were missed, and when every sender is gone.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        match self.take() {
            Ok(message) => Ok(Arc::unwrap_or_clone(message)),
            Err(Nothing::Empty(_)) => Err(TryRecvError::Empty),
            Err(Nothing::Closed) => Err(TryRecvError::Closed),
            Err(Nothing::Lagged(missed)) => Err(TryRecvError::Lagged(missed)),
        }
    }

    /// Receives the next message, waiting for it at most for `limit`.
    ///
    /// Blocks, is cancelled and behaves on the root as [`recv`](Self::recv) does.
    ///
    /// # Errors
    /// When `limit` passed first, when messages were missed, and when every sender is gone.
    pub fn recv_timeout(&self, limit: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_until(&RECV_TIMEOUT, Some(park::deadline_in(limit)))
    }

    fn recv_until(
        &self,
        operation: &'static Operation,
        deadline: Option<Deadline>,
    ) -> Result<T, RecvTimeoutError> {
        // One for all rounds: whoever shares this receiver may be quicker, and the place in line is kept (D8).
        let nothing = Grant::GiveBack(nothing_to_give_back);
        let waiter = Waiter::new(&*self.shared, operation, 0, nothing);
        loop {
            let state = match self.take() {
                Ok(message) => return Ok(Arc::unwrap_or_clone(message)),
                Err(Nothing::Closed) => return Err(RecvTimeoutError::Closed),
                Err(Nothing::Lagged(missed)) => return Err(RecvTimeoutError::Lagged(missed)),
                Err(Nothing::Empty(state)) => state,
            };
            let outcome = waiter.park(state, |state| &mut state.receiving, deadline);
            if outcome == Outcome::TimedOut {
                return Err(RecvTimeoutError::Timeout);
            }
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.lock().senders += 1;
        Sender {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.senders -= 1;
        let last = state.senders == 0;
        drop(state);
        if last {
            wake_all(&self.shared, |state| &mut state.receiving);
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.receivers -= 1;
        let last = state.receivers == 0;
        let left = if last {
            std::mem::take(&mut state.kept)
        } else {
            VecDeque::new()
        };
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

const CLOSED: &str = "receiving on a broadcast channel without senders";

fn lagged(f: &mut fmt::Formatter<'_>, missed: u64) -> fmt::Result {
    write!(f, "received too slowly: missed {missed} messages")
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            RecvError::Closed => f.write_str(CLOSED),
            RecvError::Lagged(missed) => lagged(f, missed),
        }
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            TryRecvError::Empty => f.write_str("receiving on an empty broadcast channel"),
            TryRecvError::Closed => f.write_str(CLOSED),
            TryRecvError::Lagged(missed) => lagged(f, missed),
        }
    }
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            RecvTimeoutError::Timeout => f.write_str("timed out waiting for a broadcast message"),
            RecvTimeoutError::Closed => f.write_str(CLOSED),
            RecvTimeoutError::Lagged(missed) => lagged(f, missed),
        }
    }
}

impl Error for RecvError {}

impl Error for TryRecvError {}

impl Error for RecvTimeoutError {}
