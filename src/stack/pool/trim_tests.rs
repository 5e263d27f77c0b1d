//! What goes back and what stays. Each test has an OS thread, and so a pool, of its own.

#![expect(unsafe_code, reason = "touches stacks")]

use std::thread;

use super::*;
use crate::stack::pool::{DEFAULT_SIZE, LEAST_SIZE, Stack, take};

fn on_a_fresh_pool(f: impl FnOnce() + Send + 'static) {
    thread::spawn(f).join().unwrap();
}

/// Writes to every page of a stack.
fn touch_all(stack: &Stack) {
    for address in (stack.limit().get()..stack.top().get()).step_by(4096) {
        let byte = ptr::with_exposed_provenance_mut::<u8>(address);
        // SAFETY: between `limit` and `top` of a stack that this test owns.
        unsafe { byte.write_volatile(7) };
    }
}

fn stacks(count: usize, size: usize) -> Vec<Stack> {
    (0..count).map(|_| take(size).unwrap()).collect()
}

#[test]
fn of_many_free_stacks_the_warm_ones_stay() {
    on_a_fresh_pool(|| {
        drop(stacks(5_000, LEAST_SIZE));
        trim_all();
        let counts = count();
        assert_eq!((counts.live, counts.high_water), (0, 5_000));
        assert!(counts.warm <= WARM, "{counts:?}");
        assert!(counts.warm > 0, "{counts:?}");
        assert!(counts.bytes_touched <= WARM * 4096, "{counts:?}");
    });
}

#[test]
fn stacks_between_live_ones_become_cold_and_are_handed_out_again() {
    on_a_fresh_pool(|| {
        let mut all = stacks(6_000, LEAST_SIZE);
        let mut index = 0;
        all.retain(|_| {
            index += 1;
            index % 2 == 0
        });
        trim_all();
        let counts = count();
        assert_eq!((counts.live, counts.warm), (3_000, WARM));
        assert_eq!(counts.cold, 3_000 - WARM);
        all.extend(stacks(3_000, LEAST_SIZE));
        all.iter().for_each(touch_all);
        assert_eq!((count().warm, count().live), (0, 6_000));
        let mut tops: Vec<_> = all.iter().map(Stack::top).collect();
        tops.sort_unstable();
        tops.dedup();
        assert_eq!(tops.len(), 6_000, "no stack is handed out twice");
    });
}

#[test]
fn a_stack_that_went_deep_gives_up_what_lies_deep() {
    on_a_fresh_pool(|| {
        let stack = take(DEFAULT_SIZE).unwrap();
        touch_all(&stack);
        assert!(count().bytes_touched >= DEFAULT_SIZE);
        trim_all();
        assert!(count().bytes_touched >= DEFAULT_SIZE, "it is live");
        drop(stack);
        trim_all();
        assert!(count().bytes_touched <= WARM_DEPTH);
        touch_all(&take(DEFAULT_SIZE).unwrap());
    });
}

#[test]
fn what_was_in_use_since_the_last_look_stays() {
    on_a_fresh_pool(|| {
        begin_span();
        drop(stacks(4_000, LEAST_SIZE));
        trim_idle();
        assert_eq!(count().warm, 4_000);
        begin_span();
        drop(stacks(2_000, LEAST_SIZE));
        trim_idle();
        let warm = count().warm;
        assert!(warm <= 2_000 && warm + 1024 > 2_000, "{warm}");
        begin_span();
        trim_idle();
        assert!(count().warm <= WARM);
    });
}

#[test]
fn sizes_do_not_mix() {
    on_a_fresh_pool(|| {
        let small = stacks(100, LEAST_SIZE);
        let large = stacks(100, 1 << 20);
        drop(small);
        trim_all();
        let again = stacks(100, 1 << 20);
        large.iter().chain(&again).for_each(|stack| {
            assert!(stack.top().get() - stack.limit().get() > 1 << 19);
        });
        large.iter().chain(&again).for_each(touch_all);
    });
}
