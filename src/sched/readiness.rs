//! What is remembered of a descriptor's readiness, and who is parked until it changes (D7).
//!
//! What is remembered is one word: ready bits, a bit for "short reads prove nothing", and a count of events. It is read at any time and changed under the
//! lock. A ready bit is cleared only against the word that was read before the system call: an event that came in between makes the clearing void, and costs
//! one more system call, not a lost byte.
//!
//! Invariants:
//! - M1 A ready bit that is clear is followed by an event as soon as the kernel has something to say: the descriptor is registered edge-triggered, and
//!   whatever cleared the bit came after the last event that was read.
//! - M2 Bits are set under the lock that wakers and waiters take, and read under it before a waiter links: no event slips between.

use std::sync::Arc;

use mio::Token;

use super::list::{WaitList, Wake};
use super::task::Task;
use crate::base::atomic::{AtomicU32, Ordering};
use crate::base::lock::Lock;
use crate::base::prefetch::prefetch_all;

/// A read may succeed. Set by an event and while unregistered; cleared by `WouldBlock` or a short read.
const READ: u32 = 1;

/// A write may succeed. As READ.
const WRITE: u32 = 2;

/// Closed, failed or urgent: a short read proves nothing any more. Set by an event, never cleared.
const LASTING: u32 = 4;

/// Registered with a reactor: without that, ready bits are not cleared, for nobody would set them again.
const REGISTERED: u32 = 8;

/// One event.
const EVENT: u32 = 16;

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
            Direction::Read => READ,
            Direction::Write => WRITE,
        }
    }
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

impl Readiness {
    /// What makes everybody look again.
    pub(super) const ANY: Readiness = Readiness {
        read: true,
        write: true,
        lasting: false,
    };

    fn bits(self) -> u32 {
        let read = if self.read { READ } else { 0 };
        let write = if self.write { WRITE } else { 0 };
        let lasting = if self.lasting { LASTING } else { 0 };
        read | write | lasting
    }
}

/// What was remembered at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen(u32);

impl Seen {
    /// Whether a system call in this direction is worth while.
    #[inline]
    pub(super) fn may(self, direction: Direction) -> bool {
        self.0 & direction.bit() != 0
    }

    /// Whether a short read or write means that the next one would block.
    #[inline]
    pub(super) fn trusts_short(self) -> bool {
        self.0 & LASTING == 0
    }
}

/// A descriptor as its reactor sees it. `R` is the reactor.
#[derive(Debug)]
pub(super) struct Watch<R> {
    /// What is remembered: the bits above, and the count of events.
    memory: AtomicU32,

    /// Who waits, and with which reactor.
    pub(super) state: Lock<State<R>>,
}

/// Who waits, and with which reactor.
#[derive(Debug)]
pub(super) struct State<R> {
    /// Where the descriptor is registered.
    pub(super) registration: Option<(Arc<R>, Token)>,

    /// Parked until a read may succeed.
    readers: WaitList,

    /// Parked until a write may succeed.
    writers: WaitList,

    /// A future that waits until a read may succeed; see `poll`.
    reader: Option<Task>,

    /// A future that waits until a write may succeed.
    writer: Option<Task>,
}

impl<R> Watch<R> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Watch {
            memory: AtomicU32::new(READ | WRITE),
            state: Lock::new(State {
                registration: None,
                readers: WaitList::new(),
                writers: WaitList::new(),
                reader: None,
                writer: None,
            }),
        })
    }

    #[inline]
    pub(super) fn look(&self) -> Seen {
        Seen(self.memory.load(Ordering::Acquire))
    }

    /// Changes what is remembered, under the lock.
    #[inline]
    fn change(&self, _held: &mut State<R>, change: impl FnOnce(u32) -> u32) {
        let changed = change(self.memory.load(Ordering::Relaxed));
        self.memory.store(changed, Ordering::Release);
    }

    /// Not ready, by a system call that was made after `seen`: a newer event keeps the bit (M1).
    #[inline]
    pub(super) fn clear(&self, direction: Direction, seen: Seen) {
        if seen.0 & REGISTERED != 0 {
            let bit = direction.bit();
            let cleared = |memory| {
                if memory == seen.0 {
                    memory & !bit
                } else {
                    memory
                }
            };
            self.change(&mut self.state.lock(), cleared);
        }
    }

    /// Makes the next attempt in this direction look for itself.
    pub(super) fn doubt(&self, direction: Direction) {
        self.change(&mut self.state.lock(), |memory| memory | direction.bit());
    }

    /// From now on events come. The first tells how things stand; until then the direction that has just said `WouldBlock` is not ready.
    pub(super) fn registered(&self, held: &mut State<R>, not_ready: Direction) {
        self.change(held, |memory| (memory | REGISTERED) & !not_ready.bit());
    }

    /// From now on no event comes: everything may be ready.
    pub(super) fn unregistered(&self, held: &mut State<R>) {
        let unregistered = |memory: u32| (memory.wrapping_add(EVENT) | READ | WRITE) & !REGISTERED;
        self.change(held, unregistered);
    }

    /// Remembers an event and wakes those whom it concerns (M2); each tries again and returns to its place in line if that was in vain.
    pub(super) fn announce(&self, readiness: Readiness) {
        let mut state = self.state.lock();
        self.change(&mut state, |memory| {
            memory.wrapping_add(EVENT) | readiness.bits()
        });
        let bounds = (state.readers.bound(), state.writers.bound());
        if state.has_tasks() {
            let tasks = state.take_tasks(readiness);
            drop(state);
            tasks.into_iter().flatten().for_each(Task::wake);
            state = self.state.lock();
        }
        while let Some(wake) = state.wake_one(readiness, bounds) {
            let was_last = state.is_idle();
            drop(state);
            drop(wake);
            if was_last {
                return;
            }
            state = self.state.lock();
        }
    }

    /// Has the stack brought of who reads next, where he stands.
    pub(super) fn ask_for_first(&self) {
        let readers = &self.state.lock().readers;
        prefetch_all(readers.surroundings_of_first());
    }

    /// Makes everybody who is parked look again: it was closed, or lost its reactor.
    pub(super) fn announce_to_all(&self) {
        self.announce(Readiness::ANY);
    }

    /// The reactor ends with its OS thread: whoever is parked must register with another.
    pub(super) fn lose_reactor(&self, reactor: &Arc<R>) {
        let mut state = self.state.lock();
        let lost = state
            .registration
            .take_if(|(registered, _)| Arc::ptr_eq(registered, reactor));
        if lost.is_some() {
            self.unregistered(&mut state);
        }
        drop(state);
        drop(lost);
        self.announce_to_all();
    }
}

impl<R> State<R> {
    pub(super) fn waiters(&mut self, direction: Direction) -> &mut WaitList {
        match direction {
            Direction::Read => &mut self.readers,
            Direction::Write => &mut self.writers,
        }
    }

    /// Where a future leaves its waker.
    pub(super) fn task(&mut self, direction: Direction) -> &mut Option<Task> {
        match direction {
            Direction::Read => &mut self.reader,
            Direction::Write => &mut self.writer,
        }
    }

    /// Whether a future waits.
    #[inline]
    pub(super) fn has_tasks(&self) -> bool {
        self.reader.is_some() || self.writer.is_some()
    }

    /// Those whom this concerns, to be woken or dropped outside the lock.
    pub(super) fn take_tasks(&mut self, readiness: Readiness) -> [Option<Task>; 2] {
        let reader = self.reader.take_if(|_| readiness.read);
        let writer = self.writer.take_if(|_| readiness.write);
        [reader, writer]
    }

    /// Whether nobody is parked.
    pub(super) fn is_idle(&self) -> bool {
        self.readers.is_empty() && self.writers.is_empty()
    }

    /// Wakes the next one who is concerned and came before the bounds, readers first.
    #[inline]
    fn wake_one(&mut self, readiness: Readiness, (readers, writers): (u64, u64)) -> Option<Wake> {
        let reader = || self.readers.wake_before(readers);
        let woken = readiness.read.then(reader).flatten();
        let writer = || self.writers.wake_before(writers);
        woken.or_else(|| readiness.write.then(writer).flatten())
    }
}
