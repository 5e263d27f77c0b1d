//! What may cross to other OS threads, and what must not (D1): asked of the compiler for every type that holds something. And what crosses while it is being joined.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;

use greenthread::channel::{self, broadcast, oneshot, watch};
use greenthread::generator::{Generator, Raised, Yielder};
use greenthread::sync::{
    Barrier, Condvar, Event, LazyLock, Mutex, MutexGuard, OnceLock, OwnedMutexGuard, OwnedPermit,
    OwnedRwLockReadGuard, OwnedRwLockWriteGuard, Permit, Queue, ReentrantMutex,
    ReentrantMutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, Semaphore,
};
use greenthread::{
    AsCompleted, CancelOnDrop, Cancelled, GatherError, GreenThread, JoinError, JoinHandle, JoinSet,
    Limit, Runtime, Scope, ScopedJoinHandle, SharedHandle, Spawner, TryScope, current, spawn,
    yield_now,
};

fn send<T: ?Sized + Send>() {}

fn sync<T: ?Sized + Sync>() {}

/// Fails to compile when the type has the trait: then which of two items is meant is not clear.
macro_rules! has_not {
    ($trait:ident: $($type:ty),+ $(,)?) => {$(
        const _: () = {
            trait Unless<A> {
                const IT: () = ();
            }
            struct Has;
            impl<T: ?Sized> Unless<()> for T {}
            impl<T: ?Sized + $trait> Unless<Has> for T {}
            <$type as Unless<_>>::IT
        };
    )+};
}

/// Neither may be sent nor shared.
type Pinned = Rc<u8>;

/// May be sent, not shared.
type Unshared = Cell<u8>;

has_not!(Send:
    Generator<(), (), ()>, Generator<u8, u8, u8>, &'static Yielder<(), ()>, &'static Generator<(), (), ()>,
    &'static Scope<'static, 'static>, &'static TryScope<'static, 'static, u8>, Scope<'static, 'static>,
    Cancelled, Runtime, Limit<'static>,
    JoinHandle<Pinned>, SharedHandle<Pinned>, SharedHandle<Unshared>, CancelOnDrop<Pinned>, ScopedJoinHandle<'static, Pinned>,
    JoinSet<Pinned>, AsCompleted<Pinned>, GatherError<Pinned, u8>, GatherError<u8, Pinned>,
    MutexGuard<'static, Pinned>, OwnedMutexGuard<Pinned>, ReentrantMutexGuard<'static, u8>,
    RwLockReadGuard<'static, Pinned>, RwLockReadGuard<'static, Unshared>, RwLockWriteGuard<'static, Pinned>, OwnedRwLockReadGuard<Pinned>,
    OwnedRwLockReadGuard<Unshared>, OwnedRwLockWriteGuard<Pinned>,
    Mutex<Pinned>, RwLock<Pinned>, OnceLock<Pinned>, Queue<Pinned>, LazyLock<Pinned>,
    channel::Sender<Pinned>, channel::Receiver<Pinned>, oneshot::Sender<Pinned>, oneshot::Receiver<Pinned>,
    broadcast::Sender<Pinned>, broadcast::Receiver<Unshared>, watch::Sender<Unshared>, watch::Receiver<Pinned>, watch::Ref<Unshared>,
);

has_not!(Sync:
    Generator<(), (), ()>, Yielder<(), ()>, Scope<'static, 'static>, TryScope<'static, 'static, u8>, Cancelled, Runtime, Limit<'static>,
    JoinHandle<Unshared>, JoinHandle<Pinned>, SharedHandle<Unshared>, CancelOnDrop<Unshared>, ScopedJoinHandle<'static, Unshared>,
    JoinSet<Unshared>, MutexGuard<'static, Unshared>, OwnedMutexGuard<Unshared>, ReentrantMutexGuard<'static, Unshared>,
    RwLockReadGuard<'static, Unshared>, RwLockWriteGuard<'static, Unshared>, OwnedRwLockReadGuard<Unshared>, OwnedRwLockWriteGuard<Unshared>,
    Mutex<Pinned>, ReentrantMutex<Pinned>, RwLock<Unshared>, RwLock<Pinned>, OnceLock<Unshared>, LazyLock<Unshared>, Queue<Pinned>,
    channel::Sender<Pinned>, channel::Receiver<Pinned>, broadcast::Sender<Unshared>, broadcast::Receiver<Unshared>,
    watch::Sender<Unshared>, watch::Receiver<Unshared>, watch::Ref<Unshared>, oneshot::Receiver<Pinned>,
);

#[test]
#[apply(on_workers)]
fn d1_what_may_cross_may() {
    send::<GreenThread>();
    sync::<GreenThread>();
    send::<Spawner>();
    sync::<Spawner>();
    send::<JoinHandle<Unshared>>();
    sync::<JoinHandle<u8>>();
    send::<SharedHandle<u8>>();
    sync::<SharedHandle<u8>>();
    send::<ScopedJoinHandle<'static, Unshared>>();
    send::<JoinSet<u8>>();
    send::<JoinError>();
    sync::<JoinError>();
    send::<Raised>();
    send::<Mutex<Unshared>>();
    sync::<Mutex<Unshared>>();
    sync::<ReentrantMutex<Unshared>>();
    send::<MutexGuard<'static, Unshared>>();
    send::<Permit<'static>>();
    sync::<Permit<'static>>();
    send::<OwnedPermit>();
    sync::<RwLock<u8>>();
    sync::<OnceLock<u8>>();
    sync::<Queue<Unshared>>();
    sync::<channel::Sender<Unshared>>();
    sync::<channel::Receiver<Unshared>>();
    sync::<(Barrier, Condvar, Event, Semaphore)>();
}

#[test]
#[apply(on_workers)]
fn d1_guards_and_permits_that_were_sent_away_are_given_back_there() {
    let lock: &'static Mutex<Cell<u32>> = Box::leak(Box::default());
    let permits: &'static Semaphore = Box::leak(Box::new(Semaphore::new(1)));
    let (guard, permit) = (lock.lock(), permits.acquire());
    let waits = greenthread::spawn(|| {
        let _permit = permits.acquire();
        lock.lock().get()
    });
    greenthread::yield_now();
    let other = std::thread::spawn(move || {
        guard.set(8);
        greenthread::spawn_anywhere(move || drop((guard, permit)))
            .join()
            .unwrap();
    });
    assert_eq!(waits.join().unwrap(), 8);
    other.join().unwrap();
}

#[test]
#[apply(on_workers)]
fn d1_handles_are_joined_shared_and_dropped_on_any_os_thread() {
    for round in 0..50 {
        let handles: Vec<_> = (0..6)
            .map(|n| greenthread::spawn(move || vec![n; 100]))
            .collect();
        let shared = greenthread::spawn(|| String::from("shared")).shared();
        let others: Vec<_> = handles
            .into_iter()
            .enumerate()
            .map(|(n, handle)| {
                let shared = shared.clone();
                std::thread::spawn(move || match (n + round) % 3 {
                    0 => drop(handle.join().unwrap()),
                    1 => drop(handle),
                    _ => {
                        handle.on_finish(|result| {
                            assert!(
                                result.is_ok()
                                    || result
                                        .as_ref()
                                        .is_err_and(greenthread::JoinError::is_cancelled)
                            )
                        });
                        handle.cancel();
                        drop((handle.join(), shared.join()));
                    }
                })
            })
            .collect();
        while !others.iter().all(std::thread::JoinHandle::is_finished) {
            greenthread::yield_now();
        }
        others.into_iter().for_each(|other| other.join().unwrap());
    }
}

#[test]
#[apply(on_roots)]
fn l1_one_that_is_being_joined_is_held_and_let_go_of_on_another_os_thread() {
    let (sender, receiver) = mpsc::channel::<GreenThread>();
    let other = thread::spawn(move || {
        let held = receiver.into_iter().map(|one| {
            let again = one.clone();
            drop(one);
            again.unpark();
            again.id()
        });
        held.collect::<Vec<_>>()
    });
    let mut joined = Vec::new();
    for turns in (0..3).cycle().take(2_000) {
        let sender = sender.clone();
        let child = spawn(move || {
            sender.send(current()).unwrap();
            (0..turns).for_each(|_| yield_now());
            current().id()
        });
        joined.push(child.join().unwrap());
    }
    drop(sender);
    assert_eq!(other.join().unwrap(), joined);
}
