//! Blocking work on the pool that everybody shares.

use std::cell::RefCell;
use std::panic::Location;
use std::sync::{Arc, OnceLock};

use super::crew::{Crew, Terms};
use super::pool::IDLE;
use crate::thread::join::JoinHandle;

/// The most OS threads of the process's crew.
const MOST: usize = 512;

/// The crew of those who are in no runtime that has one.
static OF_PROCESS: OnceLock<Arc<Crew>> = OnceLock::new();

thread_local! {
    /// The crew of the runtime that is under way on this OS thread, if it has one.
    static OF_RUNTIME: RefCell<Option<Arc<Crew>>> = const { RefCell::new(None) };
}

/// Runs `f` on an OS thread of the blocking pool, so that it may block without holding a green thread up.
///
/// Does not block. The pool is that of the [`Runtime`](crate::Runtime) on this OS thread if it says how large its pool is
/// ([`blocking_threads`](crate::RuntimeBuilder::blocking_threads)), else the process's: at most 512 OS threads, each of which goes after 10 s without work.
///
/// The handle is the ordinary one. [`cancel`](JoinHandle::cancel) before the job begins removes it: its closure is dropped on a green thread of this OS thread,
/// or by the pool when this OS thread has gone. Once it has begun, `cancel` is false and the job runs to its end; when nobody joins, its result is dropped
/// there. Callbacks run on the pool's OS thread, those that are added late on this one. While a job runs, virtual time does not jump, and silence is no
/// deadlock. At the end of the process, jobs that run are cut off; `run` does not wait for them, dropping a `Runtime` with a pool does.
///
/// When the system gives the pool not even one OS thread, the closure is dropped and the handle says so
/// ([`JoinError::is_refused`](crate::JoinError::is_refused)).
///
/// # Panics
/// In a thread-local's destructor, when greenthread's own is gone already.
///
/// # Examples
/// ```
/// let text = greenthread::spawn_blocking(|| std::fs::read_to_string("Cargo.toml"));
/// assert!(text.join().unwrap().unwrap().contains("greenthread"));
/// ```
#[track_caller]
pub fn spawn_blocking<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    crew().spawn(Location::caller(), f)
}

/// Who does the blocking jobs of this OS thread.
pub(crate) fn crew() -> Arc<Crew> {
    of_runtime().unwrap_or_else(|| Arc::clone(OF_PROCESS.get_or_init(of_process)))
}

/// The same, if it was made.
pub(crate) fn crew_if_made() -> Option<Arc<Crew>> {
    of_runtime().or_else(|| OF_PROCESS.get().cloned())
}

fn of_runtime() -> Option<Arc<Crew>> {
    let of_runtime = OF_RUNTIME.try_with(|crew| crew.borrow().clone());
    of_runtime.ok().flatten()
}

fn of_process() -> Arc<Crew> {
    Crew::new(default_terms())
}

/// The terms of a crew that nobody has said anything about.
pub(crate) fn default_terms() -> Terms {
    Terms {
        name: String::from("greenthread-blocking"),
        most: MOST,
        idle: IDLE,
    }
}

/// Puts a runtime's crew in force on this OS thread; what was in force before comes back.
pub(crate) fn put_in_force(crew: Option<Arc<Crew>>) -> Option<Arc<Crew>> {
    OF_RUNTIME.replace(crew)
}
