//! The reactor of one OS thread: which registered source is ready (D7).
//!
//! Made by the first source that must be waited for; the OS thread then sleeps in it. Sources are registered edge-triggered, through their raw
//! descriptors, so that std's sockets can be used as they are.
//!
//! Invariants:
//! - R1 A token is the slot of a tenant. Whoever deregisters takes the descriptor out of the kernel's set and then says so; the slot is emptied before the
//!   next poll, by the reactor's own OS thread. So a batch never names a slot that was used anew since, and dispatching it takes no lock.
//! - R2 An event is a hint: one that reaches a tenant which has left, or wakes somebody in vain, costs a system call and nothing else.
//! - R3 A batch is dispatched while no other code of this OS thread runs; it wakes, and runs nothing of the user's.

use std::cell::RefCell;
use std::io::{self, Write as _};
use std::os::fd::RawFd;
use std::ptr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use slab::Slab;

use super::readiness::{Readiness, Watch};
use super::task::Task;
use crate::base::atomic::{AtomicUsize, Ordering};
use crate::base::lock::Lock;
use crate::base::prefetch::prefetch;

/// Events taken from the kernel at once.
const BATCH: usize = 128;

/// So many events touch little enough to take it as it comes.
const FEW: usize = 4;

/// The token of the waker: no slot has this number.
const WAKER: Token = Token(usize::MAX);

/// The reactor, as its own OS thread sees it.
#[derive(Debug)]
pub(crate) struct Reactor {
    /// Empty once the OS thread has ended: its descriptors are closed then.
    open: RefCell<Option<Open>>,
}

/// What a reactor consists of.
#[derive(Debug)]
struct Open {
    /// What sources hold of it.
    shared: Arc<Shared>,

    /// Waited on by the loop.
    poll: Poll,

    /// The batch at hand; kept for its memory.
    events: Events,

    /// What each token stands for (R1).
    tenants: Slab<Arc<Watch<Shared>>>,

    /// Rings the OS thread while it sleeps here; other OS threads hold it weakly.
    _waker: Arc<Waker>,
}

/// The part of a reactor that sources hold, on any OS thread.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Adds and removes descriptors: one duplicate of the poll's own for the whole reactor.
    registry: Registry,

    /// Tenants to be let go of before the next poll (R1).
    leavers: Lock<Vec<Token>>,

    /// How many futures wait for an event from here.
    tasks: Arc<AtomicUsize>,
}

impl Reactor {
    /// A reactor for the OS thread that calls, and what rings it as long as that lives.
    pub(crate) fn new() -> io::Result<(Reactor, Weak<Waker>)> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let waker = Arc::new(Waker::new(&registry, WAKER)?);
        let rings = Arc::downgrade(&waker);
        let open = Open {
            shared: Arc::new(Shared {
                registry,
                leavers: Lock::new(Vec::new()),
                tasks: Arc::default(),
            }),
            poll,
            events: Events::with_capacity(BATCH),
            tenants: Slab::new(),
            _waker: waker,
        };
        let open = RefCell::new(Some(open));
        Ok((Reactor { open }, rings))
    }

    /// Whether `shared` is this reactor's part.
    pub(super) fn is(&self, shared: &Arc<Shared>) -> bool {
        let open = self.open.borrow();
        open.as_ref()
            .is_some_and(|open| Arc::ptr_eq(&open.shared, shared))
    }

    /// How many sources are registered.
    pub(super) fn sources(&self) -> usize {
        let open = self.open.borrow();
        open.as_ref().map_or(0, |open| {
            let leavers = open.shared.leavers.lock().len();
            open.tenants.len().saturating_sub(leavers)
        })
    }

    /// Whether a future waits for an event from here.
    pub(super) fn has_tasks(&self) -> bool {
        let open = self.open.borrow();
        open.as_ref()
            .is_some_and(|open| open.shared.tasks.load(Ordering::Relaxed) > 0)
    }

    /// Registers a descriptor, for everything and edge-triggered. Its state at this moment comes as the first event.
    pub(super) fn register(
        &self,
        fd: RawFd,
        watch: &Arc<Watch<Shared>>,
    ) -> io::Result<(Arc<Shared>, Token)> {
        let mut open = self.open.borrow_mut();
        let Some(Open {
            shared, tenants, ..
        }) = &mut *open
        else {
            unreachable!("a wait point after the end of its OS thread's scheduler");
        };
        let vacant = tenants.vacant_entry();
        let token = Token(vacant.key());
        shared
            .registry
            .register(&mut SourceFd(&fd), token, everything())?;
        vacant.insert(Arc::clone(watch));
        Ok((Arc::clone(shared), token))
    }

    /// Waits at most `limit` for events and makes ready whoever waits for them. A signal ends the wait early.
    pub(crate) fn poll(&self, limit: Option<Duration>) {
        if let Some(open) = &mut *self.open.borrow_mut() {
            open.let_go_of_leavers();
            open.poll(limit);
        }
    }

    /// Sends everybody who waits through this reactor to another one, and closes its descriptors: its OS thread ends.
    pub(crate) fn close(&self) {
        let Some(mut open) = self.open.borrow_mut().take() else {
            return;
        };
        for watch in open.tenants.drain() {
            watch.lose_reactor(&open.shared);
        }
    }
}

impl Open {
    fn let_go_of_leavers(&mut self) {
        let leavers = std::mem::take(&mut *self.shared.leavers.lock());
        for token in leavers {
            self.tenants.try_remove(token.0);
        }
    }

    fn poll(&mut self, limit: Option<Duration>) {
        match self.poll.poll(&mut self.events, limit) {
            Ok(()) => {
                self.ask_for_those_concerned();
                self.events.iter().for_each(|event| self.dispatch(event));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => give_up(&error),
        }
    }

    /// Has the memory brought that dispatching a large batch touches: one after the other, each would be waited for alone.
    fn ask_for_those_concerned(&self) {
        if self.events.iter().nth(FEW).is_none() {
            return;
        }
        let concerned = |event: &Event| self.tenants.get(event.token().0);
        let watches = || self.events.iter().filter_map(concerned);
        for watch in watches() {
            let watch = ptr::from_ref(&**watch);
            prefetch(watch.cast()..watch.wrapping_add(1).cast());
        }
        watches().for_each(|watch| watch.ask_for_first());
    }

    #[inline]
    fn dispatch(&self, event: &Event) {
        // The waker's token finds nobody: what it rings for is in the inbox.
        if let Some(watch) = self.tenants.get(event.token().0) {
            watch.announce(readiness(event));
        }
    }
}

impl Shared {
    /// Has a future counted that waits for an event from here.
    pub(super) fn count(&self, task: &mut Task) {
        task.count_by(&self.tasks);
    }

    /// Takes a descriptor out again; before it is closed, because a duplicate would keep it alive in the kernel's set.
    pub(super) fn deregister(&self, fd: RawFd, token: Token) {
        // A descriptor that the kernel no longer knows needs no taking out.
        drop(self.registry.deregister(&mut SourceFd(&fd)));
        self.leavers.lock().push(token);
    }
}

/// Somebody closed the reactor's descriptor, most likely: nobody here would be told of an event any more. The loop's stack has nothing to unwind to.
#[cold]
fn give_up(error: &io::Error) -> ! {
    let _ = writeln!(
        io::stderr(),
        "greenthread: the reactor's poll failed: {error}; has other code closed its descriptor?"
    );
    std::process::abort();
}

/// What an event says, in our bits.
fn readiness(event: &Event) -> Readiness {
    let lasting = event.is_error() || event.is_priority();
    Readiness {
        read: event.is_readable() || event.is_read_closed() || lasting,
        write: event.is_writable() || event.is_write_closed() || event.is_error(),
        lasting: lasting || event.is_read_closed() || event.is_write_closed(),
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn everything() -> Interest {
    Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn everything() -> Interest {
    Interest::READABLE | Interest::WRITABLE
}

#[cfg(test)]
#[path = "reactor_tests.rs"]
mod tests;
