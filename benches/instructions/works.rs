//! The operations that are counted. Each runs on a green thread, or on two that take turns, with every pool warm.

use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;
use std::time::Duration;

use greenthread::channel::bounded;
use greenthread::generator::{Generator, GeneratorState};
use greenthread::sync::Mutex;
use greenthread::{GreenThread, current, park, spawn, timeout};

/// An operation that is counted.
#[derive(Debug)]
pub(crate) struct Work {
    /// Its name in the table.
    pub(crate) name: &'static str,

    /// Does it so often. Called on the root.
    pub(crate) repeat: fn(u64),
}

/// All of them, in the order of the table.
pub(crate) const WORKS: &[Work] = &[
    work("yield_now", yields),
    work("spawn_join", spawn_and_join),
    work("spawn_many", spawn_many),
    work("channel_1", |times| channel(1, times)),
    work("channel_64", |times| channel(64, times)),
    work("park_unpark", park_and_unpark),
    work("generator_send", round_trips),
    work("timer", timers),
    work("mutex", locks),
];

/// Green threads that are spawned before the first of them is joined.
const MANY: u64 = 1_024;

const fn work(name: &'static str, repeat: fn(u64)) -> Work {
    Work { name, repeat }
}

/// One switch: out, through the loop, and into the next of two green threads.
#[inline(never)]
fn one_yield() {
    greenthread::yield_now();
}

fn yields(times: u64) {
    two(move || (0..times / 2).for_each(|_| one_yield()));
}

fn spawn_and_join(times: u64) {
    alone(move || {
        for n in 0..times {
            assert_eq!(spawn(move || black_box(n)).join().unwrap(), n);
        }
    });
}

/// A spawn, its run to the end, and its join, a thousand at a time.
fn spawn_many(times: u64) {
    alone(move || {
        let mut handles = Vec::with_capacity(MANY as usize);
        for _ in 0..times / MANY {
            handles.extend((0..MANY).map(|n| spawn(move || black_box(n))));
            let sum: u64 = handles.drain(..).map(|handle| handle.join().unwrap()).sum();
            assert_eq!(sum, MANY * (MANY - 1) / 2);
        }
    });
}

/// One message: sent, waited for, received.
fn channel(capacity: usize, times: u64) {
    let (sender, receiver) = bounded(capacity);
    let sending = spawn(move || (0..times).for_each(|n| sender.send(black_box(n)).unwrap()));
    alone(move || (0..times).for_each(|n| assert_eq!(receiver.recv().unwrap(), n)));
    sending.join().unwrap();
}

/// One unpark of the other, who is parked, and one park until he does the same: a switch each.
fn park_and_unpark(times: u64) {
    let others: Rc<[Cell<Option<GreenThread>>; 2]> = Rc::default();
    let play = |own: usize| {
        let others = Rc::clone(&others);
        spawn(move || {
            others[1 - own].set(Some(current()));
            greenthread::yield_now();
            let other = others[own].take().unwrap();
            if own == 1 {
                park();
            }
            for _ in 0..times / 2 {
                other.unpark();
                park();
            }
            other.unpark();
        })
    };
    let both = [play(0), play(1)];
    both.into_iter().for_each(|handle| handle.join().unwrap());
}

/// One value sent in, one yielded.
#[inline(never)]
fn one_send(generator: &Generator<u64, u64, ()>, value: u64) -> u64 {
    match generator.send(value) {
        GeneratorState::Yielded(out) => out,
        GeneratorState::Complete(()) => unreachable!(),
    }
}

fn round_trips(times: u64) {
    let echo = Generator::new(|yielder| {
        let mut sent = 0;
        loop {
            sent = yielder.yield_(sent);
        }
    });
    echo.start();
    alone(move || (0..times).for_each(|n| assert_eq!(one_send(&echo, n), n)));
}

/// One timer set and taken back.
fn timers(times: u64) {
    const FAR: Duration = Duration::from_secs(3600);
    alone(move || (0..times).for_each(|n| assert_eq!(timeout(FAR, || black_box(n)), Ok(n))));
}

/// One lock taken and given back, with nobody else there.
fn locks(times: u64) {
    let lock = Mutex::new(0);
    alone(move || (0..times).for_each(|_| *black_box(&lock).lock() += 1));
}

/// On a green thread.
fn alone(work: impl FnOnce() + 'static) {
    spawn(work).join().unwrap();
}

/// On two green threads at once.
fn two(work: impl FnOnce() + Clone + 'static) {
    let both = [spawn(work.clone()), spawn(work)];
    both.into_iter().for_each(|handle| handle.join().unwrap());
}
