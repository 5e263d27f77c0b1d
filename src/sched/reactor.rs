//! The reactor of one OS thread: which registered source is ready (D7).
//!
//! Made by the first source that must be waited for; the OS thread then sleeps in it. Sources are registered edge-triggered, through their raw
//! descriptors, so that std's sockets can be used as they are.
//!
//! Invariants:
//! - R1 A token names a slot and a generation. A slot that is used anew gets another generation, so an event of an earlier tenant, still in the
//!   batch at hand, is recognised and passed over.
//! - R2 Locks are taken in the order: a watch's state, then `slots`. A batch is dispatched with neither held.

use std::cell::{Ref, RefCell};
use std::io;
use std::os::fd::RawFd;
use std::sync::{Arc, Weak};
use std::time::Duration;

use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use slab::Slab;

use super::readiness::{Readiness, Watch};
use crate::base::lock::Lock;

/// Events taken from the kernel at once.
const BATCH: usize = 1024;

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

    /// Rings the OS thread while it sleeps here; other OS threads hold it weakly.
    _waker: Arc<Waker>,
}

/// The part of a reactor that sources hold, on any OS thread.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Adds and removes descriptors: one duplicate of the poll's own for the whole reactor.
    registry: Registry,

    /// R1.
    slots: Lock<Slots>,
}

/// Who is registered.
#[derive(Debug, Default)]
struct Slots {
    /// By slot.
    tenants: Slab<Tenant>,

    /// Of the newest tenant.
    generation: u32,
}

/// A registered source.
#[derive(Clone, Debug)]
struct Tenant {
    /// R1.
    generation: u32,

    /// What its events change.
    watch: Arc<Watch<Shared>>,
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
                slots: Lock::default(),
            }),
            poll,
            events: Events::with_capacity(BATCH),
            _waker: waker,
        };
        let open = RefCell::new(Some(open));
        Ok((Reactor { open }, rings))
    }

    /// The part that sources hold.
    pub(crate) fn shared(&self) -> Ref<'_, Arc<Shared>> {
        Ref::map(self.open.borrow(), |open| match open {
            Some(open) => &open.shared,
            None => unreachable!("a wait point after the end of its OS thread's scheduler"),
        })
    }

    /// Waits at most `limit` for events and makes ready whoever waits for them. A signal ends the wait early.
    pub(crate) fn poll(&self, limit: Option<Duration>) {
        let mut open = self.open.borrow_mut();
        let Some(Open {
            shared,
            poll,
            events,
            ..
        }) = &mut *open
        else {
            return;
        };
        match poll.poll(events, limit) {
            Ok(()) => events.iter().for_each(|event| shared.dispatch(event)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => panic!("greenthread: the reactor's poll failed: {error}"),
        }
    }

    /// Sends everybody who waits through this reactor to another one, and closes its descriptors: its OS thread ends.
    pub(crate) fn close(&self) {
        let Some(open) = self.open.borrow_mut().take() else {
            return;
        };
        let tenants = std::mem::take(&mut open.shared.slots.lock().tenants);
        for (_, tenant) in tenants {
            tenant.watch.lose_reactor(&open.shared);
        }
    }
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

impl Shared {
    /// Registers a descriptor, for everything and edge-triggered. Its state at this moment comes as the first event.
    pub(super) fn register(&self, fd: RawFd, watch: &Arc<Watch<Shared>>) -> io::Result<Token> {
        let token = self.slots.lock().move_in(Arc::clone(watch));
        let registered = self
            .registry
            .register(&mut SourceFd(&fd), token, everything());
        if let Err(error) = registered {
            self.slots.lock().move_out(token);
            return Err(error);
        }
        Ok(token)
    }

    /// Takes a descriptor out again; before it is closed, because a duplicate would keep it alive in the kernel's set.
    pub(super) fn deregister(&self, fd: RawFd, token: Token) {
        self.slots.lock().move_out(token);
        // A descriptor that the kernel no longer knows needs no taking out.
        drop(self.registry.deregister(&mut SourceFd(&fd)));
    }

    fn dispatch(&self, event: &Event) {
        if event.token() == WAKER {
            return;
        }
        if let Some(watch) = self.tenant(event.token()) {
            watch.announce(readiness(event));
        }
    }

    fn tenant(&self, token: Token) -> Option<Arc<Watch<Shared>>> {
        let slots = self.slots.lock();
        let tenant = slots.tenants.get(slot(token))?;
        (tenant.generation == generation(token)).then(|| Arc::clone(&tenant.watch))
    }
}

impl Slots {
    fn move_in(&mut self, watch: Arc<Watch<Shared>>) -> Token {
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        let slot = self.tenants.insert(Tenant { generation, watch });
        token(slot, generation)
    }

    fn move_out(&mut self, token: Token) {
        let tenant = self.tenants.get(slot(token));
        if tenant.is_some_and(|tenant| tenant.generation == generation(token)) {
            self.tenants.remove(slot(token));
        }
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

fn token(slot: usize, generation: u32) -> Token {
    // 2^32 sources on one OS thread are more than its descriptors.
    Token(slot | (generation as usize) << 32)
}

fn slot(token: Token) -> usize {
    token.0 & 0xffff_ffff
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the upper half of the token"
)]
fn generation(token: Token) -> u32 {
    (token.0 >> 32) as u32
}

#[cfg(test)]
#[path = "reactor_tests.rs"]
mod tests;
