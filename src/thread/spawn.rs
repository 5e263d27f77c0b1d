//! New green threads.

#![expect(unsafe_code, reason = "makes handles for headers")]

use std::io;
use std::panic::Location;
use std::sync::Arc;

use super::block::{self, After, Birth};
use super::join::JoinHandle;
use crate::sched::scheduler::Scheduler;
use crate::stack::pool;

/// Spawns a green thread on this OS thread: it runs when the caller next waits or yields.
///
/// Does not block. The closure needs no `Send`: it never leaves this OS thread. It takes its stack when it first runs; if there is none then, it does
/// not run and its handle says so ([`JoinError::is_refused`](crate::JoinError::is_refused)).
///
/// # Panics
/// In a thread-local's destructor, when greenthread's own is gone already.
///
/// # Examples
/// ```
/// use std::{cell::Cell, rc::Rc};
/// let count = Rc::new(Cell::new(0));
/// let counter = Rc::clone(&count);
/// greenthread::spawn(move || counter.set(counter.get() + 1)).join().unwrap();
/// assert_eq!(count.get(), 1);
/// ```
#[inline]
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    // SAFETY: `'static` borrows nothing that ends.
    unsafe { spawn_here(None, Location::caller(), f, ()) }
}

/// As [`spawn`], at this place in the program.
pub(crate) fn spawn_at<F, T>(site: &'static Location<'static>, f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    // SAFETY: `'static` borrows nothing that ends.
    unsafe { spawn_here(None, site, f, ()) }
}

/// Spawns on this OS thread.
///
/// # Safety
/// What `f`, `after` and the result borrow outlives the green thread's end, and the handle's.
#[inline]
pub(super) unsafe fn spawn_here<F, T, A>(
    name: Option<Arc<str>>,
    site: &'static Location<'static>,
    f: F,
    after: A,
) -> JoinHandle<T>
where
    F: FnOnce() -> T,
    A: After,
{
    let scheduler = Scheduler::get();
    let birth = Birth {
        by: Some(scheduler),
        home: Some(scheduler.home().clone()),
        name,
        site,
        stack_size: scheduler.stack_size(),
    };
    // SAFETY: the caller's duty.
    let (counted, handle) = unsafe { block::make(birth, f, after) };
    scheduler.admit(counted);
    // SAFETY: `make` made it with this result type, and this is its one handle.
    unsafe { JoinHandle::new(handle) }
}

/// Settings for a green thread, as [`std::thread::Builder`].
///
/// Unlike [`spawn`], it takes the stack at once.
///
/// # Examples
/// ```
/// let handle = greenthread::Builder::new().name("adder".into()).spawn(|| 1 + 1).unwrap();
/// assert_eq!(handle.thread().name(), Some("adder"));
/// assert_eq!(handle.join().unwrap(), 2);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing before `spawn`"]
pub struct Builder {
    /// For reports, dumps and errors.
    name: Option<String>,

    /// Bytes.
    stack_size: Option<usize>,
}

impl Builder {
    /// Starts from the defaults: no name, 256 KiB of address space for the stack and its guard.
    pub fn new() -> Self {
        Builder::default()
    }

    /// Names the green thread, for reports and errors.
    pub fn name(mut self, name: String) -> Self {
        self.name = Some(name);
        self
    }

    /// Sets the size of its stack in bytes of address space. What is too small is rounded up.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// Spawns a green thread on this OS thread, as [`spawn`] does, with its stack taken now.
    ///
    /// # Errors
    /// `InvalidInput` when the name holds a NUL or the stack size is past the largest; else what kept the stack from being had, naming the limit.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + 'static,
        T: 'static,
    {
        let scheduler = Scheduler::get();
        let size = self.stack_size.unwrap_or(scheduler.stack_size());
        let name = self.checked_name()?;
        let stack = pool::take(size)?;
        // SAFETY: `'static` borrows nothing that ends.
        let handle = unsafe { spawn_here(name, Location::caller(), f, ()) };
        scheduler.place(&**handle.thread().header(), stack);
        Ok(handle)
    }

    /// What was set, checked: the name, and the stack size in bytes.
    pub(super) fn checked(self) -> io::Result<(Option<Arc<str>>, Option<usize>)> {
        let size = self.stack_size;
        Ok((self.checked_name()?, size))
    }

    fn checked_name(self) -> io::Result<Option<Arc<str>>> {
        let Some(name) = self.name else {
            return Ok(None);
        };
        if let Some(place) = name.find('\0') {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("the name {name:?} has a NUL at byte {place}"),
            ));
        }
        Ok(Some(name.into()))
    }
}
