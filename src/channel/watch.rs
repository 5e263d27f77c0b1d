//! The newest value, for every receiver to look at and to wait for.
//!
//! Values are held by counted pointers: who borrows one holds no lock, keeps nobody from sending, and sees the value as it was when borrowed. Method names and
//! meanings are tokio's.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::base::error::Elapsed;
use crate::base::lock::Lock;
use crate::sched::clock::Deadline;
use crate::sched::list::{Node, WaitList, wake_all};
use crate::sched::park::{self, Grant, Outcome, Waiter};
use crate::sched::wait::Operation;
use crate::sync::Mutex;

pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError};

static CHANGED: Operation = Operation::new("watch::Receiver::changed");

static CHANGED_TIMEOUT: Operation = Operation::new("watch::Receiver::changed_timeout");

static CLOSED: Operation = Operation::new("watch::Sender::closed");

static CLOSED_TIMEOUT: Operation = Operation::new("watch::Sender::closed_timeout");

/// Makes a channel that holds one value: first `value`, which its receiver counts as seen.
///
/// # Examples
/// ```
/// let (sender, receiver) = greenthread::channel::watch("starting");
/// greenthread::spawn(move || sender.send("running").unwrap());
/// receiver.changed().unwrap();
/// assert_eq!(receiver.get(), "running");
/// ```
#[must_use]
pub fn watch<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        state: Lock::new(State {
            value: Arc::new(value),
            version: 0,
            senders: 1,
            receivers: 1,
            changed: WaitList::new(),
            closed: WaitList::new(),
        }),
        writing: Mutex::new(()),
    });
    let sender = Sender {
        shared: Arc::clone(&shared),
    };
    (sender, Receiver::of(shared, 0))
}

/// Shared by all ends.
struct Shared<T> {
    /// The value, and who waits.
    state: Lock<State<T>>,

    /// Held while the next value is made from the present one.
    writing: Mutex<()>,
}

/// Under the lock.
struct State<T> {
    /// The newest.
    value: Arc<T>,

    /// How often it has changed.
    version: u64,

    /// How many senders there are.
    senders: usize,

    /// How many receivers there are.
    receivers: usize,

    /// Wait for a change.
    changed: WaitList,

    /// Wait for the end of the last receiver.
    closed: WaitList,
}

impl<T> Shared<T> {
    /// The newest value and its version.
    fn newest(&self) -> (Arc<T>, u64) {
        let state = self.state.lock();
        (Arc::clone(&state.value), state.version)
    }

    /// Puts `value` in the place of the present one, and tells everybody.
    fn replace(&self, value: Arc<T>) -> Arc<T> {
        let mut state = self.state.lock();
        let before = std::mem::replace(&mut state.value, value);
        state.version += 1;
        drop(state);
        wake_all(&self.state, |state| &mut state.changed);
        before
    }
}

/// Changes the value. Its clones change the same; when the last one is dropped, receivers are told.
///
/// It may be shared between OS threads when the values may.
pub struct Sender<T> {
    /// The channel.
    shared: Arc<Shared<T>>,
}

/// Looks at the value and waits until it changes. A clone has seen what the original has seen.
///
/// It may be shared between OS threads when the values may.
pub struct Receiver<T> {
    /// The channel.
    shared: Arc<Shared<T>>,

    /// The newest version that was seen; changed under the lock.
    seen: AtomicU64,
}

/// The value as it was when borrowed; holds no lock.
#[derive(Clone, Debug)]
pub struct Ref<T>(Arc<T>);

impl<T> Deref for Ref<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Sender<T> {
    /// Sends a new value, for every receiver to see.
    ///
    /// Blocks while another sender is inside of [`send_modify`](Self::send_modify). A cancellation while waiting is raised here. On the root and on a plain OS
    /// thread the wait runs the event loop.
    ///
    /// # Errors
    /// With the value, when there is no receiver.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.is_closed() {
            return Err(SendError(value));
        }
        drop(self.exchange(value));
        Ok(())
    }

    /// Sends a new value even if there is no receiver, and returns the one before.
    ///
    /// Blocks, is cancelled and behaves on the root as [`send`](Self::send) does.
    pub fn send_replace(&self, value: T) -> T
    where
        T: Clone,
    {
        Arc::unwrap_or_clone(self.exchange(value))
    }

    fn exchange(&self, value: T) -> Arc<T> {
        let _writing = self.shared.writing.lock();
        self.shared.replace(Arc::new(value))
    }

    /// Sends a changed copy of the value, even if there is no receiver.
    ///
    /// Blocks, is cancelled and behaves on the root as [`send`](Self::send) does. When `change` panics nothing is sent.
    pub fn send_modify(&self, change: impl FnOnce(&mut T))
    where
        T: Clone,
    {
        self.send_if_modified(|value| {
            change(value);
            true
        });
    }

    /// Sends a changed copy of the value if `change` says that it has changed it, and returns that.
    ///
    /// Blocks, is cancelled and behaves on the root as [`send`](Self::send) does. When `change` panics nothing is sent.
    pub fn send_if_modified(&self, change: impl FnOnce(&mut T) -> bool) -> bool
    where
        T: Clone,
    {
        let writing = self.shared.writing.lock();
        let mut value = T::clone(&*self.borrow());
        let changed = change(&mut value);
        let before = changed.then(|| self.shared.replace(Arc::new(value)));
        // L6: what is dropped may send.
        drop(writing);
        drop(before);
        changed
    }

    /// Returns the value as it is now.
    #[must_use]
    pub fn borrow(&self) -> Ref<T> {
        Ref(self.shared.newest().0)
    }

    /// Makes a receiver that has seen the value as it is now.
    #[must_use]
    pub fn subscribe(&self) -> Receiver<T> {
        let mut state = self.shared.state.lock();
        state.receivers += 1;
        let version = state.version;
        drop(state);
        Receiver::of(Arc::clone(&self.shared), version)
    }

    /// Waits until there is no receiver.
    ///
    /// Blocks while there is one. A cancellation while waiting is raised here. On the root and on a plain OS thread the wait runs the event loop.
    pub fn closed(&self) {
        let _ = self.closed_until(&CLOSED, None);
    }

    /// Waits until there is no receiver, at most for `limit`.
    ///
    /// Blocks, is cancelled and behaves on the root as [`closed`](Self::closed) does.
    ///
    /// # Errors
    /// [`Elapsed`] when `limit` passed first.
    pub fn closed_timeout(&self, limit: Duration) -> Result<(), Elapsed> {
        self.closed_until(&CLOSED_TIMEOUT, Some(park::deadline_in(limit)))
    }

    fn closed_until(
        &self,
        operation: &'static Operation,
        deadline: Option<Deadline>,
    ) -> Result<(), Elapsed> {
        let waiter = waiter(&self.shared, operation);
        loop {
            let state = self.shared.state.lock();
            if state.receivers == 0 {
                return Ok(());
            }
            let outcome = waiter.park(state, closed, deadline);
            if outcome == Outcome::TimedOut {
                return Err(Elapsed);
            }
        }
    }

    /// Tells whether there is no receiver.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
    }

    /// Returns how many receivers there are.
    #[must_use]
    pub fn receiver_count(&self) -> usize {
        self.shared.state.lock().receivers
    }
}

fn closed<T>(state: &mut State<T>) -> &mut WaitList {
    &mut state.closed
}

fn changed<T>(state: &mut State<T>) -> &mut WaitList {
    &mut state.changed
}

/// For all rounds of a wait: one who was woken in vain keeps its place (D8).
fn waiter<'a, T>(shared: &'a Shared<T>, operation: &'static Operation) -> Waiter<'a, State<T>> {
    let nothing = Grant::GiveBack(nothing_to_give_back);
    Waiter::new(&shared.state, operation, 0, nothing)
}

/// A grant says that something has changed; whoever else waits was told too.
fn nothing_to_give_back<T>(_: &Lock<State<T>>, _: &Node) {}

impl<T> Receiver<T> {
    /// The caller has counted it.
    fn of(shared: Arc<Shared<T>>, seen: u64) -> Self {
        let seen = AtomicU64::new(seen);
        Receiver { shared, seen }
    }

    /// Returns the value as it is now, without counting it as seen.
    #[must_use]
    pub fn borrow(&self) -> Ref<T> {
        Ref(self.shared.newest().0)
    }

    /// Returns the value as it is now, and counts it as seen.
    #[must_use]
    pub fn borrow_and_update(&self) -> Ref<T> {
        let (value, version) = self.shared.newest();
        self.seen.fetch_max(version, Ordering::Relaxed);
        Ref(value)
    }

    /// Returns a copy of the value as it is now, without counting it as seen.
    #[must_use]
    pub fn get(&self) -> T
    where
        T: Clone,
    {
        T::clone(&*self.borrow())
    }

    /// Tells whether there is a value that was not seen.
    ///
    /// # Errors
    /// When there is none and every sender is gone.
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        let state = self.shared.state.lock();
        let changed = state.version > self.seen.load(Ordering::Relaxed);
        if !changed && state.senders == 0 {
            return Err(RecvError);
        }
        Ok(changed)
    }

    /// Waits until there is a value that was not seen, and counts it as seen.
    ///
    /// Blocks while there is none. A cancellation while waiting is raised here, and no change goes unseen by it. On the root and on a plain OS thread the wait runs the
    /// event loop.
    ///
    /// # Errors
    /// When there is none and every sender is gone.
    pub fn changed(&self) -> Result<(), RecvError> {
        self.changed_until(&CHANGED, None).map_err(|_| RecvError)
    }

    /// Waits until there is a value that was not seen, at most for `limit`, and counts it as seen.
    ///
    /// Blocks, is cancelled and behaves on the root as [`changed`](Self::changed) does.
    ///
    /// # Errors
    /// When `limit` passed first, or there is none and every sender is gone.
    pub fn changed_timeout(&self, limit: Duration) -> Result<(), RecvTimeoutError> {
        self.changed_until(&CHANGED_TIMEOUT, Some(park::deadline_in(limit)))
    }

    /// Waits until the value is one for which `wanted` is true, and counts it as seen; the present one may be it.
    ///
    /// Blocks, is cancelled and behaves on the root as [`changed`](Self::changed) does.
    ///
    /// # Errors
    /// When the last value is not one and every sender is gone.
    pub fn wait_for(&self, mut wanted: impl FnMut(&T) -> bool) -> Result<Ref<T>, RecvError> {
        loop {
            let value = self.borrow_and_update();
            if wanted(&value) {
                return Ok(value);
            }
            self.changed()?;
        }
    }

    fn changed_until(
        &self,
        operation: &'static Operation,
        deadline: Option<Deadline>,
    ) -> Result<(), RecvTimeoutError> {
        let waiter = waiter(&self.shared, operation);
        loop {
            let state = self.shared.state.lock();
            if state.version > self.seen.load(Ordering::Relaxed) {
                self.seen.store(state.version, Ordering::Relaxed);
                return Ok(());
            }
            if state.senders == 0 {
                return Err(RecvTimeoutError::Disconnected);
            }
            let outcome = waiter.park(state, changed, deadline);
            if outcome == Outcome::TimedOut {
                return Err(RecvTimeoutError::Timeout);
            }
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.state.lock().senders += 1;
        Sender {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.senders -= 1;
        let last = state.senders == 0;
        drop(state);
        if last {
            wake_all(&self.shared.state, changed);
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.state.lock().receivers += 1;
        Receiver::of(Arc::clone(&self.shared), self.seen.load(Ordering::Relaxed))
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.receivers -= 1;
        let last = state.receivers == 0;
        drop(state);
        if last {
            wake_all(&self.shared.state, closed);
        }
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
