//! Handles: the right to a green thread's result.

#![expect(unsafe_code, reason = "takes the typed result from behind a header")]

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use super::callbacks::{self, CallbackId};
use super::current::GreenThread;
use super::join_error::JoinError;
use super::outcome::Outcome;
use super::report;
use crate::sched::clock::Deadline;
use crate::sched::finish::Finish;
use crate::sched::header::{Counted, Header, state};
use crate::sched::park::{self, Grant, Outcome as WaitOutcome, Waiter};
use crate::sched::peer::Peer;
use crate::sched::request::Reason;
use crate::sched::scheduler::Scheduler;
use crate::sched::tally::{Tally, Watcher};
use crate::sched::wait::Operation;

static JOIN: Operation = Operation::joining("JoinHandle::join");

/// The right to a green thread's result.
///
/// Dropping it detaches the green thread: it runs on, and its result is dropped at its end. It is one pointer wide.
///
/// # Examples
/// ```
/// let sum = greenthread::spawn(|| (1..=10).sum::<i32>());
/// assert_eq!(sum.join().unwrap(), 55);
/// ```
pub struct JoinHandle<T> {
    /// The green thread; a `GreenThread` so that `thread` can lend it.
    thread: GreenThread,

    /// What it gives.
    result: PhantomData<fn() -> T>,
}

// SAFETY: B2 of `outcome`: the result is moved to whoever joins, or dropped by whoever drops the handle, so `T: Send` is what that takes.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: through `&JoinHandle` callbacks may be added that see `&T` elsewhere.
unsafe impl<T: Send + Sync> Sync for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// # Safety
    /// The header is of a green thread with this result type, and no other handle of it exists.
    #[inline]
    pub(super) unsafe fn new(header: Counted) -> Self {
        JoinHandle {
            thread: GreenThread::new(header),
            result: PhantomData,
        }
    }

    #[inline]
    fn header(&self) -> &Counted {
        self.thread.header()
    }

    /// Has its end told to `tally` under the number `place`; at once, when it is over. Replaces an earlier watch.
    ///
    /// # Panics
    /// When a green thread would wait for itself.
    pub(crate) fn watch(&self, tally: &Arc<Tally>, place: usize) {
        let header = self.header();
        if let Some(scheduler) = Scheduler::if_made() {
            refuse_self(scheduler, header);
        }
        let mut finish = header.finish().lock();
        if header.is_over() {
            drop(finish);
            return tally.note(place);
        }
        let replaced = finish.watch(Watcher::new(tally, place));
        drop(finish);
        drop(replaced);
    }

    /// Tells whether `join` would return at once: the callbacks have ended too.
    pub(crate) fn is_over(&self) -> bool {
        self.header().is_over()
    }

    /// Waits for the end and leaves the result where it is; a request is raised here and costs nothing of it.
    pub(crate) fn wait(&self) {
        wait_over(self.header(), None);
    }

    /// Looks at the result of one that is over; none before. `&mut`, so that nobody can add a callback that looks at it elsewhere meanwhile.
    pub(crate) fn look<R>(&mut self, f: impl FnOnce(&Result<T, JoinError>) -> R) -> Option<R> {
        let header = self.header();
        match header.state() {
            state::OVER => {
                // SAFETY: the header is of a green thread with this result type (`new`).
                let outcome = unsafe { Outcome::<T>::of(header) };
                // SAFETY: B2 of `outcome`: it is over, so the result belongs to this handle, which is borrowed as the only one.
                Some(f(unsafe { outcome.peek() }))
            }
            state::ABANDONED => Some(f(&Err(JoinError::abandoned(header)))),
            _ => None,
        }
    }

    /// As [`cancel_with`](Self::cancel_with), with a reason that several share.
    pub(crate) fn cancel_for(&self, reason: Option<Reason>) -> bool {
        self.thread.ask(reason)
    }

    /// Waits for the end and returns the result.
    ///
    /// Blocks until the green thread and its callbacks have ended. A cancellation while waiting is raised here and leaves the green thread running,
    /// detached. On the root and on a plain OS thread the wait runs the event loop.
    ///
    /// # Errors
    /// [`JoinError`] when it panicked, was cancelled, found no stack, or its OS thread ended first.
    ///
    /// # Panics
    /// When a green thread joins itself.
    #[inline(always)]
    #[track_caller]
    pub fn join(self) -> Result<T, JoinError> {
        if !self.header().is_over() {
            Lent::until_over(self.header());
        }
        // SAFETY: it is over, and the handle is consumed.
        unsafe { self.take() }
    }

    /// Waits for the end at most `limit`, which is handed back as the handle when it passes.
    ///
    /// Blocks, is cancelled and behaves on the root as [`join`](Self::join) does.
    ///
    /// # Errors
    /// The handle itself, when `limit` passed first.
    ///
    /// # Panics
    /// When a green thread joins itself.
    #[track_caller]
    pub fn join_timeout(self, limit: Duration) -> Result<Result<T, JoinError>, Self> {
        if wait_over(self.header(), Some(park::deadline_in(limit))) {
            // SAFETY: it is over, and the handle is consumed.
            Ok(unsafe { self.take() })
        } else {
            Err(self)
        }
    }

    /// Takes the result of one that is over.
    ///
    /// # Safety
    /// `Finish` is over, so the result belongs to this handle (B2 of `outcome`).
    unsafe fn take(self) -> Result<T, JoinError> {
        let this = mem::ManuallyDrop::new(self);
        let header = this.header();
        let result = if header.state() == state::ABANDONED {
            Err(JoinError::abandoned(header))
        } else {
            // SAFETY: `new` was told the result type.
            let outcome = unsafe { Outcome::<T>::of(header) };
            // SAFETY: the caller's duty.
            unsafe { outcome.take() }
        };
        // SAFETY: `this` is not dropped, so its reference is given up here, once.
        drop(unsafe { std::ptr::read(&this.thread) });
        result
    }

    /// Tells whether its result stands, or never will. Callbacks may still run.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.header().has_ended()
    }

    /// Returns the green thread that this is the handle of.
    #[must_use]
    pub fn thread(&self) -> &GreenThread {
        &self.thread
    }

    /// Asks the green thread to end: its current or next wait point raises, and one that has not begun never runs. False when it has ended already.
    ///
    /// Does not block and does not wait for the end; [`join`](Self::join) does.
    pub fn cancel(&self) -> bool {
        self.thread.cancel()
    }

    /// As [`cancel`](Self::cancel), with a reason that [`JoinError::reason`] shows. The first reason wins.
    pub fn cancel_with(&self, reason: impl Into<Box<dyn Error + Send + Sync>>) -> bool {
        self.thread.cancel_with(reason)
    }

    /// Has `f` called with the result when the green thread ends, before any joiner goes on.
    ///
    /// Callbacks run in the order in which they were added, on a green thread of its OS thread, shielded from cancellation. One that is added after the end
    /// runs at the next turn, and `join` waits for it. One that panics is reported and stops no other.
    pub fn on_finish<F>(&self, f: F) -> CallbackId
    where
        F: FnOnce(&Result<T, JoinError>) + Send + 'static,
        T: 'static,
    {
        let callback = move |peer: &Peer| {
            // SAFETY: the peer of a green thread, alive while its callbacks run.
            let header = unsafe { Header::of(peer) };
            // SAFETY: `new` was told the result type.
            let outcome = unsafe { Outcome::<T>::of(header) };
            // SAFETY: B2 of `outcome`: callbacks run after the result was written and before it is over.
            f(unsafe { outcome.peek() });
        };
        callbacks::add(self.header(), Box::new(callback))
    }

    /// Takes a callback back. False when it was called already, or belongs to another handle.
    pub fn remove_on_finish(&self, id: CallbackId) -> bool {
        callbacks::remove(self.header(), id)
    }

    /// Makes a handle that cancels the green thread when dropped.
    pub fn cancel_on_drop(self) -> CancelOnDrop<T> {
        CancelOnDrop(Some(self))
    }
}

/// Waits until the header's end is over; false when the deadline came first.
///
/// # Panics
/// When the running green thread waits for itself.
#[track_caller]
pub(crate) fn wait_over(header: &Header, deadline: Option<Deadline>) -> bool {
    header.is_over() || park_until_over(Scheduler::get(), header, deadline)
}

/// The same for one that was not over a moment ago.
///
/// Inlined as far as `join`, like every door (D3). Somebody is woken in vain only when a callback was added late: the rounds for that stand apart.
#[inline(always)]
#[track_caller]
fn park_until_over(
    scheduler: &'static Scheduler,
    header: &Header,
    deadline: Option<Deadline>,
) -> bool {
    refuse_self(scheduler, header);
    let held = header.finish().lock();
    if header.is_over() {
        return true;
    }
    let number = header.id() as usize;
    let waiter = Waiter::on(scheduler, header.finish(), &JOIN, number, Grant::Keep);
    if waiter.park(held, |finish| finish.waiters(), deadline) == WaitOutcome::TimedOut {
        return false;
    }
    header.is_over() || park_again(header, &waiter, deadline)
}

/// All further rounds.
#[cold]
#[inline(never)]
fn park_again<'a>(
    header: &'a Header,
    waiter: &Waiter<'a, Finish>,
    deadline: Option<Deadline>,
) -> bool {
    while !header.is_over() {
        let held = header.finish().lock();
        if header.is_over() {
            break;
        }
        if waiter.park(held, |finish| finish.waiters(), deadline) == WaitOutcome::TimedOut {
            return false;
        }
    }
    true
}

#[inline(always)]
#[track_caller]
fn refuse_self(scheduler: &Scheduler, header: &Header) {
    if scheduler.is_awaited_by(header) {
        awaits_itself(header);
    }
}

#[cold]
#[track_caller]
fn awaits_itself(header: &Header) -> ! {
    panic!(
        "green thread {} (\"{}\") would wait for itself for ever: join on oneself",
        header.id(),
        header.name().unwrap_or("unnamed"),
    );
}

/// While it lives, whoever has the handle of this green thread to itself is parked on the green thread's own OS thread, and leaves the handle's reference alone: then the
/// loop gives up its own without an atomic operation (H5 of `header`).
struct Lent<'a>(Option<&'a Header>);

impl<'a> Lent<'a> {
    /// Waits until its end is over, for `join`, which has the handle to itself.
    #[inline(always)]
    #[track_caller]
    fn until_over(header: &'a Header) {
        let scheduler = Scheduler::get();
        let lent = Lent::begin(scheduler, header);
        park_until_over(scheduler, header, None);
        drop(lent);
    }

    #[inline(always)]
    fn begin(scheduler: &Scheduler, header: &'a Header) -> Self {
        let here = scheduler.is_home_of(header);
        if here {
            // SAFETY: it belongs to this OS thread.
            unsafe { header.is_lent() }.set(true);
        }
        Lent(here.then_some(header))
    }
}

impl Drop for Lent<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(header) = self.0 {
            // SAFETY: as in `begin`.
            unsafe { header.is_lent() }.set(false);
        }
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        let header = self.thread.header();
        let ours = header.finish().lock().detach();
        if ours && header.state() != state::ABANDONED {
            // SAFETY: `new` was told the result type.
            let outcome = unsafe { Outcome::<T>::of(header) };
            // SAFETY: B2 of `outcome`: it is over, and this was the one handle.
            let result = unsafe { outcome.take() };
            report::unjoined(header, &result);
            drop(result);
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.header().state() {
            state::UNSTARTED => "unstarted",
            state::STARTED => "started",
            state::ENDED | state::OVER => "ended",
            _ => "abandoned",
        };
        f.debug_struct("JoinHandle")
            .field("id", &self.thread.id())
            .field("name", &self.thread.name())
            .field("state", &state)
            .finish()
    }
}

/// A handle that cancels its green thread when dropped; see [`JoinHandle::cancel_on_drop`].
#[derive(Debug)]
#[must_use = "dropping it cancels the green thread"]
pub struct CancelOnDrop<T>(Option<JoinHandle<T>>);

impl<T> CancelOnDrop<T> {
    /// Gives the plain handle back: dropping that detaches.
    pub fn into_inner(mut self) -> JoinHandle<T> {
        self.0.take().expect("taken by `into_inner` alone")
    }

    /// As [`JoinHandle::join`]; a cancellation while waiting cancels the green thread too.
    ///
    /// # Errors
    /// As [`JoinHandle::join`].
    #[track_caller]
    pub fn join(self) -> Result<T, JoinError> {
        wait_over(self.header(), None);
        self.into_inner().join()
    }
}

impl<T> std::ops::Deref for CancelOnDrop<T> {
    type Target = JoinHandle<T>;

    fn deref(&self) -> &JoinHandle<T> {
        self.0.as_ref().expect("taken by `into_inner` alone")
    }
}

impl<T> Drop for CancelOnDrop<T> {
    fn drop(&mut self) {
        if let Some(handle) = self.0.take() {
            handle.cancel();
        }
    }
}
