//! A non-blocking IO object that green threads wait on (D7, L16, L17).
//!
//! The life of one `read`:
//!
//! ```text
//!   enter            one more operation on the descriptor; refused once closed
//!   remembered as not ready? ──no──▶ the system call ──done──▶ short on a stream? remember "not ready" ─▶ leave
//!        │yes                             │WouldBlock
//!        ▼                                ▼
//!   register with this OS thread's reactor, if with none ─▶ park until an event says "ready" ─▶ the system call again
//! ```
//!
//! Invariants:
//! - O1 `life` counts the operations under way, but for one that borrows the source exclusively. The object is dropped once: by the last operation that leaves after CLOSED was set, or, when it was
//!   lent out or never closed, by `Source`'s own drop.
//! - O2 Whoever parks has seen, under the state's lock, that it was not closed; `close` sets CLOSED before it takes that lock to wake.
//! - O3 The registration is changed under the state's lock; it moves to another OS thread's reactor only while nobody is parked here and no future waits (`poll`).
//! - O4 What is registered is deregistered before its descriptor closes.

#![expect(
    unsafe_code,
    reason = "drops the object when the last operation has left"
)]

use std::cell::UnsafeCell;
use std::io;
use std::mem::ManuallyDrop;
use std::net::Shutdown;
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use super::clock::Deadline;
use super::list::Node;
use super::park::{self, Grant, Outcome, Waiter};
use super::reactor::{Reactor, Shared};
use super::readiness::{Readiness, State, Watch};
use super::scheduler::Scheduler;
use super::wait::Operation;
use crate::base::atomic::{AtomicU32, Ordering};
use crate::base::lock::Lock;

pub(crate) use super::readiness::Direction;

/// The bits of `life`; the rest counts operations (O1).
mod life {
    /// `close` was called, or the object taken out: no operation enters any more. Never cleared.
    pub(super) const CLOSED: u32 = 1;

    /// A reference to the object was handed out: it stays until the source is dropped. Never cleared.
    pub(super) const LENT: u32 = 2;

    /// One operation.
    pub(super) const OPERATION: u32 = 4;
}

/// A non-blocking IO object, and all that waiting on it takes.
#[derive(Debug)]
pub(crate) struct Source<S: AsFd> {
    /// O1.
    life: AtomicU32,

    /// What is remembered, who waits, and with which reactor.
    watch: Arc<Watch<Shared>>,

    /// O1: there until dropped by the last operation.
    object: UnsafeCell<ManuallyDrop<S>>,
}

// SAFETY: O1: the object is only read through shared references while operations are under way, and dropped once after them.
unsafe impl<S: AsFd + Send + Sync> Sync for Source<S> {}

// No panic of ours leaves it half changed: what is remembered is one word, and the lists are changed under a lock that nothing unwinds out of.
impl<S: AsFd> UnwindSafe for Source<S> {}
impl<S: AsFd> RefUnwindSafe for Source<S> {}

impl<S: AsFd> Source<S> {
    /// Takes an object that does not block.
    pub(crate) fn new(object: S) -> Self {
        Source {
            life: AtomicU32::new(0),
            watch: Watch::new(),
            object: UnsafeCell::new(ManuallyDrop::new(object)),
        }
    }

    /// Begins an operation; refused with `NotConnected` once closed (L17).
    #[inline]
    pub(crate) fn enter(&self) -> io::Result<Operating<'_, S>> {
        let update = |life: u32| (life & life::CLOSED == 0).then(|| life + life::OPERATION);
        match self
            .life
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, update)
        {
            Ok(_) => Ok(Operating { source: self }),
            Err(_) => Err(closed()),
        }
    }

    /// The same, uncounted: nobody else can begin an operation meanwhile, or close it.
    #[inline]
    pub(crate) fn enter_alone(&mut self) -> io::Result<Alone<'_, S>> {
        if self.is_closed() {
            return Err(closed());
        }
        Ok(ManuallyDrop::new(Operating { source: self }))
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.life.load(Ordering::Acquire) & life::CLOSED != 0
    }

    /// Closes it: everybody parked on it gets an error, later calls get the same, and the descriptor goes with the last operation (L17). One that was
    /// lent out is shut down then, and its descriptor goes when the source is dropped.
    pub(crate) fn close(&self) {
        // Counts as an operation, so that the object outlives the waking.
        let Ok(operating) = self.enter() else {
            return;
        };
        self.life.fetch_or(life::CLOSED, Ordering::AcqRel);
        self.watch.announce_to_all();
        drop(operating);
    }

    /// The object itself, for as long as the source lives; `None` when its descriptor is closed already.
    pub(crate) fn lend(&self) -> Option<&S> {
        let entered = self.enter();
        if entered.is_ok() {
            self.life.fetch_or(life::LENT, Ordering::AcqRel);
        }
        let lent = self.life.load(Ordering::Acquire) & life::LENT != 0;
        drop(entered);
        // SAFETY: O1: what was lent while it was not closed stays until the source is dropped.
        lent.then(|| unsafe { &**self.object.get() })
    }

    /// O4; nobody is parked any more, and no future waits that will be told.
    fn deregister(&self, fd: RawFd) {
        let mut state = self.watch.state.lock();
        let (registration, tasks) = (state.registration.take(), state.take_tasks(Readiness::ANY));
        drop(state);
        if let Some((reactor, token)) = registration {
            reactor.deregister(fd, token);
        }
        drop(tasks);
    }

    /// The last operation after `close` has left.
    #[cold]
    fn end(&self, life: u32) {
        if life & life::LENT == 0 {
            drop(self.take());
            return;
        }
        // SAFETY: O1: what was lent stays until the source is dropped.
        let object = unsafe { &*self.object.get() };
        self.deregister(object.as_fd().as_raw_fd());
        // The descriptor must stay open for whoever borrowed it; what is no socket has nothing to tell a peer.
        drop(socket2::SockRef::from(&object.as_fd()).shutdown(Shutdown::Both));
    }

    /// The object, for the last one who reaches it.
    fn take(&self) -> S {
        // SAFETY: O1: no operation is under way and none can begin, so nobody else refers to it.
        let object = unsafe { &mut *self.object.get() };
        // SAFETY: O1: called once.
        let object = unsafe { ManuallyDrop::take(object) };
        self.deregister(object.as_fd().as_raw_fd());
        object
    }

    /// Gives the object back, out of every reactor; `None` when it was closed.
    pub(crate) fn into_object(self) -> Option<S> {
        if self.is_closed() {
            return None;
        }
        let object = self.take();
        // Neither lent nor there any more: nothing is left for the drop to do.
        self.life.store(life::CLOSED, Ordering::Release);
        Some(object)
    }
}

impl<S: AsFd> Drop for Source<S> {
    fn drop(&mut self) {
        let life = self.life.load(Ordering::Acquire);
        if life & (life::CLOSED | life::LENT) != life::CLOSED {
            drop(self.take());
        }
    }
}

pub(super) fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "closed on our side")
}

fn unwinding() -> io::Error {
    io::Error::other("a cancellation unwinds this green thread: IO that would wait fails at once")
}

/// L10, for IO that waits on something else than a source.
pub(crate) fn refuse_in_unwind() -> io::Result<()> {
    if park::request_unwinds(Scheduler::get().current_header()) {
        return Err(unwinding());
    }
    Ok(())
}

/// An operation by whoever borrows the source exclusively: never dropped, so never uncounted.
pub(crate) type Alone<'a, S> = ManuallyDrop<Operating<'a, S>>;

/// An operation under way: while it lives, the object does.
#[derive(Debug)]
pub(crate) struct Operating<'a, S: AsFd> {
    /// Counts it (O1).
    source: &'a Source<S>,
}

impl<S: AsFd> Deref for Operating<'_, S> {
    type Target = S;

    #[inline]
    fn deref(&self) -> &S {
        // SAFETY: O1: this operation is counted, so the object has not been dropped.
        unsafe { &*self.source.object.get() }
    }
}

impl<S: AsFd> Drop for Operating<'_, S> {
    #[inline]
    fn drop(&mut self) {
        let life = &self.source.life;
        let left = life.fetch_sub(life::OPERATION, Ordering::AcqRel) - life::OPERATION;
        if left & life::CLOSED != 0 && left < life::OPERATION {
            self.source.end(left);
        }
    }
}

impl<'a, S: AsFd> Operating<'a, S> {
    /// Runs `call` until it does not say `WouldBlock`, parking in between. `is_short` tells of a result that proves a byte stream empty or full.
    #[inline]
    pub(crate) fn retry<R>(
        &self,
        operation: &'static Operation,
        direction: Direction,
        limit: Option<Duration>,
        is_short: impl Fn(&R) -> bool,
        mut call: impl FnMut(&S) -> io::Result<R>,
    ) -> io::Result<R> {
        let mut attempt = || self.attempt(direction, &is_short, &mut call);
        match attempt() {
            Some(result) => result,
            None => self.wait_and_retry(operation, direction, limit, attempt),
        }
    }

    pub(super) fn watch(&self) -> &'a Watch<Shared> {
        &self.source.watch
    }

    pub(super) fn is_closed(&self) -> bool {
        self.source.is_closed()
    }

    /// For whoever has waited for something else meanwhile.
    pub(crate) fn refuse_if_closed(&self) -> io::Result<()> {
        match self.is_closed() {
            true => Err(closed()),
            false => Ok(()),
        }
    }

    /// One try; `None` when it must be waited for.
    #[inline]
    pub(super) fn attempt<R>(
        &self,
        direction: Direction,
        is_short: impl Fn(&R) -> bool,
        mut call: impl FnMut(&S) -> io::Result<R>,
    ) -> Option<io::Result<R>> {
        let watch = &*self.source.watch;
        loop {
            let seen = watch.look();
            if !seen.may(direction) {
                return None;
            }
            match call(self) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    watch.clear(direction, seen);
                    return None;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(done) => {
                    if seen.trusts_short() && is_short(&done) {
                        watch.clear(direction, seen);
                    }
                    return Some(Ok(done));
                }
                failed => return Some(failed),
            }
        }
    }

    fn wait_and_retry<R>(
        &self,
        operation: &'static Operation,
        direction: Direction,
        limit: Option<Duration>,
        mut attempt: impl FnMut() -> Option<io::Result<R>>,
    ) -> io::Result<R> {
        let watch = &*self.source.watch;
        if Scheduler::get().has_requests() {
            // L9: what is there already is taken first, although no event has told of it yet.
            watch.doubt(direction);
            if let Some(result) = attempt() {
                return result;
            }
        }
        let deadline = limit.map(park::deadline_in);
        let give_back = Grant::GiveBack(nothing_to_give_back);
        let waiter = Waiter::new(&watch.state, operation, 0, give_back);
        loop {
            let outcome = self.wait_ready(&waiter, direction, deadline)?;
            if outcome == Outcome::TimedOut {
                // What came since the last poll still counts.
                watch.doubt(direction);
            }
            match attempt() {
                Some(result) => return result,
                None if outcome == Outcome::TimedOut => {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                None => {}
            }
        }
    }

    /// Parks until the direction may be ready. Inlined, as the door is: no return but the caller's own lies between the switch and the next try.
    #[inline(always)]
    fn wait_ready(
        &self,
        waiter: &Waiter<'a, State<Shared>>,
        direction: Direction,
        deadline: Option<Deadline>,
    ) -> io::Result<Outcome> {
        let scheduler = Scheduler::get();
        if park::request_unwinds(scheduler.current_header()) {
            return Err(unwinding());
        }
        let watch = &*self.source.watch;
        let mut state = watch.state.lock();
        if self.source.is_closed() {
            return Err(closed());
        }
        self.register(scheduler, &mut state, direction)?;
        if watch.look().may(direction) {
            return Ok(Outcome::Granted);
        }
        let waiting = scheduler.begin_waiting_on_source();
        let outcome = waiter.park(state, |state| state.waiters(direction), deadline);
        drop(waiting);
        if self.source.is_closed() {
            return Err(closed());
        }
        Ok(outcome)
    }

    /// Registers with this OS thread's reactor, unless it is registered there, or somebody waits through another one (O3).
    #[inline]
    pub(super) fn register(
        &self,
        scheduler: &Scheduler,
        state: &mut State<Shared>,
        direction: Direction,
    ) -> io::Result<()> {
        let reactor = scheduler.reactor()?;
        match &state.registration {
            Some((registered, _)) if reactor.is(registered) => Ok(()),
            Some(_) if !state.is_idle() || state.has_tasks() => Ok(()),
            _ => self.register_with(reactor, state, direction),
        }
    }

    #[cold]
    fn register_with(
        &self,
        reactor: &Reactor,
        state: &mut State<Shared>,
        direction: Direction,
    ) -> io::Result<()> {
        let watch = &self.source.watch;
        let fd = self.as_fd().as_raw_fd();
        if let Some((other, token)) = state.registration.take() {
            other.deregister(fd, token);
            watch.unregistered(state);
        }
        state.registration = Some(reactor.register(fd, watch)?);
        watch.registered(state, direction);
        Ok(())
    }
}

/// Readiness is remembered, not handed over.
fn nothing_to_give_back(_: &Lock<State<Shared>>, _: &Node) {}

/// While it lives, somebody here waits for a socket.
#[derive(Debug)]
struct WaitingOnSource<'a> {
    /// Counts it.
    scheduler: &'a Scheduler,
}

impl Scheduler {
    fn begin_waiting_on_source(&self) -> WaitingOnSource<'_> {
        self.sources_waited.set(self.sources_waited.get() + 1);
        WaitingOnSource { scheduler: self }
    }
}

impl Drop for WaitingOnSource<'_> {
    fn drop(&mut self) {
        let waited = &self.scheduler.sources_waited;
        waited.set(waited.get() - 1);
    }
}
