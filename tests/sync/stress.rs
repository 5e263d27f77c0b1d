//! Many random operations, cancelled and timed out at random: nothing is lost, nothing doubled, nobody left waiting.
//!
//! Seeded: a failure names its seed. `GREENTHREAD_STRESS` is the number of operations of each test, 20,000 unless set.

use std::cell::Cell;
use std::sync::{Arc, Mutex as OsMutex};
use std::time::Duration;

use greenthread::channel::{Receiver, Sender, bounded, unbounded};
use greenthread::sync::{
    Barrier, Condvar, Event, Mutex, OnceLock, Queue, ReentrantMutex, RwLock, Semaphore,
};
use greenthread::{GreenThread, JoinHandle, catch_cancel, run, sleep, spawn, timeout, yield_now};

use crate::virtual_time;

/// Green threads that put, and as many that get.
const WORKERS: u64 = 8;

fn operations() -> u64 {
    let set = std::env::var("GREENTHREAD_STRESS").ok();
    set.map_or(20_000, |count| count.parse().expect("a number"))
}

/// Numbers from a seed: Marsaglia's xorshift.
struct Random(Cell<u64>);

impl Random {
    fn new(seed: u64) -> Self {
        Random(Cell::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1))
    }

    fn below(&self, bound: u64) -> u64 {
        let mut x = self.0.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.0.set(x);
        (x >> 11) % bound
    }
}

/// Runs `operation` with a random deadline, consuming a cancellation.
fn disturbed(random: &Random, operation: impl FnOnce()) {
    let limit = Duration::from_micros(random.below(200));
    let _ = catch_cancel(|| timeout(limit, operation));
    match random.below(4) {
        0 => drop(catch_cancel(yield_now)),
        1 => drop(catch_cancel(|| {
            sleep(Duration::from_micros(random.below(50)))
        })),
        _ => {}
    }
}

/// A green thread that does `count` operations, all of them disturbed.
fn worker(seed: u64, count: u64, mut operation: impl FnMut(&Random) + 'static) -> JoinHandle<()> {
    spawn(move || {
        let random = Random::new(seed);
        for _ in 0..count {
            disturbed(&random, || operation(&random));
        }
    })
}

/// Cancels the workers at random until all have ended.
fn disturb(seed: u64, workers: Vec<JoinHandle<()>>) {
    let random = Random::new(seed);
    let threads: Vec<GreenThread> = workers.iter().map(|w| w.thread().clone()).collect();
    while !workers.iter().all(JoinHandle::is_finished) {
        threads[random.below(threads.len() as u64) as usize].cancel();
        sleep(Duration::from_micros(random.below(20)));
    }
    for (worker, thread) in workers.into_iter().zip(threads) {
        let ended = worker.join();
        assert!(
            ended.is_ok() || ended.unwrap_err().is_cancelled(),
            "{thread:?} under seed {seed}"
        );
    }
}

/// Where numbers go in and come out.
trait Exchange: Send + Sync {
    fn put(&self, number: u64) -> bool;

    fn get(&self) -> Option<u64>;

    fn try_get(&self) -> Option<u64>;
}

impl Exchange for (Sender<u64>, Receiver<u64>) {
    fn put(&self, number: u64) -> bool {
        self.0.send(number).is_ok()
    }

    fn get(&self) -> Option<u64> {
        self.1.recv().ok()
    }

    fn try_get(&self) -> Option<u64> {
        self.1.try_recv().ok()
    }
}

impl Exchange for Queue<u64> {
    fn put(&self, number: u64) -> bool {
        Queue::put(self, number).is_ok()
    }

    fn get(&self) -> Option<u64> {
        Queue::get(self).ok()
    }

    fn try_get(&self) -> Option<u64> {
        Queue::try_get(self).ok()
    }
}

/// What went in and what came out.
#[derive(Default)]
struct Books {
    put: OsMutex<Vec<u64>>,
    got: OsMutex<Vec<u64>>,
}

fn exchangers(exchange: &Arc<dyn Exchange>, books: &Arc<Books>, seed: u64) -> Vec<JoinHandle<()>> {
    let each = operations() / (2 * WORKERS);
    let putters = (0..WORKERS).map(|n| {
        let (exchange, books) = (Arc::clone(exchange), Arc::clone(books));
        let mut number = seed * 1_000_000_000 + n * 10_000_000;
        worker(seed + n, each, move |_| {
            number += 1;
            if exchange.put(number) {
                books.put.lock().unwrap().push(number);
            }
        })
    });
    let getters = (0..WORKERS).map(|n| {
        let (exchange, books) = (Arc::clone(exchange), Arc::clone(books));
        worker(seed + WORKERS + n, each, move |_| {
            if let Some(number) = exchange.get() {
                books.got.lock().unwrap().push(number);
            }
        })
    });
    putters.chain(getters).collect()
}

/// Nothing lost, nothing doubled.
fn balance(exchange: &dyn Exchange, books: &Books) {
    let (mut put, mut got) = (books.put.lock().unwrap(), books.got.lock().unwrap());
    got.extend(std::iter::from_fn(|| exchange.try_get()));
    put.sort_unstable();
    got.sort_unstable();
    assert!(!put.is_empty());
    assert_eq!(put.len(), got.len());
    assert!(*put == *got);
}

fn on_one_os_thread(make: fn() -> Arc<dyn Exchange>) {
    for seed in 1..=3 {
        let (exchange, books) = (make(), Arc::default());
        virtual_time(|| disturb(seed, exchangers(&exchange, &books, seed)));
        balance(&*exchange, &books);
    }
}

fn on_two_os_threads(make: fn() -> Arc<dyn Exchange>) {
    let (exchange, books) = (make(), Arc::default());
    let threads = [11, 12].map(|seed| {
        let (exchange, books) = (Arc::clone(&exchange), Arc::clone(&books));
        std::thread::spawn(move || run(|| disturb(seed, exchangers(&exchange, &books, seed))))
    });
    for thread in threads {
        thread.join().unwrap();
    }
    balance(&*exchange, &books);
}

macro_rules! exchanges {
    ($($name:ident: $make:expr;)*) => { $(
        mod $name {
            use super::*;

            fn make() -> Arc<dyn Exchange> {
                Arc::new($make)
            }

            #[test]
            #[apply(on_roots)]
            fn l4_no_message_is_lost_or_doubled_on_one_os_thread() {
                on_one_os_thread(make);
            }

            #[test]
            #[apply(on_workers)]
            fn l4_no_message_is_lost_or_doubled_on_two_os_threads() {
                on_two_os_threads(make);
            }
        }
    )* };
}

exchanges! {
    channel_of_none: bounded(0);
    channel_of_one: bounded(1);
    channel_of_five: bounded(5);
    channel_unbounded: unbounded();
    queue: Queue::bounded(2);
    queue_lifo: Queue::lifo_bounded(2);
    queue_priority: Queue::priority_bounded(2);
}

/// Takes permits and holds them a while; once too often is seen by the count of those inside.
fn acquirers(semaphore: &Arc<Semaphore>, seed: u64) -> Vec<JoinHandle<()>> {
    let each = operations() / (2 * WORKERS);
    (0..2 * WORKERS)
        .map(|n| {
            let semaphore = Arc::clone(semaphore);
            worker(seed + n, each, move |random| {
                let permit = semaphore.acquire_many(random.below(4) as usize);
                if random.below(2) == 0 {
                    yield_now();
                }
                drop(permit);
            })
        })
        .collect()
}

#[test]
#[apply(on_roots)]
fn l4_no_permit_is_lost_or_doubled_on_one_os_thread() {
    for seed in 1..=3 {
        let semaphore = Arc::new(Semaphore::bounded(5));
        virtual_time(|| disturb(seed, acquirers(&semaphore, seed)));
        assert_eq!(semaphore.available(), 5);
    }
}

#[test]
#[apply(on_workers)]
fn l4_no_permit_is_lost_or_doubled_on_two_os_threads() {
    let semaphore = Arc::new(Semaphore::bounded(5));
    let threads = [21, 22].map(|seed| {
        let semaphore = Arc::clone(&semaphore);
        std::thread::spawn(move || run(|| disturb(seed, acquirers(&semaphore, seed))))
    });
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(semaphore.available(), 5);
}

/// A mutex, a condition and an event, all used by everybody.
#[derive(Default)]
struct Meeting {
    /// Added to in two steps, with a wait between them.
    sum: Mutex<(u64, u64)>,
    changed: Condvar,
    open: Event,
}

fn meet(meeting: &Arc<Meeting>, seed: u64) -> Vec<JoinHandle<()>> {
    let each = operations() / (2 * WORKERS);
    (0..2 * WORKERS)
        .map(|n| {
            let meeting = Arc::clone(meeting);
            worker(seed + n, each, move |random| match random.below(6) {
                0 => meeting.open.set(),
                1 => meeting.open.clear(),
                2 => meeting.open.wait(),
                3 => meeting.changed.wait(&mut meeting.sum.lock()),
                4 => meeting.changed.notify_one(),
                _ => {
                    let mut sum = meeting.sum.lock();
                    assert_eq!(sum.0, sum.1);
                    sum.0 += 1;
                    let waited = catch_cancel(yield_now);
                    sum.1 += 1;
                    drop(sum);
                    waited.unwrap_or_else(|cancelled| cancelled.resume());
                }
            })
        })
        .collect()
}

#[test]
#[apply(on_roots)]
fn l4_nobody_is_left_waiting_on_one_os_thread() {
    for seed in 1..=3 {
        let meeting = Arc::<Meeting>::default();
        virtual_time(|| disturb(seed, meet(&meeting, seed)));
        assert!(!meeting.sum.is_locked());
    }
}

#[test]
#[apply(on_workers)]
fn l4_nobody_is_left_waiting_on_two_os_threads() {
    let meeting = Arc::<Meeting>::default();
    let threads = [31, 32].map(|seed| {
        let meeting = Arc::clone(&meeting);
        std::thread::spawn(move || run(|| disturb(seed, meet(&meeting, seed))))
    });
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(!meeting.sum.is_locked());
}

/// Locks of all kinds, a barrier, and a value that is hard to make.
#[derive(Debug)]
struct House {
    /// Both numbers are equal whenever nobody writes.
    rooms: RwLock<(u64, u64)>,
    hall: ReentrantMutex<Cell<u64>>,
    door: Barrier,
    bell: OnceLock<u64>,
}

impl House {
    fn new() -> Arc<Self> {
        Arc::new(House {
            rooms: RwLock::default(),
            hall: ReentrantMutex::new(Cell::new(0)),
            door: Barrier::new(3),
            bell: OnceLock::new(),
        })
    }

    fn read(&self) {
        let rooms = self.rooms.read();
        yield_now();
        assert_eq!(rooms.0, rooms.1);
    }

    fn write(&self) {
        let mut rooms = self.rooms.write();
        rooms.0 += 1;
        let waited = catch_cancel(yield_now);
        rooms.1 += 1;
        drop(rooms);
        waited.unwrap_or_else(|cancelled| cancelled.resume());
    }

    fn enter_twice(&self) {
        let hall = self.hall.lock();
        let before = hall.get();
        let again = catch_cancel(|| {
            let hall = self.hall.lock();
            yield_now();
            hall.set(before + 1);
        });
        assert_eq!(hall.get(), before + u64::from(again.is_ok()));
        drop(hall);
        again.unwrap_or_else(|cancelled| cancelled.resume());
    }

    fn is_empty(&self) -> bool {
        !self.rooms.is_locked() && !self.hall.is_locked() && self.door.waiting() == 0
    }
}

fn visit(house: &Arc<House>, seed: u64) -> Vec<JoinHandle<()>> {
    let each = operations() / (2 * WORKERS);
    (0..2 * WORKERS)
        .map(|n| {
            let house = Arc::clone(house);
            worker(seed + n, each, move |random| match random.below(7) {
                0 => house.write(),
                1 | 2 => house.read(),
                3 => house.enter_twice(),
                4 => assert!(house.door.wait().is_ok_and(|met| met.position() < 3)),
                5 => assert_eq!(house.bell.get_or_try_init(try_to_ring), Err(())),
                _ => drop(house.bell.wait_timeout(Duration::from_micros(9))),
            })
        })
        .collect()
}

fn try_to_ring() -> Result<u64, ()> {
    yield_now();
    Err(())
}

#[test]
#[apply(on_roots)]
fn l4_no_lock_is_lost_on_one_os_thread() {
    for seed in 1..=3 {
        let house = House::new();
        virtual_time(|| disturb(seed, visit(&house, seed)));
        assert!(house.is_empty());
        assert_eq!(house.bell.get_or_init(|| 7), &7);
    }
}

#[test]
#[apply(on_workers)]
fn l4_no_lock_is_lost_on_two_os_threads() {
    let house = House::new();
    let threads = [41, 42].map(|seed| {
        let house = Arc::clone(&house);
        std::thread::spawn(move || run(|| disturb(seed, visit(&house, seed))))
    });
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(house.is_empty());
    assert_eq!(house.bell.get_or_init(|| 7), &7);
}
