//! The shared objects, and what they notice of themselves.

use std::cell::{Cell, RefCell};

use greenthread::channel::{Receiver, Sender, bounded, unbounded};
use greenthread::sync::{Event, Mutex, Semaphore};

use super::world::World;
use crate::program;

/// The shared objects of one program.
pub(super) struct Objects {
    /// Whether somebody is inside stands in each.
    pub(super) mutexes: Vec<Mutex<Cell<bool>>>,

    /// Semaphores.
    pub(super) semaphores: Vec<Permits>,

    /// The program's own senders, until they are given up.
    pub(super) senders: Vec<RefCell<Option<Sender<usize>>>>,

    /// The program's own receivers, until they are given up.
    pub(super) receivers: Vec<RefCell<Option<Receiver<usize>>>>,

    /// Events.
    pub(super) events: Vec<Event>,
}

/// A semaphore that knows how many of its permits are out.
pub(super) struct Permits {
    /// The semaphore.
    pub(super) semaphore: Semaphore,

    /// How many permits there are.
    all: usize,

    /// How many are out.
    out: Cell<usize>,
}

impl Objects {
    pub(super) fn new(objects: &program::Objects) -> Self {
        let channels = objects.channels.iter().map(|capacity| match capacity {
            Some(capacity) => bounded(*capacity),
            None => unbounded(),
        });
        let ends = channels.map(|(send, recv)| {
            (RefCell::new(Some(send)), RefCell::new(Some(recv)))
        });
        let (senders, receivers) = ends.unzip();
        Objects {
            mutexes: (0..objects.mutexes).map(|_| Mutex::default()).collect(),
            semaphores: objects.semaphores.iter().copied().map(Permits::new).collect(),
            senders,
            receivers,
            events: (0..objects.events).map(|_| Event::new()).collect(),
        }
    }
}

impl Permits {
    fn new(all: usize) -> Self {
        Permits {
            semaphore: Semaphore::new(all),
            all,
            out: Cell::new(0),
        }
    }
}

/// Somebody has so many permits until this is dropped.
pub(super) struct Holding<'a>(&'a Permits, usize);

impl<'a> Holding<'a> {
    pub(super) fn new(world: &World, permits: &'a Permits, count: usize) -> Self {
        permits.out.set(permits.out.get() + count);
        if permits.out.get() > permits.all {
            let (out, all) = (permits.out.get(), permits.all);
            world.fault(format!("{out} of {all} permits are out"));
        }
        Holding(permits, count)
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        self.0.out.set(self.0.out.get() - self.1);
    }
}

/// Somebody is inside a mutex until this is dropped.
pub(super) struct Inside<'a>(&'a Cell<bool>);

impl<'a> Inside<'a> {
    pub(super) fn new(world: &World, inside: &'a Cell<bool>) -> Self {
        if inside.replace(true) {
            world.fault("two are inside one mutex".into());
        }
        Inside(inside)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
