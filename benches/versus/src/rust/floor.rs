//! corosensei alone, for servers epoll alone, and between OS threads a word alone: the least that a library above them could cost.

#![expect(unsafe_code, reason = "resets endless coroutines")]

use std::collections::VecDeque;
use std::hint::{black_box, spin_loop};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult};

use super::{RustPeer, each, each_passing, for_a_point, servers};

/// See the head of the file.
pub const PEER: RustPeer = RustPeer {
    name: "floor",
    package: "corosensei",
    rows: &[
        ("trip", trip),
        ("life", life),
        ("yield_2", |count| yields(count, 2)),
        ("yield_1000", |count| yields(count, 1_000)),
        ("yield_100000", |count| yields(count, 25_000)),
        ("spawn_join", life),
        ("channel_1_two", word),
        ("wake_asleep", word),
        ("wake_busy", word),
        ("yields", |n| yields(for_a_point(n), n)),
        ("echo", |_| servers::epoll::echo()),
        ("http", |_| servers::epoll::http()),
    ],
};

fn trip(count: u64) -> f64 {
    let mut echo = Coroutine::new(|yielder, mut sent: u64| {
        loop {
            sent = yielder.suspend(sent);
        }
    });
    let cost = each(count, || {
        for value in 0..count {
            let back: CoroutineResult<u64, ()> = echo.resume(black_box(value));
            black_box(back.as_yield());
        }
    });
    // SAFETY: the endless loop above holds nothing that wants dropping.
    unsafe { echo.force_reset() };
    cost
}

fn life(count: u64) -> f64 {
    let mut warm = Some(DefaultStack::default());
    each(count, || {
        for value in 0..count {
            let body = move |_: &corosensei::Yielder<(), ()>, ()| black_box(value);
            let stack = warm.take().expect("it came back");
            let mut coroutine = Coroutine::with_stack(stack, body);
            black_box(coroutine.resume(()).as_return());
            warm = Some(coroutine.into_stack());
        }
    })
}

/// A word that two OS threads, awake all the time, change in turns: one way from core to core.
fn word(count: u64) -> f64 {
    let word = Arc::new(AtomicU64::new(0));
    let theirs = Arc::clone(&word);
    let other = std::thread::spawn(move || take_turns(&theirs, count, 1));
    let cost = each_passing(count * 2, || take_turns(&word, count, 0));
    other.join().expect("the other OS thread");
    cost
}

/// Waits for every other number from `first` on, and adds one.
fn take_turns(word: &AtomicU64, count: u64, first: u64) {
    for turn in (first..count * 2).step_by(2) {
        while word.load(Ordering::Acquire) != turn {
            spin_loop();
        }
        word.store(turn + 1, Ordering::Release);
    }
}

/// Bare coroutines have a mapping with a guard each, so that no more than some 30,000 are to be had.
fn yields(count: u64, coroutines: u64) -> f64 {
    let mut ready: VecDeque<_> = (0..coroutines).map(|_| endless()).collect();
    let mut turn = |turns: u64| {
        for _ in 0..turns {
            if let Some(mut next) = ready.pop_front() {
                black_box(next.resume(()).as_yield());
                ready.push_back(next);
            }
        }
    };
    turn(coroutines);
    let cost = each(count, || turn(count));
    for mut coroutine in ready {
        // SAFETY: as above.
        unsafe { coroutine.force_reset() };
    }
    cost
}

fn endless() -> Coroutine<(), (), ()> {
    Coroutine::new(|yielder, ()| {
        loop {
            yielder.suspend(());
        }
    })
}
