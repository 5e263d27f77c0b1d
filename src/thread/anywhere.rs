//! New green threads on whichever worker has time.
//!
//! What is made here has no home yet; who owns it until a worker begins it, and why nothing is lost, is in `sched::work`.

#![expect(unsafe_code, reason = "makes handles for headers")]

use std::io;
use std::panic::Location;
use std::sync::Arc;

use super::block::{self, After, Birth};
use super::join::JoinHandle;
use super::spawn::Builder;
use crate::sched::header::Counted;
use crate::sched::scheduler::Scheduler;
use crate::stack::pool;
use crate::workers::of_process;

/// Spawns a green thread on whichever worker has time; from its first run to its end it stays there.
///
/// Does not block. The workers are those of the [`Runtime`](crate::Runtime) whose `run` is under way on this OS thread, or that this OS thread is a worker of, if it
/// has some ([`workers`](crate::RuntimeBuilder::workers)), else the process's: as many as
/// [`available_parallelism`](std::thread::available_parallelism) says, or the variable `GREENTHREAD_WORKERS`, made at the first call: how many cores there are is asked then, and no more. Under virtual time, which is that of one OS
/// thread, it runs on this OS thread, and so it does where the system gives the process not even one worker.
///
/// The handle is the ordinary one. Until a worker begins it, what was spawned may still move: work that waits behind a busy worker goes to one that is idle. Its closure is run
/// on the worker that begins it, or, when it was cancelled before, dropped there unrun. A panic that nobody joins is told to the `on_panic` of the
/// runtime whose workers they are, else to stderr. On the root and on a plain OS thread all of this is the same.
///
/// # Panics
/// When `GREENTHREAD_WORKERS` is set to something else than a number of workers. In a thread-local's destructor, when greenthread's own is gone already.
///
/// # Examples
/// ```
/// let sums: Vec<_> = (0..4)
///     .map(|part| greenthread::spawn_anywhere(move || (part * 25..(part + 1) * 25).sum::<u32>()))
///     .collect();
/// let sum: u32 = sums.into_iter().map(|part| part.join().unwrap()).sum();
/// assert_eq!(sum, (0..100).sum());
/// ```
#[track_caller]
pub fn spawn_anywhere<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    expect_workers();
    let site = Location::caller();
    // SAFETY: `'static` borrows nothing that ends, and `Send` may be run elsewhere.
    unsafe { spawn_out((None, None), site, f, (), |_| ()) }
}

impl Builder {
    /// Spawns a green thread on whichever worker has time, as [`spawn_anywhere`] does.
    ///
    /// Unlike with [`spawn`](Self::spawn) its stack cannot be taken now: it is of the OS thread that will begin it, and taken there at the first run, where
    /// [`JoinError::is_refused`](crate::JoinError::is_refused) says that there was none. But one of this size is taken here and given back at once, so that a size that cannot be had
    /// and a limit that is reached already are errors now.
    ///
    /// # Errors
    /// `InvalidInput` when the name holds a NUL, the stack size is past the largest, or `GREENTHREAD_WORKERS` is set to something else than a number of workers; else
    /// what kept a stack from being had, naming the limit.
    #[track_caller]
    pub fn spawn_anywhere<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        check()?;
        let (name, size) = self.checked()?;
        drop(pool::take(size.unwrap_or(pool::DEFAULT_SIZE))?);
        let site = Location::caller();
        // SAFETY: `'static` borrows nothing that ends, and `Send` may be run elsewhere.
        Ok(unsafe { spawn_out((name, size), site, f, (), |_| ()) })
    }
}

/// Whether there are workers to spawn on, or it is known that this OS thread takes their place.
///
/// # Errors
/// When the user has asked for what cannot be.
fn check() -> io::Result<()> {
    let scheduler = Scheduler::get();
    if scheduler.has_work() || scheduler.clock().is_virtual() {
        return Ok(());
    }
    match of_process::work() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(error),
        // Without a worker this OS thread takes the place of all.
        _ => Ok(()),
    }
}

/// As [`check`], for who cannot return an error.
///
/// # Panics
/// With the error.
#[track_caller]
pub(super) fn expect_workers() {
    if let Err(error) = check() {
        panic!("spawn_anywhere: {error}");
    }
}

/// What to call it, and how many bytes of stack it is to have, if anything was said.
type Wishes = (Option<Arc<str>>, Option<usize>);

/// Spawns on whichever worker has time. `known` is called with the newborn before anybody can begin it.
///
/// # Safety
/// What `f`, `after` and the result borrow outlives the green thread's end, and the handle's; they may be used on another OS thread.
pub(super) unsafe fn spawn_out<F, T, A>(
    (name, stack_size): Wishes,
    site: &'static Location<'static>,
    f: F,
    after: A,
    known: impl FnOnce(&Counted),
) -> JoinHandle<T>
where
    F: FnOnce() -> T,
    A: After,
{
    let birth = Birth {
        by: Scheduler::if_made(),
        home: None,
        name,
        site,
        stack_size: stack_size.unwrap_or(0),
    };
    // SAFETY: the caller's duty.
    let (piece, handle) = unsafe { block::make(birth, f, after) };
    known(&piece);
    put(piece);
    // SAFETY: `make` made it with this result type, and this is its one handle.
    unsafe { JoinHandle::new(handle) }
}

/// Puts it where a worker finds it; or begins it here, where there is none.
fn put(piece: Counted) {
    let scheduler = Scheduler::get();
    if scheduler.clock().is_virtual() {
        return scheduler.begin_here(piece);
    }
    let Some(piece) = scheduler.put(piece) else {
        return;
    };
    match of_process::work() {
        Ok(work) => work.put(piece.into_held()),
        Err(_) => scheduler.begin_here(piece),
    }
}
