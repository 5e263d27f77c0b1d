//! Every way to wait, under one face.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use greenthread::channel::{self, Receiver, RecvTimeoutError, Sender};
use greenthread::sync::{
    Barrier, BarrierTimeoutError, Condvar, Event, Mutex, OnceLock, OwnedMutexGuard,
    OwnedRwLockWriteGuard, Queue, ReentrantMutex, RwLock, Semaphore,
};

/// What becomes of a grant that its waiter does not use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One grant lets one waiter go on; unused it goes to the next, or is kept for whoever comes.
    Token,

    /// The same, but nothing is kept when nobody waits.
    Signal,

    /// A grant lets everybody go on who waits.
    Broadcast,

    /// A value that has left its sender: always delivered.
    Delivery,
}

/// Something to wait for.
pub(crate) trait Subject: Send + Sync {
    /// Waits for a grant.
    fn wait(&self);

    /// Waits for a grant, at most for `limit`; true when it came.
    fn wait_timeout(&self, limit: Duration) -> bool;

    /// Grants once. Does not block.
    fn grant(&self);

    /// What its grants are.
    fn kind(&self) -> Kind;
}

/// A mutex that the test holds; a grant gives it back.
pub(crate) struct MutexLock {
    /// The mutex.
    mutex: Arc<Mutex<()>>,

    /// Who has it.
    held: std::sync::Mutex<Option<OwnedMutexGuard<()>>>,
}

impl MutexLock {
    pub(crate) fn new() -> Self {
        let mutex = Arc::new(Mutex::new(()));
        let held = std::sync::Mutex::new(mutex.try_lock_owned());
        MutexLock { mutex, held }
    }

    fn hold(&self, guard: OwnedMutexGuard<()>) {
        let before = self.held.lock().unwrap().replace(guard);
        assert!(before.is_none(), "two guards of one mutex");
    }
}

impl Subject for MutexLock {
    fn wait(&self) {
        let guard = self.mutex.lock_owned();
        self.hold(guard);
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        match self.mutex.lock_timeout(limit) {
            // What is granted here stays granted: the guard moves to one that may be stored.
            Ok(guard) => {
                drop(guard);
                self.hold(self.mutex.try_lock_owned().expect("nobody else waits"));
                true
            }
            Err(_) => false,
        }
    }

    fn grant(&self) {
        let guard = self.held.lock().unwrap().take();
        drop(guard.expect("the mutex is held when it is granted"));
    }

    fn kind(&self) -> Kind {
        Kind::Token
    }
}

/// A lock for writers that the test holds; a grant gives it back.
pub(crate) struct RwLockWrite {
    /// The lock.
    lock: Arc<RwLock<()>>,

    /// Who has it.
    held: std::sync::Mutex<Option<OwnedRwLockWriteGuard<()>>>,
}

impl RwLockWrite {
    pub(crate) fn new() -> Self {
        let lock = Arc::new(RwLock::new(()));
        let held = std::sync::Mutex::new(lock.try_write_owned());
        RwLockWrite { lock, held }
    }

    fn hold(&self, guard: OwnedRwLockWriteGuard<()>) {
        let before = self.held.lock().unwrap().replace(guard);
        assert!(before.is_none(), "two writers");
    }
}

impl Subject for RwLockWrite {
    fn wait(&self) {
        let guard = self.lock.write_owned();
        self.hold(guard);
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        let granted = self.lock.write_timeout(limit).is_ok();
        if granted {
            self.hold(self.lock.try_write_owned().expect("nobody else waits"));
        }
        granted
    }

    fn grant(&self) {
        let guard = self.held.lock().unwrap().take();
        drop(guard.expect("the lock is held when it is granted"));
    }

    fn kind(&self) -> Kind {
        Kind::Token
    }
}

/// An OS thread that holds a lock, gives it back when asked, and takes its place in line again.
struct Holder(std::sync::Mutex<mpsc::Sender<mpsc::Sender<()>>>);

impl Holder {
    /// `hold` takes the lock, calls what it is given, and gives the lock back.
    fn new(hold: impl Fn(&mut dyn FnMut()) + Send + 'static) -> Self {
        let (ask, asked) = mpsc::channel::<mpsc::Sender<()>>();
        let (ready, is_ready) = mpsc::channel();
        std::thread::spawn(move || {
            loop {
                let mut done = None;
                hold(&mut || {
                    let _ = ready.send(());
                    done = asked.recv().ok();
                });
                match done {
                    Some(done) => drop(done.send(())),
                    None => return,
                }
            }
        });
        is_ready.recv().unwrap();
        Holder(std::sync::Mutex::new(ask))
    }

    /// Returns when the lock was given back.
    fn give_back(&self) {
        let (done, is_done) = mpsc::channel();
        self.0.lock().unwrap().send(done).unwrap();
        is_done.recv().unwrap();
    }
}

/// A lock that a writer holds; a grant lets all readers in.
pub(crate) struct RwLockRead(Arc<RwLock<()>>, Holder);

impl RwLockRead {
    pub(crate) fn new() -> Self {
        let lock = Arc::new(RwLock::new(()));
        let own = Arc::clone(&lock);
        let holder = Holder::new(move |until| {
            let _writer = own.write();
            until();
        });
        RwLockRead(lock, holder)
    }
}

impl Subject for RwLockRead {
    fn wait(&self) {
        drop(self.0.read());
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        self.0.read_timeout(limit).is_ok()
    }

    fn grant(&self) {
        self.1.give_back();
    }

    fn kind(&self) -> Kind {
        Kind::Broadcast
    }
}

/// A lock that another green thread owns; a grant hands it from one to the next until all who waited had it.
pub(crate) struct ReentrantLock(Arc<ReentrantMutex<()>>, Holder);

impl ReentrantLock {
    pub(crate) fn new() -> Self {
        let mutex = Arc::new(ReentrantMutex::new(()));
        let own = Arc::clone(&mutex);
        let holder = Holder::new(move |until| {
            let _outer = own.lock();
            let _again = own.lock();
            until();
        });
        ReentrantLock(mutex, holder)
    }
}

impl Subject for ReentrantLock {
    fn wait(&self) {
        drop(self.0.lock());
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        self.0.lock_timeout(limit).is_ok()
    }

    fn grant(&self) {
        self.1.give_back();
    }

    fn kind(&self) -> Kind {
        Kind::Broadcast
    }
}

/// A meeting that is never complete; a grant sends away who waits.
pub(crate) struct BarrierWaits(Barrier);

impl BarrierWaits {
    pub(crate) fn new() -> Self {
        BarrierWaits(Barrier::new(usize::MAX))
    }
}

impl Subject for BarrierWaits {
    fn wait(&self) {
        self.0.wait().unwrap_err();
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        self.0.wait_timeout(limit) == Err(BarrierTimeoutError::Broken)
    }

    fn grant(&self) {
        self.0.reset();
    }

    fn kind(&self) -> Kind {
        Kind::Broadcast
    }
}

/// A value to come; a grant writes it, and puts a new one in its place.
#[derive(Default)]
pub(crate) struct OnceWait(std::sync::Mutex<Arc<OnceLock<u32>>>);

impl OnceWait {
    fn present(&self) -> Arc<OnceLock<u32>> {
        Arc::clone(&self.0.lock().unwrap())
    }
}

impl Subject for OnceWait {
    fn wait(&self) {
        assert_eq!(*self.present().wait(), 1);
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        self.present().wait_timeout(limit).is_ok()
    }

    fn grant(&self) {
        let present = std::mem::take(&mut *self.0.lock().unwrap());
        present.set(1).unwrap();
    }

    fn kind(&self) -> Kind {
        Kind::Broadcast
    }
}

/// A value that a green thread of another OS thread is making; a grant lets it end.
pub(crate) struct OnceInit(std::sync::Mutex<(Arc<OnceLock<u32>>, Holder)>);

impl OnceInit {
    pub(crate) fn new() -> Self {
        OnceInit(std::sync::Mutex::new(OnceInit::fresh()))
    }

    fn fresh() -> (Arc<OnceLock<u32>>, Holder) {
        let once = Arc::new(OnceLock::new());
        let own = Arc::clone(&once);
        let holder = Holder::new(move |until| {
            if own.get().is_some() {
                // It was granted: only the end is left to wait for.
                return until();
            }
            own.get_or_init(|| {
                until();
                1
            });
        });
        (once, holder)
    }
}

impl Subject for OnceInit {
    fn wait(&self) {
        let once = Arc::clone(&self.0.lock().unwrap().0);
        once.get_or_init(|| unreachable!("another makes it"));
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        greenthread::timeout(limit, || self.wait()).is_ok()
    }

    fn grant(&self) {
        let before = std::mem::replace(&mut *self.0.lock().unwrap(), OnceInit::fresh());
        before.1.give_back();
    }

    fn kind(&self) -> Kind {
        Kind::Broadcast
    }
}

pub(crate) struct SemaphoreAcquire(pub(crate) Semaphore);

impl Subject for SemaphoreAcquire {
    fn wait(&self) {
        self.0.acquire().forget();
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        self.0
            .acquire_timeout(limit)
            .map(greenthread::sync::Permit::forget)
            .is_ok()
    }

    fn grant(&self) {
        self.0.release(1);
    }

    fn kind(&self) -> Kind {
        Kind::Token
    }
}

/// Two permits at once, granted together.
pub(crate) struct SemaphoreMany(pub(crate) Semaphore);

impl Subject for SemaphoreMany {
    fn wait(&self) {
        self.0.acquire_many(2).forget();
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        let permits = self.0.acquire_many_timeout(2, limit);
        permits.map(greenthread::sync::Permit::forget).is_ok()
    }

    fn grant(&self) {
        self.0.release(2);
    }

    fn kind(&self) -> Kind {
        Kind::Token
    }
}

pub(crate) struct EventWait(pub(crate) Event);

impl Subject for EventWait {
    fn wait(&self) {
        self.0.wait();
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        self.0.wait_timeout(limit).is_ok()
    }

    fn grant(&self) {
        self.0.set();
        self.0.clear();
    }

    fn kind(&self) -> Kind {
        Kind::Broadcast
    }
}

#[derive(Default)]
pub(crate) struct CondvarWait {
    mutex: Mutex<()>,
    condvar: Condvar,
}

impl Subject for CondvarWait {
    fn wait(&self) {
        let mut guard = self.mutex.lock();
        self.condvar.wait(&mut guard);
        assert!(self.mutex.is_locked());
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        let mut guard = self.mutex.lock();
        self.condvar.wait_timeout(&mut guard, limit)
    }

    fn grant(&self) {
        self.condvar.notify_one();
    }

    fn kind(&self) -> Kind {
        Kind::Signal
    }
}

pub(crate) struct QueueGet(pub(crate) Queue<u32>);

impl Subject for QueueGet {
    fn wait(&self) {
        self.0.get().unwrap();
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        self.0.get_timeout(limit).is_ok()
    }

    fn grant(&self) {
        self.0.try_put(1).unwrap();
    }

    fn kind(&self) -> Kind {
        Kind::Token
    }
}

/// A queue that is full; a grant makes room.
pub(crate) struct QueuePut(Queue<u32>);

impl QueuePut {
    pub(crate) fn of(queue: Queue<u32>) -> Self {
        while queue.try_put(0).is_ok() {}
        QueuePut(queue)
    }
}

impl Subject for QueuePut {
    fn wait(&self) {
        self.0.put(1).unwrap();
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        self.0.put_timeout(1, limit).is_ok()
    }

    fn grant(&self) {
        self.0.try_get().unwrap();
    }

    fn kind(&self) -> Kind {
        Kind::Token
    }
}

/// A queue with work under way; a grant reports it done, and puts some more.
pub(crate) struct QueueJoin(Queue<u32>);

impl QueueJoin {
    pub(crate) fn new() -> Self {
        let queue = Queue::unbounded();
        queue.put(1).unwrap();
        QueueJoin(queue)
    }
}

impl Subject for QueueJoin {
    fn wait(&self) {
        self.0.join();
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        self.0.join_timeout(limit).is_ok()
    }

    fn grant(&self) {
        self.0.task_done();
        self.0.put(1).unwrap();
    }

    fn kind(&self) -> Kind {
        Kind::Broadcast
    }
}

/// Receiving from a channel of this capacity.
pub(crate) struct Recv(pub(crate) (Sender<u32>, Receiver<u32>));

impl Subject for Recv {
    fn wait(&self) {
        self.0.1.recv().unwrap();
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        match self.0.1.recv_timeout(limit) {
            Ok(_) => true,
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => panic!("a sender is there"),
        }
    }

    fn grant(&self) {
        self.0.0.try_send(1).unwrap();
    }

    fn kind(&self) -> Kind {
        kind_of(&self.0.1)
    }
}

/// Sending into a channel that is full; a grant receives.
pub(crate) struct Sending((Sender<u32>, Receiver<u32>));

impl Sending {
    pub(crate) fn of(ends: (Sender<u32>, Receiver<u32>)) -> Self {
        while ends.0.try_send(0).is_ok() {}
        Sending(ends)
    }
}

impl Subject for Sending {
    fn wait(&self) {
        self.0.0.send(1).unwrap();
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        self.0.0.send_timeout(1, limit).is_ok()
    }

    fn grant(&self) {
        self.0.1.try_recv().unwrap();
    }

    fn kind(&self) -> Kind {
        kind_of(&self.0.1)
    }
}

fn kind_of(receiver: &Receiver<u32>) -> Kind {
    if receiver.capacity() == Some(0) {
        Kind::Delivery
    } else {
        Kind::Token
    }
}

/// A channel with room for every grant of a test.
pub(crate) fn roomy() -> (Sender<u32>, Receiver<u32>) {
    channel::bounded(10_000)
}
