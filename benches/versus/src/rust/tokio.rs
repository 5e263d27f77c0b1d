//! tokio: its current-thread runtime, and two workers where two OS threads are asked for.

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::channel as bounded;
use tokio::task::{JoinHandle, yield_now};

use super::{RustPeer, Timers, each, each_passing, for_a_point, moments, resources, servers};

/// See the head of the file.
pub const PEER: RustPeer = RustPeer {
    name: "tokio",
    package: "tokio",
    rows: &[
        ("yield_2", |count| yields(count, 2)),
        ("yield_1000", |count| yields(count, 1_000)),
        ("yield_100000", |count| yields(count, 100_000)),
        ("spawn_join", spawn_join),
        ("spawn_many", |count| spawn_many(count, 100_000)),
        ("channel_1", |count| channel(count, 1)),
        ("channel_64", |count| channel(count, 64)),
        ("channel_1_two", |count| channel_two(count, 1)),
        ("channel_64_two", |count| channel_two(count, 64)),
        ("spawn_anywhere", spawn_elsewhere),
        ("wake_asleep", |count| wake(count, false)),
        ("wake_busy", |count| wake(count, true)),
        ("timers_cpu", |count| timers(count).cpu_of_each()),
        ("timers_late", |count| timers(count).late_at_99()),
        ("parked", parked),
        ("yields", |n| yields(for_a_point(n), n)),
        ("spawns", |n| spawn_many(for_a_point(n), n)),
        ("timers", |n| timers(n).cpu_of_each()),
        ("echo", |_| servers::tokio::echo()),
        ("http", |_| servers::tokio::http()),
    ],
};

fn one() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}

fn two() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build();
    runtime.expect("a runtime")
}

async fn join<T>(handle: JoinHandle<T>) -> T {
    handle.await.expect("it ends by itself")
}

fn yields(count: u64, tasks: u64) -> f64 {
    one().block_on(async move {
        for _ in 1..tasks {
            tokio::spawn(async {
                loop {
                    yield_now().await;
                }
            });
        }
        let measuring = tokio::spawn(async move {
            yield_now().await;
            let rounds = (count / tasks).max(1);
            let begin = resources::cpu();
            for _ in 0..rounds {
                yield_now().await;
            }
            (resources::cpu() - begin).as_nanos() as f64 / (rounds * tasks) as f64
        });
        join(measuring).await
    })
}

fn spawn_join(count: u64) -> f64 {
    let runtime = one();
    each(count, || {
        runtime.block_on(async {
            for value in 0..count {
                let handle = tokio::spawn(async move { black_box(value) });
                assert_eq!(join(handle).await, value);
            }
        });
    })
}

fn spawn_many(count: u64, at_once: u64) -> f64 {
    let runtime = one();
    let many = || {
        runtime.block_on(async {
            let spawned = (0..at_once).map(|value| tokio::spawn(async move { value }));
            let handles: Vec<_> = spawned.collect();
            let mut sum = 0;
            for handle in handles {
                sum += join(handle).await;
            }
            sum
        })
    };
    many();
    let rounds = (count / at_once).max(1);
    each(rounds * at_once, || {
        for _ in 0..rounds {
            black_box(many());
        }
    })
}

fn channel(count: u64, capacity: usize) -> f64 {
    let runtime = one();
    each(count, || pass_items(&runtime, count, capacity))
}

fn channel_two(count: u64, capacity: usize) -> f64 {
    let runtime = two();
    each_passing(count, || pass_items(&runtime, count, capacity))
}

/// From outside to one of two workers and back.
fn spawn_elsewhere(count: u64) -> f64 {
    let runtime = two();
    each_passing(count, || {
        runtime.block_on(async {
            for value in 0..count {
                let handle = tokio::spawn(async move { black_box(value) });
                assert_eq!(join(handle).await, value);
            }
        });
    })
}

fn pass_items(runtime: &Runtime, count: u64, capacity: usize) {
    let (sender, mut receiver) = bounded(capacity);
    runtime.block_on(async {
        let producer = tokio::spawn(async move {
            for value in 0..count {
                sender.send(value).await.expect("a receiver");
            }
        });
        let consumer = tokio::spawn(async move {
            let mut sum = 0;
            while let Some(value) = receiver.recv().await {
                sum += value;
            }
            sum
        });
        assert_eq!(join(consumer).await, count * (count - 1) / 2);
        join(producer).await;
    });
}

/// There and back between two current-thread runtimes, halved.
fn wake(count: u64, busy: bool) -> f64 {
    let (there, mut other_end) = bounded::<u64>(1);
    let (back, mut end) = bounded::<u64>(1);
    let other = std::thread::spawn(move || {
        one().block_on(async {
            keep_busy(busy);
            let answering = tokio::spawn(async move {
                while let Some(value) = other_end.recv().await {
                    back.send(value).await.expect("the asker");
                }
            });
            join(answering).await;
        });
    });
    let cost = one().block_on(async {
        keep_busy(busy);
        let asking = tokio::spawn(async move {
            let begin = Instant::now();
            for value in 0..count {
                there.send(value).await.expect("the answerer");
                assert_eq!(end.recv().await, Some(value));
            }
            begin.elapsed().as_nanos() as f64 / (count * 2) as f64
        });
        join(asking).await
    });
    other.join().expect("the other OS thread");
    cost
}

fn keep_busy(busy: bool) {
    if busy {
        tokio::spawn(async {
            loop {
                yield_now().await;
            }
        });
    }
}

fn timers(count: u64) -> Timers {
    one().block_on(async {
        let timers = Arc::new(Mutex::new(Timers::begin(count)));
        let begin = Instant::now() + Duration::from_millis(100);
        let sleeping = moments(count).map(|moment| {
            let (timers, due) = (Arc::clone(&timers), begin + moment);
            tokio::spawn(async move {
                tokio::time::sleep_until(due.into()).await;
                timers.lock().expect("whole").late.push(due.elapsed());
            })
        });
        let handles: Vec<_> = sleeping.collect();
        for handle in handles {
            join(handle).await;
        }
        let timers = Arc::into_inner(timers).expect("all have ended");
        timers.into_inner().expect("whole")
    })
}

fn parked(count: u64) -> f64 {
    one().block_on(async {
        let before = resources::memory();
        let notify = Arc::new(tokio::sync::Notify::new());
        let handles: Vec<_> = (0..count)
            .map(|_| {
                let notify = Arc::clone(&notify);
                tokio::spawn(async move { notify.notified().await })
            })
            .collect();
        yield_now().await;
        let cost = (resources::memory() - before) as f64 / count as f64;
        drop(handles);
        cost
    })
}
