//! Who runs next, chosen by a seed (`Runtime::builder().shuffle`): for tests, in place of the order of the line (D8).
//!
//! So that it costs nothing where it is off, the hot paths do not ask whether it is on. While it is, the loop counts down from one, as for a watchdog, and looks up after
//! each turn; there, out of the way, the next one is chosen and changes places with the first in line. Where a run begins to be chosen in the middle of a countdown, the loop
//! owes a look.
//!
//! What is chosen follows from the seed and from what the program does, and from nothing of before:
//! - C1 Whenever the loop takes the first in line, exactly one choice was made since it took the last. So it does not matter how far the countdown was when the run began, nor
//!   whether this OS thread records.
//! - C2 Sockets are polled at every look, whenever the last poll was.
//! - C3 Timers of one moment fire in an order that is chosen, and others may run in between.

use std::cell::Cell;

use super::ready::Ready;
use crate::base::random::{Random, mix};

/// The choices of one OS thread.
#[derive(Debug)]
pub(super) struct Shuffle {
    /// What the choices follow from; none while the line keeps its order.
    seed: Cell<Option<u64>>,

    /// Where the choices come from.
    random: Random,

    /// Whether the loop must look up and choose before it takes the next in line (C1).
    is_owed: Cell<bool>,

    /// Tells the choices so far from others.
    print: Cell<u64>,
}

impl Shuffle {
    pub(super) fn new() -> Self {
        Shuffle {
            seed: Cell::new(None),
            random: Random::new(0),
            is_owed: Cell::new(false),
            print: Cell::new(0),
        }
    }

    /// From now on choices follow from `seed`; with none, none is made.
    pub(super) fn begin(&self, seed: Option<u64>) {
        self.seed.set(seed);
        self.is_owed.set(seed.is_some());
        self.random.restart(mix(seed.unwrap_or(0)));
        self.print.set(0);
    }

    pub(super) fn is_on(&self) -> bool {
        self.seed.get().is_some()
    }

    /// What the choices follow from, if any are made.
    pub(super) fn seed(&self) -> Option<u64> {
        self.seed.get()
    }

    /// Tells the choices so far from others.
    pub(super) fn print(&self) -> u64 {
        self.print.get()
    }

    /// The loop may not come to look up before it takes the next in line: it is sent a letter, and does so then (C1).
    pub(super) fn owe(&self) {
        self.is_owed.set(self.is_on());
    }

    /// Whether it must look up first.
    pub(super) fn is_owed(&self) -> bool {
        self.is_owed.get()
    }

    /// The loop has looked up: chooses the next in line. With nobody there, that is still owed.
    pub(super) fn choose(&self, ready: &Ready) {
        let count = ready.len() as u64;
        self.is_owed.set(self.is_on() && count == 0);
        if self.is_on() && count > 0 {
            let chosen = self.random.below(count);
            ready.bring_forward(chosen as usize);
            let choice = chosen << 32 | count;
            self.print.set(mix(self.print.get() ^ choice));
        }
    }

    /// Whether what is due waits a little longer (C3).
    pub(super) fn puts_off(&self) -> bool {
        self.is_on() && self.random.below(2) == 0
    }
}
