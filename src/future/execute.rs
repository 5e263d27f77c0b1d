//! Futures as green threads of their own.

use std::future::Future;

use super::block_on;
use crate::thread::join::JoinHandle;
use crate::thread::spawn::spawn;

/// Runs futures as green threads of this OS thread: an executor, for libraries that want one.
///
/// With the feature `hyper` it is a `hyper::rt::Executor`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Executor;

impl Executor {
    /// Spawns a green thread that runs `future` to its end. Neither it nor its output needs `Send`.
    ///
    /// Does not block. The future is first polled when the caller next waits or yields.
    ///
    /// # Examples
    /// ```
    /// use greenthread::future::Executor;
    /// let answer = Executor.spawn(async { 42 });
    /// assert_eq!(answer.join().unwrap(), 42);
    /// ```
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        spawn(move || block_on(future))
    }
}
