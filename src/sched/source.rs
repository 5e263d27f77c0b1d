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
//! What is remembered is one word: ready bits, a bit for "short reads prove nothing", and a count of events. A bit is cleared only against the count that was
//! read before the system call: an event that came in between makes the clearing fail, and costs one more system call, not a lost byte.
//!
//! Invariants:
//! - O1 `life` counts the operations under way; the object is dropped once, by the last one that leaves after CLOSED was set, or by `Source`'s
//!   own drop.
//! - O2 Bits are set before the state's lock is taken to wake, and read under that lock before a waiter links: no event slips between.
//! - O3 The registration is changed under the state's lock; it moves to another OS thread's reactor only while nobody is parked here.
//! - O4 What is registered is deregistered before its descriptor closes.

#![expect(
    unsafe_code,
    reason = "drops the object when the last operation has left"
)]

use std::cell::UnsafeCell;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mio::Token;

use super::clock::Deadline;
use super::list::{Node, WaitList};
use super::park::{self, Grant, Outcome, Waiter, with_waiter};
use super::reactor::Shared;
use super::scheduler::Scheduler;
use super::wait::Operation;
use crate::base::lock::{Lock, LockGuard};

/// Which way the bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Towards us: reading, accepting.
    Read,

    /// Away from us: writing, connecting.
    Write,
}

impl Direction {
    fn bit(self) -> u32 {
        match self {
            Direction::Read => word::READ,
            Direction::Write => word::WRITE,
        }
    }
}

/// The bits of what is remembered; the rest of the word counts events.
mod word {
    /// A read may succeed. Set by an event and while unregistered; cleared by `WouldBlock` or a short read.
    pub(super) const READ: u32 = 1;

    /// A write may succeed. As READ.
    pub(super) const WRITE: u32 = 2;

    /// Closed, failed or urgent: a short read proves nothing any more. Set by an event, never cleared.
    pub(super) const LASTING: u32 = 4;

    /// Registered with a reactor: without that, bits are not cleared, for nobody would set them again.
    pub(super) const REGISTERED: u32 = 8;

    /// One event.
    pub(super) const EVENT: u32 = 16;
}

/// The bits of `life`; the rest counts operations (O1).
mod life {
    /// `close` was called, or the source dropped: no operation enters any more.
    pub(super) const CLOSED: u32 = 1;

    /// One operation.
    pub(super) const OPERATION: u32 = 2;
}

/// What an event says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Readiness {
    /// A read may succeed.
    pub(super) read: bool,

    /// A write may succeed.
    pub(super) write: bool,

    /// And short reads prove nothing from now on.
    pub(super) lasting: bool,
}

/// Who waits, and with which reactor; shared with that reactor.
#[derive(Debug)]
pub(crate) struct State {
    /// What is remembered: see `word`.
    memory: Arc<AtomicU32>,

    /// Where the descriptor is registered.
    registration: Option<(Arc<Shared>, Token)>,

    /// Parked until a read may succeed.
    readers: WaitList,

    /// Parked until a write may succeed.
    writers: WaitList,
}

impl State {
    fn waiters(&mut self, direction: Direction) -> &mut WaitList {
        match direction {
            Direction::Read => &mut self.readers,
            Direction::Write => &mut self.writers,
        }
    }

    /// Remembers an event, then wakes those it concerns (O2).
    pub(super) fn announce(state: &Lock<State>, readiness: Readiness) {
        let held = state.lock();
        let mut bits = 0;
        bits |= if readiness.read { word::READ } else { 0 };
        bits |= if readiness.write { word::WRITE } else { 0 };
        bits |= if readiness.lasting { word::LASTING } else { 0 };
        let update = |memory: u32| Some(memory.wrapping_add(word::EVENT) | bits);
        let _ = held
            .memory
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, update);
        drop(held);
        if readiness.read {
            Self::wake_all(state, Direction::Read);
        }
        if readiness.write {
            Self::wake_all(state, Direction::Write);
        }
    }

    /// The reactor ends with its OS thread: whoever is parked must register with another.
    pub(super) fn lose_reactor(state: &Lock<State>, reactor: &Arc<Shared>) {
        let mut held = state.lock();
        if held
            .registration
            .as_ref()
            .is_some_and(|(registered, _)| Arc::ptr_eq(registered, reactor))
        {
            held.registration = None;
            forget_registration(&held.memory);
        }
        drop(held);
        Self::wake_all(state, Direction::Read);
        Self::wake_all(state, Direction::Write);
    }

    /// Wakes everybody who waits in this direction now; each tries again and returns to its place in line if it was in vain.
    fn wake_all(state: &Lock<State>, direction: Direction) {
        let bound = state.lock().waiters(direction).bound();
        loop {
            let wake = state.lock().waiters(direction).wake_before(bound);
            if wake.is_none() {
                return;
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.readers.is_empty() && self.writers.is_empty()
    }
}

/// Unregistered, everything may be ready.
fn forget_registration(memory: &AtomicU32) {
    let update = |memory: u32| {
        Some((memory.wrapping_add(word::EVENT) | word::READ | word::WRITE) & !word::REGISTERED)
    };
    let _ = memory.fetch_update(Ordering::AcqRel, Ordering::Acquire, update);
}

/// A non-blocking IO object, and all that waiting on it takes.
#[derive(Debug)]
pub(crate) struct Source<S: AsFd> {
    /// O1.
    life: AtomicU32,

    /// What is remembered: see `word`.
    memory: Arc<AtomicU32>,

    /// Who waits, and with which reactor.
    state: Arc<Lock<State>>,

    /// Whether a short read proves that there is no more: byte streams only.
    is_stream: bool,

    /// O1: there until dropped by the last operation.
    object: UnsafeCell<ManuallyDrop<S>>,
}

// SAFETY: O1: the object is only read through shared references while operations are under way, and dropped once after them.
unsafe impl<S: AsFd + Send + Sync> Sync for Source<S> {}
// SAFETY: everything else in it is `Send`.
unsafe impl<S: AsFd + Send> Send for Source<S> {}

impl<S: AsFd> Source<S> {
    /// Takes an object that does not block.
    pub(crate) fn new(object: S, is_stream: bool) -> Self {
        let memory = Arc::new(AtomicU32::new(word::READ | word::WRITE));
        Source {
            life: AtomicU32::new(0),
            memory: Arc::clone(&memory),
            state: Arc::new(Lock::new(State {
                memory,
                registration: None,
                readers: WaitList::new(),
                writers: WaitList::new(),
            })),
            is_stream,
            object: UnsafeCell::new(ManuallyDrop::new(object)),
        }
    }

    /// Begins an operation; refused with `NotConnected` once closed (L17).
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

    fn is_closed(&self) -> bool {
        self.life.load(Ordering::Acquire) & life::CLOSED != 0
    }

    /// Closes it: everybody parked on it gets an error, later calls get the same, and the descriptor goes with the last operation (L17).
    pub(crate) fn close(&self) {
        // Counts as an operation, so that the object outlives the waking.
        let Ok(operating) = self.enter() else {
            return;
        };
        self.life.fetch_or(life::CLOSED, Ordering::AcqRel);
        State::wake_all(&self.state, Direction::Read);
        State::wake_all(&self.state, Direction::Write);
        drop(operating);
    }

    /// Runs `attempt` until it does not say `WouldBlock`, parking in between. `is_short` tells of a result that proves a stream empty or full.
    pub(crate) fn retry<R>(
        &self,
        operation: &'static Operation,
        direction: Direction,
        limit: Option<Duration>,
        is_short: impl Fn(&R) -> bool,
        mut attempt: impl FnMut(&S) -> io::Result<R>,
    ) -> io::Result<R> {
        let operating = self.enter()?;
        let mut attempt = || operating.attempt(direction, &is_short, &mut attempt);
        match attempt() {
            Some(result) => result,
            None => operating.wait_and_retry(operation, direction, limit, attempt),
        }
    }

    /// O4; nobody is parked any more.
    fn deregister(&self, fd: RawFd) {
        let registration = self.state.lock().registration.take();
        if let Some((reactor, token)) = registration {
            reactor.deregister(fd, token);
        }
    }

    /// The object, for the last one who reaches it.
    fn take(&self) -> S {
        // SAFETY: O1: called once, when no operation is under way and none can begin.
        let object = unsafe { ManuallyDrop::take(&mut *self.object.get()) };
        self.deregister(object.as_fd().as_raw_fd());
        object
    }

    /// Gives the object back, out of every reactor; `None` when it was closed.
    pub(crate) fn into_object(self) -> Option<S> {
        let was_closed = self.is_closed();
        self.life.fetch_or(life::CLOSED, Ordering::AcqRel);
        (!was_closed).then(|| self.take())
    }
}

impl<S: AsFd> Drop for Source<S> {
    fn drop(&mut self) {
        if !self.is_closed() {
            drop(self.take());
        }
    }
}

fn closed() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotConnected,
        "this source was closed on our side",
    )
}

/// An operation under way: while it lives, the object does.
#[derive(Debug)]
pub(crate) struct Operating<'a, S: AsFd> {
    /// Counts it (O1).
    source: &'a Source<S>,
}

impl<S: AsFd> std::ops::Deref for Operating<'_, S> {
    type Target = S;

    fn deref(&self) -> &S {
        // SAFETY: O1: this operation is counted, so the object has not been dropped.
        unsafe { &*self.source.object.get() }
    }
}

impl<S: AsFd> Drop for Operating<'_, S> {
    #[inline]
    fn drop(&mut self) {
        let before = self
            .source
            .life
            .fetch_sub(life::OPERATION, Ordering::AcqRel);
        if before == life::CLOSED + life::OPERATION {
            drop(self.source.take());
        }
    }
}

impl<'a, S: AsFd> Operating<'a, S> {
    /// One try; `None` when it must be waited for.
    #[inline]
    fn attempt<R>(
        &self,
        direction: Direction,
        is_short: impl Fn(&R) -> bool,
        mut call: impl FnMut(&S) -> io::Result<R>,
    ) -> Option<io::Result<R>> {
        loop {
            let memory = self.source.memory.load(Ordering::Acquire);
            if memory & direction.bit() == 0 {
                return None;
            }
            match call(self) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.remember_not_ready(direction, memory);
                    return None;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(done) => {
                    if self.source.is_stream && memory & word::LASTING == 0 && is_short(&done) {
                        self.remember_not_ready(direction, memory);
                    }
                    return Some(Ok(done));
                }
                failed => return Some(failed),
            }
        }
    }

    /// Against the event count that was read before the system call: a newer event keeps the bit.
    fn remember_not_ready(&self, direction: Direction, memory: u32) {
        if memory & word::REGISTERED != 0 {
            let _ = self.source.memory.compare_exchange(
                memory,
                memory & !direction.bit(),
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
        }
    }

    #[cold]
    fn wait_and_retry<R>(
        &self,
        operation: &'static Operation,
        direction: Direction,
        limit: Option<Duration>,
        mut attempt: impl FnMut() -> Option<io::Result<R>>,
    ) -> io::Result<R> {
        let deadline = limit.map(park::deadline_in);
        let give_back = Grant::GiveBack(nothing_to_give_back);
        with_waiter(&self.source.state, operation, 0, give_back, |waiter| {
            loop {
                self.wait_ready(waiter, direction, deadline)?;
                if let Some(result) = attempt() {
                    return result;
                }
            }
        })
    }

    /// Parks until the direction may be ready.
    fn wait_ready(
        &self,
        waiter: &Waiter<'a, State>,
        direction: Direction,
        deadline: Option<Deadline>,
    ) -> io::Result<()> {
        let scheduler = Scheduler::get();
        if park::request_unwinds(scheduler.current_header()) {
            return Err(io::Error::other(
                "a cancellation unwinds this green thread: IO that would wait fails at once",
            ));
        }
        let mut state = self.source.state.lock();
        if self.source.is_closed() {
            return Err(closed());
        }
        self.register(scheduler, &mut state, direction)?;
        if self.source.memory.load(Ordering::Acquire) & direction.bit() != 0 {
            return Ok(());
        }
        let waiting = scheduler.begin_waiting_on_source();
        let outcome = waiter.park(state, |state| state.waiters(direction), deadline);
        drop(waiting);
        match outcome {
            Outcome::Granted if self.source.is_closed() => Err(closed()),
            Outcome::Granted => Ok(()),
            Outcome::TimedOut => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Registers with this OS thread's reactor, unless it is registered there, or somebody is parked through another one (O3).
    fn register(
        &self,
        scheduler: &Scheduler,
        state: &mut LockGuard<'_, State>,
        direction: Direction,
    ) -> io::Result<()> {
        let reactor = scheduler.reactor()?.shared();
        let fd = self.as_fd().as_raw_fd();
        if let Some((registered, token)) = &state.registration {
            if Arc::ptr_eq(registered, reactor) || !state.is_idle() {
                return Ok(());
            }
            registered.deregister(fd, *token);
            state.registration = None;
            forget_registration(&self.source.memory);
        }
        let token = reactor.register(fd, &self.source.state)?;
        state.registration = Some((Arc::clone(reactor), token));
        // The first event tells how things stand; until then this direction, which has just said `WouldBlock`, is not ready.
        let update = |memory: u32| Some((memory | word::REGISTERED) & !direction.bit());
        let _ = self
            .source
            .memory
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, update);
        Ok(())
    }
}

/// Readiness is remembered, not handed over.
fn nothing_to_give_back(_: &Lock<State>, _: &Node) {}
