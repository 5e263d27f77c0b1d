//! corosensei alone, and for servers epoll alone: the least that a library above them could cost.

#![expect(unsafe_code, reason = "resets endless coroutines")]

use std::collections::VecDeque;
use std::hint::black_box;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult};

use super::{RustPeer, each, for_a_point, servers};

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
