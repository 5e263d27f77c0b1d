//! greenthread.

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::rc::Rc;
use std::time::Duration;

use greenthread::channel::{Receiver, Sender, bounded, unbounded};
use greenthread::generator::Generator;
use greenthread::time::Instant;
use greenthread::{JoinHandle, Runtime, park, run, sleep_until, spawn, spawn_anywhere, yield_now};

use super::{RustPeer, Timers, each, each_passing, for_a_point, moments, resources, servers};

/// See the head of the file.
pub const PEER: RustPeer = RustPeer {
    name: "greenthread",
    package: "greenthread",
    rows: &[
        ("trip", trip),
        ("life", life),
        ("yield_2", |count| yields(count, 2)),
        ("yield_1000", |count| yields(count, 1_000)),
        ("yield_100000", |count| yields(count, 100_000)),
        ("spawn_join", spawn_join),
        ("spawn_many", |count| spawn_many(count, 100_000)),
        ("channel_1", |count| channel(count, 1)),
        ("channel_64", |count| channel(count, 64)),
        ("channel_1_two", |count| channel_two(count, bounded(1))),
        ("channel_64_two", |count| channel_two(count, bounded(64))),
        ("channel_all_two", |count| channel_two(count, unbounded())),
        ("spawn_anywhere", spawn_elsewhere),
        ("wake_asleep", |count| wake(count, false)),
        ("wake_busy", |count| wake(count, true)),
        ("timers_cpu", |count| timers(count).cpu_of_each()),
        ("timers_late", |count| timers(count).late_at_99()),
        ("parked", parked),
        ("million", |count| {
            parked(count) * count as f64 / f64::from(1 << 30)
        }),
        ("yields", |n| yields(for_a_point(n), n)),
        ("spawns", |n| spawn_many(for_a_point(n), n)),
        ("timers", |n| timers(n).cpu_of_each()),
        ("waiters", waiters),
        ("echo", |_| servers::ours::echo()),
        ("http", |_| servers::ours::http()),
        ("http_shared", |n| servers::ours::http_shared(n as usize)),
        ("http_each", |n| servers::ours::http_each(n as usize)),
    ],
};

fn trip(count: u64) -> f64 {
    let echo = Generator::new(|yielder| -> () {
        let mut sent = 0;
        loop {
            sent = yielder.yield_(sent);
        }
    });
    echo.start();
    each(count, || {
        for value in 0..count {
            black_box(echo.send(black_box(value)));
        }
    })
}

fn life(count: u64) -> f64 {
    each(count, || {
        for value in 0..count {
            let short: Generator<(), (), u64> = Generator::new(move |_| black_box(value));
            black_box(short.start());
        }
    })
}

/// Every one of them yields; one measures, after all have begun.
fn yields(count: u64, green_threads: u64) -> f64 {
    run(|| {
        for _ in 1..green_threads {
            drop(spawn(|| {
                loop {
                    yield_now();
                }
            }));
        }
        let measuring = spawn(move || {
            yield_now();
            let rounds = (count / green_threads).max(1);
            each(rounds * green_threads, || {
                (0..rounds).for_each(|_| yield_now())
            })
        });
        measuring.join().expect("it measures")
    })
}

fn spawn_join(count: u64) -> f64 {
    each(count, || {
        for value in 0..count {
            let handle = spawn(move || black_box(value));
            assert_eq!(handle.join().expect("a value"), value);
        }
    })
}

fn spawn_many(count: u64, at_once: u64) -> f64 {
    let many = || {
        let handles: Vec<_> = (0..at_once).map(|value| spawn(move || value)).collect();
        handles.into_iter().map(join).sum::<u64>()
    };
    // The first round makes the memory that later ones find.
    many();
    let rounds = (count / at_once).max(1);
    each(rounds * at_once, || {
        for _ in 0..rounds {
            black_box(many());
        }
    })
}

/// Items through a channel on which so many wait.
fn waiters(waiting: u64) -> f64 {
    let count = for_a_point(waiting);
    let (sender, receiver) = bounded(1);
    run(move || {
        for _ in 0..waiting {
            let receiver = receiver.clone();
            drop(spawn(move || consume(&receiver)));
        }
        yield_now();
        let producer = spawn(move || each(count, || produce(&sender, count)));
        join(producer)
    })
}

fn join<T>(handle: JoinHandle<T>) -> T {
    handle.join().expect("it ends by itself")
}

fn channel(count: u64, capacity: usize) -> f64 {
    let (sender, receiver) = bounded(capacity);
    each(count, || {
        let producer = spawn(move || produce(&sender, count));
        assert_eq!(
            join(spawn(move || consume(&receiver))),
            count * (count - 1) / 2
        );
        join(producer);
    })
}

fn produce(sender: &Sender<u64>, count: u64) {
    (0..count).for_each(|value| sender.send(value).expect("somebody receives"));
}

fn consume(receiver: &Receiver<u64>) -> u64 {
    receiver.iter().sum()
}

/// The library's first lock asks the kernel for barriers, which takes 13 ms in a process that has several OS threads already, and none in one that has not.
fn channel_two(count: u64, (sender, receiver): (Sender<u64>, Receiver<u64>)) -> f64 {
    join(spawn(|| ()));
    each_passing(count, || {
        let other =
            std::thread::spawn(move || run(|| join(spawn(move || produce(&sender, count)))));
        assert_eq!(
            join(spawn(move || consume(&receiver))),
            count * (count - 1) / 2
        );
        other.join().expect("the other OS thread");
    })
}

/// From the root to one of two workers and back.
fn spawn_elsewhere(count: u64) -> f64 {
    let runtime = Runtime::builder().workers(2).build().expect("workers");
    runtime.run(|| {
        each_passing(count, || {
            for value in 0..count {
                assert_eq!(join(spawn_anywhere(move || black_box(value))), value);
            }
        })
    })
}

/// There and back between green threads of two OS threads, halved.
fn wake(count: u64, busy: bool) -> f64 {
    let (there, other_end) = bounded::<u64>(1);
    let (back, end) = bounded::<u64>(1);
    let other = std::thread::spawn(move || {
        run(|| {
            keep_busy(busy);
            join(spawn(move || {
                other_end
                    .iter()
                    .for_each(|value| back.send(value).expect("the asker"))
            }));
        });
    });
    let cost = run(|| {
        keep_busy(busy);
        join(spawn(move || {
            each_passing(count * 2, || {
                for value in 0..count {
                    there.send(value).expect("the answerer");
                    assert_eq!(end.recv(), Ok(value));
                }
            })
        }))
    });
    other.join().expect("the other OS thread");
    cost
}

fn keep_busy(busy: bool) {
    if busy {
        drop(spawn(|| {
            loop {
                yield_now();
            }
        }));
    }
}

fn timers(count: u64) -> Timers {
    let timers = Rc::new(RefCell::new(Timers::begin(count)));
    let begin = Instant::now() + Duration::from_millis(100);
    let handles: Vec<_> = moments(count)
        .map(|moment| {
            let (timers, due) = (Rc::clone(&timers), begin + moment);
            spawn(move || {
                sleep_until(due);
                timers.borrow_mut().late.push(due.elapsed());
            })
        })
        .collect();
    handles.into_iter().for_each(join);
    Rc::into_inner(timers).expect("all have ended").into_inner()
}

fn parked(count: u64) -> f64 {
    join(spawn(|| ()));
    let before = resources::memory();
    let begun = Rc::new(Cell::new(0));
    let handles: Vec<_> = (0..count)
        .map(|_| {
            let begun = Rc::clone(&begun);
            spawn(move || {
                begun.set(begun.get() + 1);
                park();
            })
        })
        .collect();
    while begun.get() < count {
        yield_now();
    }
    let cost = (resources::memory() - before) as f64 / count as f64;
    handles.iter().for_each(|handle| handle.thread().unpark());
    cost
}
