//! may, with one worker where one OS thread is asked for, and two where two are.

#![expect(unsafe_code, reason = "may's spawn is unsafe")]

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use may::coroutine::{self, JoinHandle, yield_now};
use may::sync::{Semphore, mpsc};

use super::{RustPeer, Timers, each, moments, resources, servers};

/// See the head of the file.
pub const PEER: RustPeer = RustPeer {
    name: "may",
    package: "may",
    rows: &[
        ("yield_2", |count| yields(count, 2)),
        ("yield_1000", |count| yields(count, 1_000)),
        ("yield_100000", |count| yields(count, 100_000)),
        ("spawn_join", spawn_join),
        ("spawn_many", spawn_many),
        ("channel_1", |count| channel(count, 1, 1)),
        ("channel_64", |count| channel(count, 64, 1)),
        ("channel_64_two", |count| channel(count, 64, 2)),
        ("timers_cpu", |count| timers(count).cpu_of_each()),
        ("timers_late", |count| timers(count).late_at_99()),
        ("parked", |_| parked(20_000)),
        ("echo", |_| servers::may::echo()),
        ("http", |_| servers::may::http()),
    ],
};

fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    // SAFETY: may asks that the closure uses no thread-locals and fits its stack.
    unsafe { coroutine::spawn(f) }
}

fn join<T>(handle: JoinHandle<T>) -> T {
    handle
        .join()
        .unwrap_or_else(|_| panic!("it ends by itself"))
}

/// Each of them yields its share, and all are joined: its queues do not take strict turns, so one of them alone says nothing.
fn yields(count: u64, coroutines: u64) -> f64 {
    may::config().set_workers(1);
    let rounds = (count / coroutines).max(1);
    each(rounds * coroutines, || {
        let all: Vec<_> = (0..coroutines)
            .map(|_| spawn(move || (0..rounds).for_each(|_| yield_now())))
            .collect();
        all.into_iter().for_each(join);
    })
}

fn spawn_join(count: u64) -> f64 {
    may::config().set_workers(1);
    join(spawn(move || {
        each(count, || {
            for value in 0..count {
                assert_eq!(join(spawn(move || black_box(value))), value);
            }
        })
    }))
}

fn spawn_many(count: u64) -> f64 {
    may::config().set_workers(1);
    join(spawn(move || {
        each(count, || {
            for _ in 0..count / 100_000 {
                let handles: Vec<_> = (0..100_000_u64).map(|value| spawn(move || value)).collect();
                black_box(handles.into_iter().map(join).sum::<u64>());
            }
        })
    }))
}

/// may's channels are unbounded: a semaphore counts the places.
fn channel(count: u64, capacity: usize, workers: usize) -> f64 {
    may::config().set_workers(workers);
    let places = Arc::new(Semphore::new(capacity));
    let free = Arc::clone(&places);
    let (sender, receiver) = mpsc::channel();
    each(count, || {
        let producer = spawn(move || {
            for value in 0..count {
                places.wait();
                sender.send(value).expect("a receiver");
            }
        });
        let consumer = spawn(move || {
            let taken = receiver.iter().inspect(|_| free.post());
            taken.sum::<u64>()
        });
        assert_eq!(join(consumer), count * (count - 1) / 2);
        join(producer);
    })
}

fn timers(count: u64) -> Timers {
    may::config().set_workers(1);
    // It dies at some 32,000 coroutines, so there are fewer.
    let count = count.min(20_000);
    let timers = Arc::new(Mutex::new(Timers::begin(count)));
    let begin = Instant::now() + Duration::from_millis(100);
    let handles: Vec<_> = moments(count)
        .map(|moment| {
            let (timers, due) = (Arc::clone(&timers), begin + moment);
            spawn(move || {
                coroutine::sleep(due.saturating_duration_since(Instant::now()));
                timers.lock().expect("whole").late.push(due.elapsed());
            })
        })
        .collect();
    handles.into_iter().for_each(join);
    let timers = Arc::into_inner(timers).expect("all have ended");
    timers.into_inner().expect("whole")
}

fn parked(count: u64) -> f64 {
    may::config().set_workers(1);
    join(spawn(|| ()));
    let before = resources::memory();
    let gate = Arc::new(Semphore::new(0));
    let begun = Arc::new(std::sync::atomic::AtomicU64::new(0));
    for _ in 0..count {
        let (gate, begun) = (Arc::clone(&gate), Arc::clone(&begun));
        drop(spawn(move || {
            begun.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            gate.wait();
        }));
    }
    while begun.load(std::sync::atomic::Ordering::Relaxed) < count {
        std::thread::yield_now();
    }
    let cost = (resources::memory() - before) as f64 / count as f64;
    (0..count).for_each(|_| gate.post());
    cost
}
