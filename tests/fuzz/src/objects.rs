//! The shared objects of a program, chosen.

use fastrand::Rng;

use crate::program::{Interval, Objects, Queue};

/// Any objects: one or two of each kind.
pub(crate) fn any(rng: &mut Rng) -> Objects {
    let count = |rng: &mut Rng| rng.usize(1..=2);
    Objects {
        mutexes: count(rng),
        semaphores: (0..count(rng)).map(|_| rng.usize(1..=3)).collect(),
        channels: (0..count(rng)).map(|_| capacity(rng)).collect(),
        events: count(rng),
        rw_locks: count(rng),
        queues: (0..count(rng)).map(|_| queue(rng)).collect(),
        condvars: count(rng),
        barriers: (0..count(rng)).map(|_| rng.usize(1..=3)).collect(),
        oneshots: count(rng),
        broadcasts: (0..count(rng)).map(|_| rng.usize(1..=3)).collect(),
        watches: count(rng),
        onces: count(rng),
        reentrants: count(rng),
        intervals: (0..count(rng)).map(|_| interval(rng)).collect(),
    }
}

fn capacity(rng: &mut Rng) -> Option<usize> {
    match rng.u8(0..8) {
        0 => None,
        1..=3 => Some(0),
        4..=6 => Some(1),
        _ => Some(2),
    }
}

fn queue(rng: &mut Rng) -> Queue {
    let most = match rng.u8(0..4) {
        0 => None,
        1 | 2 => Some(1),
        _ => Some(2),
    };
    match rng.u8(0..3) {
        0 => Queue::Line(most),
        1 => Queue::Pile(most),
        _ => Queue::Order(most),
    }
}

fn interval(rng: &mut Rng) -> Interval {
    let period = rng.u64(1..=4);
    match rng.u8(0..3) {
        0 => Interval::Burst(period),
        1 => Interval::Delay(period),
        _ => Interval::Skip(period),
    }
}
