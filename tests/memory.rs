//! Memory comes back after a burst, and what a program can see of it.

#![cfg(target_os = "linux")]

use std::rc::Rc;
use std::time::Duration;

use greenthread::sync::Event;
use greenthread::{Builder, grow, release_memory, run, sleep, spawn, stats, yield_now};

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
mod support;
use support::child;

/// Enough that none of it may stay: 200 MB of stacks; 80 where a guard takes mappings, of which there are some 57,000.
const BURST: usize = if cfg!(greenthread_portable) {
    20_000
} else {
    50_000
};

/// What a burst may leave behind, besides a fifth of what was there before.
const LEFT: usize = 64 << 20;

/// Bytes of memory that this process takes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages = statm.split(' ').nth(1).unwrap();
    pages.parse::<usize>().unwrap() * 4096
}

/// Parks so many green threads at once, and ends them.
fn burst(count: usize) {
    let go = Rc::new(Event::new());
    let parked: Vec<_> = (0..count)
        .map(|_| {
            let go = go.clone();
            spawn(move || go.wait())
        })
        .collect();
    yield_now();
    assert!(resident() > count * 4096, "each of them has a page");
    go.set();
    parked.into_iter().for_each(|one| one.join().unwrap());
}

/// Asserts that `f`, in a child process, gives back what a burst took.
fn assert_returns(test: &str, f: fn()) {
    let ended = child::run(test, || {
        spawn(|| ()).join().unwrap();
        let before = resident();
        f();
        let after = resident();
        let most = before + before / 5 + LEFT;
        assert!(after < most, "{before} bytes before, {after} after");
    });
    assert!(ended.succeeded(), "{}", ended.stderr());
}

#[test]
#[apply(once)]
fn memory_is_back_within_a_second_after_a_burst_while_the_loop_sleeps() {
    assert_returns(
        "memory_is_back_within_a_second_after_a_burst_while_the_loop_sleeps",
        || {
            burst(BURST);
            sleep(Duration::from_millis(900));
        },
    );
}

#[test]
#[apply(once)]
fn memory_is_back_at_the_end_of_run() {
    assert_returns("memory_is_back_at_the_end_of_run", || run(|| burst(BURST)));
}

#[test]
#[apply(once)]
fn memory_is_back_after_release_memory() {
    assert_returns("memory_is_back_after_release_memory", || {
        burst(BURST);
        release_memory();
    });
}

#[test]
#[apply(once)]
fn a_second_burst_works_on_what_was_given_back() {
    assert_returns("a_second_burst_works_on_what_was_given_back", || {
        let kept = spawn(greenthread::park);
        for _ in 0..3 {
            burst(BURST / 5);
            release_memory();
        }
        assert!(kept.cancel());
        assert!(kept.join().is_err());
    });
}

#[test]
#[apply(once)]
fn stats_count_stacks_by_what_becomes_of_them() {
    std::thread::spawn(|| {
        let before = stats().stacks;
        assert_eq!((before.live, before.warm, before.high_water), (0, 0, 0));
        let go = Rc::new(Event::new());
        let wait = || {
            let go = go.clone();
            spawn(move || go.wait())
        };
        let parked: Vec<_> = (0..5).map(|_| wait()).collect();
        yield_now();
        let during = stats().stacks;
        // The loop has one, and one is kept back for a closure that finds none.
        assert_eq!((during.live, during.warm), (7, 0));
        assert!(during.bytes_touched >= 6 * 4096, "{during:?}");
        go.set();
        parked.into_iter().for_each(|one| one.join().unwrap());
        let after = stats().stacks;
        assert_eq!((after.live, after.warm, after.high_water), (2, 5, 7));
        grow(1 << 20, || assert_eq!(stats().stacks.live, 3));
    })
    .join()
    .unwrap();
}

#[test]
#[apply(once)]
fn a_stack_size_is_rounded_up_to_its_class_and_the_largest_works() {
    for bytes in [1, 16 << 10, 100_000, 1 << 20, 1 << 30] {
        let one = Builder::new().stack_size(bytes).spawn(|| 1).unwrap();
        assert_eq!(one.join().unwrap(), 1);
    }
    let error = Builder::new()
        .stack_size((1 << 30) + 1)
        .spawn(|| 1)
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}
