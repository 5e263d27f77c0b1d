//! The crate's own primitives under many schedules: what must hold in each, with deadlines and cancellations at all the wrong moments.
//!
//! The seed chooses the schedule and, by its dice, what the program does.

mod channels;
mod ends;
mod locks;
mod queues;
mod sockets;
mod unwinds;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use greenthread::explore::explore;
use greenthread::{scope, sleep, timeout, yield_now};

use super::{MANY, TICK};

/// Tries `program` under many schedules.
#[track_caller]
fn try_out(program: impl Fn(&Dice)) {
    let explored = explore(MANY, |seed| program(&Dice::new(seed)));
    assert!(explored.different() > 1, "there is nothing to choose");
}

/// What a program does by chance, the same for the same seed.
struct Dice(Cell<u64>);

impl Dice {
    fn new(seed: u64) -> Self {
        Dice(Cell::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1))
    }

    /// One of `0..sides`.
    fn roll(&self, sides: u32) -> u32 {
        let mut state = self.0.get();
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        self.0.set(state);
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as u32 % sides
    }

    /// Lets others go on, for a while or for an instant, or does not.
    fn pause(&self) {
        match self.roll(5) {
            0 => {}
            1 | 2 => yield_now(),
            _ => sleep(TICK * self.roll(3)),
        }
    }

    /// Calls `f` with a deadline around it, mostly.
    fn limited<T>(&self, f: impl FnOnce() -> T) -> Option<T> {
        match self.roll(3) {
            0 => Some(f()),
            _ => timeout(TICK * self.roll(4), f).ok(),
        }
    }
}

/// Runs `count` of these at once, and cancels some of them at some moments.
fn crowd(dice: &Dice, count: u32, body: impl Fn(u32)) {
    scope(|s| {
        let body = &body;
        let handles: Vec<_> = (0..count).map(|n| s.spawn(move || body(n))).collect();
        for _ in 0..dice.roll(4) {
            dice.pause();
            handles[dice.roll(count) as usize].cancel();
        }
    });
}

/// How many are inside of something, or how much they have of it.
#[derive(Default)]
struct Inside(Cell<i32>);

impl Inside {
    /// Goes in with this weight, until what comes back is dropped.
    fn enter(&self, weight: i32) -> impl Drop + use<'_> {
        self.0.set(self.0.get() + weight);
        Entered(self, weight)
    }

    fn weight(&self) -> i32 {
        self.0.get()
    }
}

struct Entered<'a>(&'a Inside, i32);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.0.set(self.0.0.get() - self.1);
    }
}

/// What was put somewhere, and what was taken out there.
#[derive(Default)]
struct Books {
    next: Cell<u32>,
    put: RefCell<BTreeSet<u32>>,
    got: RefCell<BTreeSet<u32>>,
}

impl Books {
    /// A new item.
    fn item(&self) -> u32 {
        self.next.set(self.next.get() + 1);
        self.next.get()
    }

    fn note_put(&self, item: u32) {
        assert!(self.put.borrow_mut().insert(item), "{item} was put twice");
    }

    fn note_got(&self, item: u32) {
        assert!(self.got.borrow_mut().insert(item), "{item} was got twice");
    }

    /// All that was put was got, and nothing else.
    #[track_caller]
    fn close(&self) {
        assert_eq!(*self.put.borrow(), *self.got.borrow(), "put, and got");
    }
}
