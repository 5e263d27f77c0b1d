//! A handle that several may join.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::current::GreenThread;
use super::join::{JoinHandle, wait_over};
use super::join_error::JoinError;

/// The right of several to a clone of a green thread's result; see [`JoinHandle::shared`].
///
/// # Examples
/// ```
/// let word = greenthread::spawn(|| String::from("once")).shared();
/// let other = word.clone();
/// assert_eq!((word.join().unwrap(), other.join().unwrap()), ("once".into(), "once".into()));
/// ```
pub struct SharedHandle<T>(Arc<Shared<T>>);

/// What the clones share.
struct Shared<T> {
    /// The green thread.
    thread: GreenThread,

    /// The right to the result, until the first joiner has taken it.
    handle: Mutex<Option<JoinHandle<T>>>,

    /// The result, once it was taken.
    result: OnceLock<Result<T, Arc<JoinError>>>,
}

impl<T> JoinHandle<T> {
    /// Makes a handle that several may join, each getting a clone of the result.
    pub fn shared(self) -> SharedHandle<T> {
        SharedHandle::new(self)
    }
}

impl<T> SharedHandle<T> {
    pub(super) fn new(handle: JoinHandle<T>) -> Self {
        SharedHandle(Arc::new(Shared {
            thread: handle.thread().clone(),
            handle: Mutex::new(Some(handle)),
            result: OnceLock::new(),
        }))
    }

    /// Waits for the end and returns a clone of the result.
    ///
    /// Blocks until the green thread has ended. A cancellation while waiting is raised here and leaves the green thread running. On the root and on a plain
    /// OS thread the wait runs the event loop.
    ///
    /// # Errors
    /// As [`JoinHandle::join`]; every joiner gets the same error.
    ///
    /// # Panics
    /// When a green thread joins itself.
    #[track_caller]
    pub fn join(&self) -> Result<T, Arc<JoinError>>
    where
        T: Clone,
    {
        wait_over(self.0.thread.header(), None);
        self.0.result.get_or_init(|| self.take()).clone()
    }

    /// It is over, so `join` does not wait any more; called once, inside the cell's initialisation.
    fn take(&self) -> Result<T, Arc<JoinError>> {
        let handle = self.0.handle.lock();
        let handle = handle.unwrap_or_else(PoisonError::into_inner).take();
        handle.expect("taken here alone").join().map_err(Arc::new)
    }

    /// Tells whether the result stands, or never will.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.0.thread.is_finished()
    }

    /// Returns the green thread that this is a handle of.
    #[must_use]
    pub fn thread(&self) -> &GreenThread {
        &self.0.thread
    }

    /// Asks the green thread to end. False when it has ended already.
    pub fn cancel(&self) -> bool {
        self.0.thread.cancel()
    }

    /// As [`cancel`](Self::cancel), with a reason that [`JoinError::reason`] shows. The first reason wins.
    pub fn cancel_with(&self, reason: impl Into<Box<dyn Error + Send + Sync>>) -> bool {
        self.0.thread.cancel_with(reason)
    }
}

impl<T> Clone for SharedHandle<T> {
    fn clone(&self) -> Self {
        SharedHandle(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for SharedHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedHandle")
            .field("thread", &self.0.thread)
            .finish_non_exhaustive()
    }
}
