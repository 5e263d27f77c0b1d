//! What the green threads of a program on workers share, and what they note.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use greenthread::channel::{Receiver, Sender, bounded, broadcast, oneshot, unbounded, watch};
use greenthread::sync::{
    Barrier, Condvar, Event, Mutex as GreenMutex, OnceLock, Queue, ReentrantMutex, RwLock,
    Semaphore,
};
use greenthread::{GreenThread, JoinHandle};

use crate::program::{self, Program};

/// Through what an item goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// The channel at this place.
    Channel(usize),

    /// The queue at this place.
    Queue(usize),

    /// The oneshot channel at this place.
    Oneshot(usize),
}

/// A lock of any kind, and who is inside by its own count.
pub(super) struct Watched<L> {
    /// The lock.
    pub(super) lock: L,

    /// How many are inside, or permits out; a writer counts as many as there can be.
    inside: AtomicIsize,

    /// As many may be.
    most: isize,
}

/// The sender of a oneshot channel, until it is used.
type OneSender = Mutex<Option<oneshot::Sender<usize>>>;

/// What is kept of a green thread for whoever takes it.
type Handle = JoinHandle<Result<(), usize>>;

/// Counts as many as all readers can be.
pub(super) const WRITER: isize = 1 << 20;

/// All of it.
pub(super) struct World {
    /// Mutexes.
    pub(super) mutexes: Vec<Watched<GreenMutex<()>>>,

    /// Semaphores.
    pub(super) semaphores: Vec<Watched<Semaphore>>,

    /// Locks for readers and writers.
    pub(super) rw_locks: Vec<Watched<RwLock<()>>>,

    /// Mutexes that their owner may take again, and the number of whoever is inside.
    pub(super) agains: Vec<ReentrantMutex<AtomicUsize>>,

    /// Channels.
    pub(super) channels: Vec<(Sender<usize>, Receiver<usize>)>,

    /// Queues.
    pub(super) queues: Vec<Queue<usize>>,

    /// Oneshot channels; a sender is used once.
    pub(super) oneshots: Vec<(OneSender, oneshot::Receiver<usize>)>,

    /// Broadcast channels.
    pub(super) broadcasts: Vec<(broadcast::Sender<usize>, [broadcast::Receiver<usize>; 2])>,

    /// Watched values.
    pub(super) watches: Vec<(watch::Sender<usize>, [watch::Receiver<usize>; 2])>,

    /// Events.
    pub(super) events: Vec<Event>,

    /// Condition variables.
    pub(super) condvars: Vec<Condvar>,

    /// Barriers.
    pub(super) barriers: Vec<Barrier>,

    /// Values that are written once, and how often each was made.
    pub(super) onces: Vec<(OnceLock<usize>, AtomicUsize)>,

    /// Which green threads have begun.
    began: Vec<AtomicBool>,

    /// Which have ended.
    ended: Vec<AtomicBool>,

    /// The handles that nobody has taken, by the numbers of the green threads; none are kept when the root has done its part.
    handles: Mutex<Option<Vec<Option<Handle>>>>,

    /// Every green thread that was started, for cancelling.
    threads: Mutex<Vec<Option<GreenThread>>>,

    /// How often each item was sent.
    sent: Mutex<BTreeMap<(Way, usize), usize>>,

    /// How often each was received.
    got: Mutex<BTreeMap<(Way, usize), usize>>,

    /// What each receiver of a broadcast channel has heard.
    heard: Mutex<BTreeMap<(usize, usize, usize), usize>>,

    /// What must never be.
    faults: Mutex<Vec<String>>,
}

/// A green thread runs until this is dropped.
pub(super) struct Living<'a>(&'a World, usize);

impl<'a> Living<'a> {
    pub(super) fn new(world: &'a World, number: usize) -> Self {
        world.began[number].store(true, Ordering::SeqCst);
        Living(world, number)
    }
}

impl Drop for Living<'_> {
    fn drop(&mut self) {
        self.0.ended[self.1].store(true, Ordering::SeqCst);
    }
}

/// So many are inside until this is dropped.
pub(super) struct Inside<'a>(&'a AtomicIsize, isize);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::SeqCst);
    }
}

impl<L> Watched<L> {
    fn new(lock: L, most: isize) -> Self {
        let inside = AtomicIsize::new(0);
        Watched { lock, inside, most }
    }

    pub(super) fn enter(&self, world: &World, weight: isize) -> Inside<'_> {
        let inside = self.inside.fetch_add(weight, Ordering::SeqCst) + weight;
        if inside > self.most {
            world.fault(format!("{inside} are inside of a lock for {}", self.most));
        }
        Inside(&self.inside, weight)
    }
}

/// Nothing that is held here panics.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn many<T>(count: usize, make: impl Fn() -> T) -> Vec<T> {
    (0..count).map(|_| make()).collect()
}

impl World {
    pub(super) fn new(program: &Program) -> Self {
        let (objects, threads) = (&program.objects, program.threads());
        let permits = objects.semaphores.iter().copied();
        World {
            mutexes: many(objects.mutexes, || Watched::new(GreenMutex::default(), 1)),
            semaphores: permits
                .map(|n| Watched::new(Semaphore::new(n), n as isize))
                .collect(),
            rw_locks: many(objects.rw_locks, || Watched::new(RwLock::default(), WRITER)),
            agains: many(objects.reentrants, ReentrantMutex::default),
            channels: objects.channels.iter().copied().map(channel).collect(),
            queues: objects.queues.iter().copied().map(queue).collect(),
            oneshots: many(objects.oneshots, || {
                let (sender, receiver) = oneshot();
                (Mutex::new(Some(sender)), receiver)
            }),
            broadcasts: objects.broadcasts.iter().copied().map(crier).collect(),
            watches: many(objects.watches, || {
                let (sender, first) = watch(0);
                let second = sender.subscribe();
                (sender, [first, second])
            }),
            events: many(objects.events, Event::new),
            condvars: many(objects.condvars, Condvar::new),
            barriers: objects.barriers.iter().copied().map(Barrier::new).collect(),
            onces: many(objects.onces, Default::default),
            began: many(threads, || AtomicBool::new(false)),
            ended: many(threads, || AtomicBool::new(false)),
            handles: Mutex::new(Some(many(threads, || None))),
            threads: Mutex::new(vec![None; threads]),
            sent: Mutex::default(),
            got: Mutex::default(),
            heard: Mutex::default(),
            faults: Mutex::default(),
        }
    }

    /// What must never be has been.
    pub(super) fn fault(&self, what: String) {
        held(&self.faults).push(what);
    }

    pub(super) fn started(&self, number: usize, thread: GreenThread) {
        held(&self.threads)[number] = Some(thread);
    }

    pub(super) fn thread(&self, number: usize) -> Option<GreenThread> {
        held(&self.threads)[number].clone()
    }

    /// Keeps a handle for whoever takes it.
    pub(super) fn keep(&self, number: usize, handle: Handle) {
        let late = match &mut *held(&self.handles) {
            Some(handles) => handles[number].replace(handle),
            None => Some(handle),
        };
        drop(late);
    }

    pub(super) fn take(&self, number: usize) -> Option<Handle> {
        held(&self.handles).as_mut()?.get_mut(number)?.take()
    }

    /// The root has done its part.
    pub(super) fn close(&self) {
        let handles = held(&self.handles).take();
        drop(handles);
    }

    pub(super) fn sent(&self, way: Way, item: usize) {
        *held(&self.sent).entry((way, item)).or_default() += 1;
    }

    pub(super) fn got(&self, way: Way, item: usize) {
        *held(&self.got).entry((way, item)).or_default() += 1;
    }

    pub(super) fn heard(&self, place: usize, which: usize, item: usize) {
        let mut heard = held(&self.heard);
        *heard.entry((place, which, item)).or_default() += 1;
    }

    /// It was waited for: it must have ended, or never begun.
    pub(super) fn expect_over(&self, number: usize) {
        let began = self.began[number].load(Ordering::SeqCst);
        if began && !self.ended[number].load(Ordering::SeqCst) {
            self.fault(format!("thread {number} was waited for and has not ended"));
        }
    }

    /// Looks round when all have ended.
    pub(super) fn faults_at_the_end(&self) -> Vec<String> {
        (1..self.began.len()).for_each(|number| self.expect_over(number));
        self.expect_locks_free();
        self.take_what_is_left();
        let (sent, got) = (held(&self.sent), held(&self.got));
        if *sent != *got {
            self.fault(format!("sent {sent:?}, but received {got:?}"));
        }
        for (what, times) in held(&self.heard).iter().filter(|(_, times)| **times > 1) {
            self.fault(format!("{what:?} was heard {times} times"));
        }
        std::mem::take(&mut held(&self.faults))
    }

    fn expect_locks_free(&self) {
        let mutexes = self.mutexes.iter();
        let held = mutexes.filter(|mutex| mutex.lock.is_locked()).count()
            + self.agains.iter().filter(|again| again.is_locked()).count();
        let semaphores = self.semaphores.iter();
        let out = semaphores
            .map(|semaphore| semaphore.most - semaphore.lock.available() as isize)
            .sum::<isize>();
        let locks = self.rw_locks.iter();
        let busy = locks
            .filter(|watched| watched.lock.try_write().is_none())
            .count();
        if (held, out, busy) != (0, 0, 0) {
            self.fault(format!(
                "{held} mutexes and {busy} locks are held, {out} permits are out"
            ));
        }
        for (once, made) in &self.onces {
            let made = made.load(Ordering::SeqCst);
            if made != usize::from(once.get().is_some()) {
                self.fault(format!("a value was made {made} times"));
            }
        }
    }

    /// What nobody has received counts as received now.
    fn take_what_is_left(&self) {
        for (place, (_, receiver)) in self.channels.iter().enumerate() {
            receiver
                .try_iter()
                .for_each(|item| self.got(Way::Channel(place), item));
        }
        for (place, queue) in self.queues.iter().enumerate() {
            while let Ok(item) = queue.try_get() {
                self.got(Way::Queue(place), item);
            }
        }
        for (place, (_, receiver)) in self.oneshots.iter().enumerate() {
            let left = receiver.try_recv().ok();
            left.into_iter()
                .for_each(|item| self.got(Way::Oneshot(place), item));
        }
    }
}

fn channel(capacity: Option<usize>) -> (Sender<usize>, Receiver<usize>) {
    capacity.map_or_else(unbounded, bounded)
}

fn queue(kind: program::Queue) -> Queue<usize> {
    match kind {
        program::Queue::Line(None) => Queue::unbounded(),
        program::Queue::Line(Some(most)) => Queue::bounded(most),
        program::Queue::Pile(None) => Queue::lifo(),
        program::Queue::Pile(Some(most)) => Queue::lifo_bounded(most),
        program::Queue::Order(None) => Queue::priority(),
        program::Queue::Order(Some(most)) => Queue::priority_bounded(most),
    }
}

fn crier(capacity: usize) -> (broadcast::Sender<usize>, [broadcast::Receiver<usize>; 2]) {
    let (sender, first) = broadcast(capacity);
    let second = sender.subscribe();
    (sender, [first, second])
}
