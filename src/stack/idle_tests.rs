//! When memory goes back, by a clock that the test sets. Each test has an OS thread, and so a pool, of its own.

use std::thread;

use super::*;
use crate::stack::pool::{LEAST_SIZE, Stack, take};

fn stacks(count: usize) -> Vec<Stack> {
    (0..count).map(|_| take(LEAST_SIZE).unwrap()).collect()
}

/// Looks every `SPAN` for as long as `all` loses `each` of its stacks; the most that were warm, and the number of looks.
fn end_slowly(mut all: Vec<Stack>, each: usize) -> (usize, u32) {
    let (mut most, mut looks) = (0, 0);
    look(Duration::ZERO, Load::Quiet);
    while !all.is_empty() {
        all.truncate(all.len().saturating_sub(each));
        looks += 1;
        look(SPAN * looks, Load::Quiet);
        most = most.max(trim::count().warm);
    }
    (most, looks)
}

#[test]
fn while_a_burst_ends_its_stacks_stay_and_all_go_at_its_end() {
    thread::spawn(|| {
        let (most, looks) = end_slowly(stacks(10_000), 2_000);
        assert_eq!(
            (most, looks),
            (8_000, 5),
            "all but those of before the span"
        );
        look(SPAN * (looks + 1), Load::Quiet);
        assert!(trim::count().warm < 2_000);
    })
    .join()
    .unwrap();
}

#[test]
fn a_burst_that_takes_long_to_end_gives_back_meanwhile() {
    thread::spawn(|| {
        let (most, looks) = end_slowly(stacks(48_000), 1_200);
        assert_eq!(looks, 40);
        assert!(most < 35_000, "{most} of 48,000");
    })
    .join()
    .unwrap();
}

#[test]
fn stacks_that_come_back_one_by_one_do_not_put_it_off() {
    thread::spawn(|| {
        let (most, _) = end_slowly(stacks(10_000), 900);
        assert!(most < 4_000, "{most} of 10,000");
    })
    .join()
    .unwrap();
}
