//! smol: async-executor's local executor, with async-channel and async-io.

use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;
use std::time::{Duration, Instant};

use async_channel::bounded;
use async_executor::LocalExecutor;
use async_io::{Timer, block_on};
use futures_lite::future::yield_now;

use super::{RustPeer, Timers, each, for_a_point, moments, resources};

/// See the head of the file.
pub const PEER: RustPeer = RustPeer {
    name: "smol",
    package: "async-executor",
    rows: &[
        ("yield_2", |count| yields(count, 2)),
        ("yield_1000", |count| yields(count, 1_000)),
        ("yield_100000", |count| yields(count, 100_000)),
        ("spawn_join", spawn_join),
        ("spawn_many", |count| spawn_many(count, 100_000)),
        ("channel_1", |count| channel(count, 1)),
        ("channel_64", |count| channel(count, 64)),
        ("timers_cpu", |count| timers(count).cpu_of_each()),
        ("timers_late", |count| timers(count).late_at_99()),
        ("parked", parked),
        ("yields", |n| yields(for_a_point(n), n)),
        ("spawns", |n| spawn_many(for_a_point(n), n)),
        ("timers", |n| timers(n).cpu_of_each()),
        ("waiters", waiters),
    ],
};

fn yields(count: u64, tasks: u64) -> f64 {
    let executor = LocalExecutor::new();
    for _ in 1..tasks {
        let endless = executor.spawn(async {
            loop {
                yield_now().await;
            }
        });
        endless.detach();
    }
    let measuring = executor.spawn(async move {
        yield_now().await;
        let rounds = (count / tasks).max(1);
        let begin = resources::cpu();
        for _ in 0..rounds {
            yield_now().await;
        }
        (resources::cpu() - begin).as_nanos() as f64 / (rounds * tasks) as f64
    });
    block_on(executor.run(measuring))
}

fn spawn_join(count: u64) -> f64 {
    let executor = LocalExecutor::new();
    each(count, || {
        block_on(executor.run(async {
            for value in 0..count {
                assert_eq!(executor.spawn(async move { black_box(value) }).await, value);
            }
        }));
    })
}

fn spawn_many(count: u64, at_once: u64) -> f64 {
    let executor = LocalExecutor::new();
    let many = || {
        block_on(executor.run(async {
            let spawned = (0..at_once).map(|value| executor.spawn(async move { value }));
            let tasks: Vec<_> = spawned.collect();
            let mut sum = 0;
            for task in tasks {
                sum += task.await;
            }
            sum
        }))
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
    let executor = LocalExecutor::new();
    let (sender, receiver) = bounded(capacity);
    each(count, || {
        let producer = executor.spawn(async move {
            for value in 0..count {
                sender.send(value).await.expect("a receiver");
            }
        });
        let consumer = executor.spawn(async move {
            let mut sum = 0;
            while let Ok(value) = receiver.recv().await {
                sum += value;
            }
            sum
        });
        assert_eq!(block_on(executor.run(consumer)), count * (count - 1) / 2);
        block_on(executor.run(producer));
    })
}

/// Items through a channel on which so many wait.
fn waiters(waiting: u64) -> f64 {
    let count = for_a_point(waiting);
    let executor = LocalExecutor::new();
    let (sender, receiver) = bounded(1);
    for _ in 0..waiting {
        let receiver = receiver.clone();
        let consuming = executor.spawn(async move { while receiver.recv().await.is_ok() {} });
        consuming.detach();
    }
    block_on(executor.run(yield_now()));
    while executor.try_tick() {}
    each(count, || {
        let producer = executor.spawn(async move {
            for value in 0..count {
                sender.send(value).await.expect("a receiver");
            }
        });
        block_on(executor.run(producer));
    })
}

fn timers(count: u64) -> Timers {
    let executor = LocalExecutor::new();
    let timers = Rc::new(RefCell::new(Timers::begin(count)));
    let begin = Instant::now() + Duration::from_millis(100);
    let sleeping = moments(count).map(|moment| {
        let (timers, due) = (Rc::clone(&timers), begin + moment);
        executor.spawn(async move {
            Timer::at(due).await;
            timers.borrow_mut().late.push(due.elapsed());
        })
    });
    let tasks: Vec<_> = sleeping.collect();
    block_on(executor.run(async {
        for task in tasks {
            task.await;
        }
    }));
    Rc::into_inner(timers).expect("all have ended").into_inner()
}

fn parked(count: u64) -> f64 {
    let executor = LocalExecutor::new();
    let before = resources::memory();
    let waiting = (0..count).map(|_| executor.spawn(std::future::pending::<()>()));
    let tasks: Vec<_> = waiting.collect();
    block_on(executor.run(yield_now()));
    while executor.try_tick() {}
    let cost = (resources::memory() - before) as f64 / count as f64;
    drop(tasks);
    cost
}
