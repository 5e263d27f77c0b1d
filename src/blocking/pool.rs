//! A pool of OS threads of a program's own.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::crew::{Crew, Terms};
use crate::thread::join::JoinHandle;

/// How long an OS thread that has nothing to do stays, unless said otherwise.
pub(super) const IDLE: Duration = Duration::from_secs(10);

/// OS threads of its own for blocking work, at most as many as it was made with.
///
/// They are started when there is work for them, and go after 10 s without. Dropping the pool waits until all its jobs are done, those that have not begun
/// included; that wait cannot be cancelled, and on the root and on a plain OS thread it runs the event loop. A pool that is dropped by one of its own jobs does not wait.
///
/// # Examples
/// ```
/// let pool = greenthread::blocking::Pool::new(2).name("hash");
/// let job = pool.spawn(|| std::thread::current().name().map(str::to_owned));
/// assert_eq!(job.join().unwrap().as_deref(), Some("hash-1"));
/// ```
#[derive(Debug)]
#[must_use = "dropping it waits for its jobs"]
pub struct Pool(Arc<Crew>);

impl Pool {
    /// Makes a pool of at most `max` OS threads; none is started yet.
    ///
    /// # Panics
    /// When `max` is 0.
    pub fn new(max: usize) -> Self {
        assert!(
            max > 0,
            "blocking::Pool::new(0): a pool needs at least 1 OS thread"
        );
        Pool::with_terms(Terms {
            name: String::from("blocking"),
            most: max,
            idle: IDLE,
        })
    }

    /// Names its OS threads: this, a hyphen and a number.
    ///
    /// # Panics
    /// When the name holds a NUL.
    pub fn name(self, name: impl Into<String>) -> Self {
        let name = name.into();
        assert!(
            !name.contains('\0'),
            "blocking::Pool::name: {name:?} has a NUL"
        );
        let terms = self.0.terms().clone();
        Pool::with_terms(Terms { name, ..terms })
    }

    pub(crate) fn with_terms(terms: Terms) -> Self {
        Pool(Crew::new(terms))
    }

    pub(crate) fn crew(&self) -> &Arc<Crew> {
        &self.0
    }

    /// Runs `f` on an OS thread of this pool; see [`spawn_blocking`](crate::spawn_blocking) for what its handle does.
    #[track_caller]
    pub fn spawn<F, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.0.spawn(Location::caller(), f)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.0.close();
    }
}
