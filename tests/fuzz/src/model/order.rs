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

/// Turns between two looks at the clock in the order of the line, as the library's `stint::MOST`.
const STINT: u32 = 32;

/// What the first of an OS thread's own numbers follows from, as in the library's `base/random.rs`.
const BEGINNING: u32 = 0x9E37_79B9;

/// What one run chooses, and when its loop looks at the clock.
pub(super) struct Order {
    /// None in the order of the line.
    choices: Option<Choices>,

    /// With which arm a selection begins (xorshift).
    arms: Cell<u32>,

    /// Turns until the loop looks at the clock.
    countdown: Cell<u32>,
}

struct Choices {
    /// Who runs next, and whether what is due waits a little.
    turns: Random,

    /// Which of equal deadlines comes first.
    timers: Random,
}

impl Order {
    pub(super) fn new(seed: Option<u64>) -> Self {
        Order {
            choices: seed.map(|seed| Choices {
                turns: Random(Cell::new(mix(seed))),
                timers: Random(Cell::new(mix(seed).rotate_left(32))),
            }),
            arms: Cell::new(seed.map_or(BEGINNING, |seed| (mix(seed) as u32).max(1))),
            // What the root does first is no turn of the library's loop.
            countdown: Cell::new(STINT + 1),
        }
    }

    /// Somebody has had a turn: whether the loop looks at the clock after it.
    pub(super) fn looks(&self) -> bool {
        let left = self.countdown.get() - 1;
        let looks = left == 0 || self.choices.is_some();
        self.countdown.set(if looks { STINT } else { left });
        looks
    }

    /// Which of so many in line runs next.
    pub(super) fn next_of(&self, count: usize) -> usize {
        match &self.choices {
            Some(choices) if count > 0 => choices.turns.below(count as u64) as usize,
            _ => 0,
        }
    }

    /// Whether what is due waits a little longer.
    pub(super) fn puts_off(&self) -> bool {
        self.choices
            .as_ref()
            .is_some_and(|choices| choices.turns.below(2) == 0)
    }

    /// With which of so many arms a selection begins.
    pub(super) fn first_arm(&self, count: usize) -> usize {
        let mut random = self.arms.get();
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        self.arms.set(random);
        random as usize % count
    }

    /// Orders a timer among those of its moment; `count` is how many were set before.
    pub(super) fn of_timer(&self, count: u64) -> u64 {
        match &self.choices {
            Some(choices) => u64::from(choices.timers.next() as u32),
            None => count,
        }
    }
}
