//! Spawning on an OS thread from any other.

#![expect(unsafe_code, reason = "makes handles for headers")]

use std::fmt;
use std::panic::Location;

use super::block::{self, Birth};
use super::join::JoinHandle;
use crate::base::biased::Biased;
use crate::sched::inbox::Home;
use crate::sched::peer::mail;
use crate::sched::scheduler::Scheduler;

/// The right to spawn on the OS thread that made it, from anywhere; what tokio calls a `Handle`.
///
/// # Examples
/// ```
/// let here = greenthread::Spawner::current();
/// let handle = std::thread::spawn(move || here.spawn(|| std::thread::current().id()));
/// let ran_on = handle.join().unwrap().join().unwrap();
/// assert_eq!(ran_on, std::thread::current().id());
/// ```
#[derive(Clone)]
pub struct Spawner(Biased<Home>);

impl Spawner {
    /// Makes one for the OS thread that calls.
    ///
    /// # Panics
    /// In a thread-local's destructor, when greenthread's own is gone already.
    #[must_use]
    pub fn current() -> Self {
        Spawner(Scheduler::get().home().clone())
    }

    /// Spawns a green thread on that OS thread. It runs when the root there next waits.
    ///
    /// Does not block. When that OS thread has gone, the closure is leaked unrun and the handle ends with
    /// [`JoinError::is_abandoned`](crate::JoinError::is_abandoned).
    #[track_caller]
    pub fn spawn<F, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        spawn_at_home(self.0.clone(), Location::caller(), f)
    }
}

/// Spawns on the OS thread with this inbox.
pub(crate) fn spawn_at_home<F, T>(
    home: Biased<Home>,
    site: &'static Location<'static>,
    f: F,
) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let birth = Birth {
        by: Scheduler::if_made(),
        home: Some(home),
        name: None,
        site,
        stack_size: 0,
    };
    // SAFETY: `'static` borrows nothing that ends.
    let (counted, handle) = unsafe { block::make(birth, f, ()) };
    match Scheduler::of(&counted) {
        Some(scheduler) => scheduler.take_in(counted),
        None => {
            if !counted.post(mail::START) {
                counted.leave_behind();
            }
        }
    }
    // SAFETY: `make` made it with this result type, and this is its one handle.
    unsafe { JoinHandle::new(handle) }
}

impl fmt::Debug for Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Spawner").field(&self.0.thread()).finish()
    }
}
