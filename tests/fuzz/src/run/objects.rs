//! The shared objects, and what they notice of themselves.

use std::cell::{Cell, RefCell};

use std::rc::Rc;

use greenthread::channel::{Receiver, Sender, bounded, oneshot, unbounded};
use greenthread::sync::{Barrier, Condvar, Event, Mutex, Queue, RwLock, Semaphore};

use super::own::{Again, Once, Ticks, ticks};
use super::spread::{Crier, Shown};
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

    /// How many readers and writers are inside stands in each.
    pub(super) rw_locks: Vec<RwLock<Crowd>>,

    /// Queues.
    pub(super) queues: Vec<Counted>,

    /// Condition variables.
    pub(super) condvars: Vec<Condvar>,

    /// Barriers.
    pub(super) barriers: Vec<Barrier>,

    /// Oneshot channels: both ends, until they are given up.
    pub(super) oneshots: Vec<Ends>,

    /// Broadcast channels.
    pub(super) criers: Vec<Crier>,

    /// Watched values.
    pub(super) shown: Vec<Shown>,

    /// Values that are written once.
    pub(super) onces: Vec<Once>,

    /// Mutexes that their owner may take again.
    pub(super) agains: Vec<Again>,

    /// Intervals.
    pub(super) ticks: Vec<Ticks>,
}

/// A queue, and how many of its items are to be dealt with: one `task_done` too many would be a misuse.
pub(super) struct Counted {
    /// The queue.
    pub(super) queue: Queue<usize>,

    /// How many.
    pub(super) unfinished: Cell<usize>,
}

/// The ends of a oneshot channel.
pub(super) struct Ends {
    /// Its sender.
    pub(super) sender: RefCell<Option<oneshot::Sender<usize>>>,

    /// Its receiver, which those who receive have too.
    pub(super) receiver: RefCell<Option<Rc<oneshot::Receiver<usize>>>>,
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
        let ends =
            channels.map(|(send, recv)| (RefCell::new(Some(send)), RefCell::new(Some(recv))));
        let (senders, receivers) = ends.unzip();
        Objects {
            mutexes: (0..objects.mutexes).map(|_| Mutex::default()).collect(),
            semaphores: objects
                .semaphores
                .iter()
                .copied()
                .map(Permits::new)
                .collect(),
            senders,
            receivers,
            events: (0..objects.events).map(|_| Event::new()).collect(),
            rw_locks: (0..objects.rw_locks).map(|_| RwLock::default()).collect(),
            queues: objects.queues.iter().copied().map(Counted::new).collect(),
            condvars: (0..objects.condvars).map(|_| Condvar::new()).collect(),
            barriers: objects.barriers.iter().copied().map(Barrier::new).collect(),
            oneshots: (0..objects.oneshots).map(|_| Ends::new()).collect(),
            criers: objects.broadcasts.iter().copied().map(Crier::new).collect(),
            shown: (0..objects.watches).map(|_| Shown::new()).collect(),
            onces: (0..objects.onces).map(|_| Once::default()).collect(),
            agains: (0..objects.reentrants).map(|_| Again::default()).collect(),
            ticks: objects.intervals.iter().copied().map(ticks).collect(),
        }
    }
}

impl Counted {
    fn new(kind: program::Queue) -> Self {
        let queue = match kind {
            program::Queue::Line(None) => Queue::unbounded(),
            program::Queue::Line(Some(most)) => Queue::bounded(most),
            program::Queue::Pile(None) => Queue::lifo(),
            program::Queue::Pile(Some(most)) => Queue::lifo_bounded(most),
            program::Queue::Order(None) => Queue::priority(),
            program::Queue::Order(Some(most)) => Queue::priority_bounded(most),
        };
        Counted {
            queue,
            unfinished: Cell::new(0),
        }
    }

    /// One item more is to be dealt with.
    pub(super) fn put(&self) {
        self.unfinished.set(self.unfinished.get() + 1);
    }

    /// One less; false when there is none.
    pub(super) fn task_done(&self) -> bool {
        let left = self.unfinished.get().checked_sub(1);
        if let Some(left) = left {
            self.unfinished.set(left);
            self.queue.task_done();
        }
        left.is_some()
    }
}

impl Ends {
    fn new() -> Self {
        let (sender, receiver) = oneshot();
        Ends {
            sender: RefCell::new(Some(sender)),
            receiver: RefCell::new(Some(Rc::new(receiver))),
        }
    }
}

/// Who is inside a lock for readers and writers.
#[derive(Default)]
pub(super) struct Crowd {
    /// Readers.
    readers: Cell<usize>,

    /// Writers.
    writers: Cell<usize>,
}

/// A reader or writer is inside until this is dropped.
pub(super) struct Among<'a>(&'a Cell<usize>);

impl<'a> Among<'a> {
    pub(super) fn reader(world: &World, crowd: &'a Crowd) -> Self {
        Among::new(world, crowd, &crowd.readers)
    }

    pub(super) fn writer(world: &World, crowd: &'a Crowd) -> Self {
        Among::new(world, crowd, &crowd.writers)
    }

    fn new(world: &World, crowd: &'a Crowd, kind: &'a Cell<usize>) -> Self {
        kind.set(kind.get() + 1);
        let (readers, writers) = (crowd.readers.get(), crowd.writers.get());
        if writers > 1 || writers == 1 && readers > 0 {
            world.fault(format!(
                "{writers} writers and {readers} readers are inside"
            ));
        }
        Among(kind)
    }
}

impl Drop for Among<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
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
