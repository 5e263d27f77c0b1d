//! Work that this crate itself has done by the blocking pool: what `fs` and `io` cannot do without blocking.
//!
//! | | what it borrows | a request while it is queued | a request while it runs |
//! |---|---|---|---|
//! | [`ask`] | nothing | takes it back, and is raised | is raised at once; the work is finished, and its result dropped |
//! | [`lend`] | what the caller lends | takes it back, and is raised | waits: the work is finished, its result returned, and the request raised at the next wait point (L16) |
//!
//! An [`Errand`] is the first of the two in its parts. All begin with a checkpoint, because they are going to park, and fail at once while a cancellation unwinds the caller (L10). On an OS thread of a pool they work in
//! place: it is there to be blocked, and a pool of one would wait for itself.

#![expect(
    unsafe_code,
    reason = "lends what is borrowed to an OS thread of the pool"
)]

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::crew;
use super::spawn::spawn_blocking;
use crate::sched::park;
use crate::sched::scheduler::Scheduler;
use crate::thread::caught::is_cancellation;
use crate::thread::join::{CancelOnDrop, JoinHandle};
use crate::thread::shield::shield;

/// Work without its lifetime.
type Work<T> = Box<dyn FnOnce() -> io::Result<T> + Send + 'static>;

/// Work that was begun and is asked for later, perhaps by somebody else: for what takes something away that a cancelled caller must leave to the next.
#[derive(Debug)]
pub(crate) enum Errand<T> {
    /// Done in place.
    Done(T),

    /// In the pool; taken back from its queue when nobody is going to ask any more.
    UnderWay(CancelOnDrop<T>),
}

impl<T: Send + 'static> Errand<T> {
    /// Hands `f` to the pool, for one who [may wait](may_wait) for it.
    pub(crate) fn begin(f: impl FnOnce() -> T + Send + 'static) -> Self {
        if crew::works_here() {
            Errand::Done(f())
        } else {
            Errand::UnderWay(spawn_blocking(f).cancel_on_drop())
        }
    }

    /// Waits until it is done; a request is raised and costs nothing of it.
    pub(crate) fn wait(&self) -> io::Result<()> {
        if let Errand::UnderWay(work) = self
            && !work.is_over()
        {
            may_wait()?;
            work.wait();
        }
        Ok(())
    }

    /// What came of it. One that is not waited for before may park.
    pub(crate) fn result(self) -> io::Result<T> {
        match self {
            Errand::Done(result) => Ok(result),
            Errand::UnderWay(work) => work.join().map_err(io::Error::from),
        }
    }
}

/// Has `f` done by the pool, and waits for it.
pub(crate) fn ask<T, F>(f: F) -> io::Result<T>
where
    F: FnOnce() -> io::Result<T> + Send + 'static,
    T: Send + 'static,
{
    if crew::works_here() {
        return f();
    }
    may_wait()?;
    finished(spawn_blocking(f).cancel_on_drop().join())
}

/// Has `f`, which may borrow, done by the pool, and waits for it; once begun nothing ends that wait.
pub(crate) fn lend<T, F>(f: F) -> io::Result<T>
where
    F: FnOnce() -> io::Result<T> + Send,
    T: Send + 'static,
{
    if crew::works_here() {
        return f();
    }
    may_wait()?;
    let work: Box<dyn FnOnce() -> io::Result<T> + Send + '_> = Box::new(f);
    // SAFETY: L16: `see_through` returns or unwinds only when the work has been run or dropped, so nothing that it borrows is used after this call.
    let work: Work<T> = unsafe { std::mem::transmute(work) };
    see_through(spawn_blocking(work))
}

/// As [`lend`], for work on bytes that it only reads. Where the OS thread may end while the pool has them, and with it a thread-local that they are borrowed from (A3 of
/// `thread::scope`), the pool works on a copy.
pub(crate) fn lend_bytes<T, F>(bytes: &[u8], f: F) -> io::Result<T>
where
    F: FnOnce(&[u8]) -> io::Result<T> + Send + 'static,
    T: Send + 'static,
{
    let scheduler = Scheduler::get();
    if crew::works_here() || scheduler.is_waited_for(scheduler.current_header()) {
        return lend(|| f(bytes));
    }
    let copy = bytes.to_vec();
    lend(move || f(&copy))
}

/// Waits for the end, whatever is raised meanwhile; work that has not begun is taken back by it.
fn see_through<T: Send + 'static>(work: JoinHandle<io::Result<T>>) -> io::Result<T> {
    let Err(raised) = catch_unwind(AssertUnwindSafe(|| work.wait())) else {
        return finished(work.join());
    };
    work.cancel();
    let end = AbortUnlessEnded;
    shield(|| work.wait());
    std::mem::forget(end);
    let result = work.join();
    let was_taken_back = result.as_ref().is_err_and(|error| error.is_cancelled());
    if was_taken_back || !is_cancellation(&*raised) {
        resume_unwind(raised);
    }
    // The request stays, for the next wait point (L9).
    drop(raised);
    finished(result)
}

/// Has the pool do what must be done, whatever is raised meanwhile, and in a destructor too.
pub(crate) fn see_to(work: impl FnOnce() + Send + 'static) {
    if crew::works_here() {
        return work();
    }
    // A panic is reported by who ran it; with no OS thread to be had it is not done.
    let _ = shield(|| spawn_blocking(work).join());
}

/// What was lent must not be used after its owner has gone on.
struct AbortUnlessEnded;

impl Drop for AbortUnlessEnded {
    fn drop(&mut self) {
        std::process::abort();
    }
}

fn finished<T>(result: Result<io::Result<T>, crate::JoinError>) -> io::Result<T> {
    result.map_err(io::Error::from).flatten()
}

/// Raises what is due in a caller who is going to wait for the pool; an error while a cancellation unwinds it (L10).
pub(crate) fn may_wait() -> io::Result<()> {
    if crew::works_here() {
        return Ok(());
    }
    let scheduler = Scheduler::get();
    if park::request_unwinds(scheduler.current_header()) {
        return Err(io::Error::other(
            "a cancellation unwinds this green thread: IO that would wait fails at once",
        ));
    }
    park::checkpoint(scheduler);
    Ok(())
}

#[cfg(test)]
#[path = "errand_tests.rs"]
mod tests;
