//! Who runs next: the first in line, or one chosen by a seed as the library's `shuffle` chooses.

use std::cell::Cell;

/// A sequence of numbers that one seed makes (splitmix64).
struct Random(Cell<u64>);

impl Random {
    fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.set(state);
        mix(state)
    }

    fn below(&self, count: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(count)) >> 64) as u64
    }
}

fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// The choices of one run; none in the order of the line.
pub(super) struct Order(Option<Choices>);

struct Choices {
    /// Who runs next, and whether what is due waits a little.
    turns: Random,

    /// Which of equal deadlines comes first.
    timers: Random,

    /// With which arm a selection begins (xorshift).
    arms: Cell<u32>,
}

impl Order {
    pub(super) fn new(seed: Option<u64>) -> Self {
        Order(seed.map(|seed| Choices {
            turns: Random(Cell::new(mix(seed))),
            timers: Random(Cell::new(mix(seed).rotate_left(32))),
            arms: Cell::new((mix(seed) as u32).max(1)),
        }))
    }

    pub(super) fn is_chosen(&self) -> bool {
        self.0.is_some()
    }

    /// Which of so many in line runs next.
    pub(super) fn next_of(&self, count: usize) -> usize {
        match &self.0 {
            Some(choices) if count > 0 => choices.turns.below(count as u64) as usize,
            _ => 0,
        }
    }

    /// Whether what is due waits a little longer.
    pub(super) fn puts_off(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|choices| choices.turns.below(2) == 0)
    }

    /// With which of so many arms a selection begins.
    pub(super) fn first_arm(&self, count: usize) -> usize {
        let choices = self.0.as_ref().expect("selections are for shuffled orders");
        let mut random = choices.arms.get();
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        choices.arms.set(random);
        random as usize % count
    }

    /// Orders a timer among those of its moment; `count` is how many were set before.
    pub(super) fn of_timer(&self, count: u64) -> u64 {
        match &self.0 {
            Some(choices) => u64::from(choices.timers.next() as u32),
            None => count,
        }
    }
}
