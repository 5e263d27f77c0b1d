//! Schedules that follow from a seed: that they come again, that they find what they should, and what they find in the crate's own primitives.

#[path = "../support/mod.rs"]
mod support;

mod again;
mod faults;
mod own;
mod planted;
mod report;

use std::cell::RefCell;
use std::time::Duration;

use greenthread::Runtime;

/// How many schedules a search has.
const MANY: u64 = 1_000;

/// A moment of virtual time.
const TICK: Duration = Duration::from_millis(1);

/// What is written down in the order in which it happens.
#[derive(Debug, Default)]
struct Notes(RefCell<Vec<u32>>);

impl Notes {
    fn add(&self, note: u32) {
        self.0.borrow_mut().push(note);
    }

    fn take(self) -> Vec<u32> {
        self.0.into_inner()
    }
}

/// A run that follows `seed`, on this OS thread, unrecorded.
fn shuffled<T>(seed: u64, f: impl FnOnce() -> T) -> T {
    let runtime = Runtime::builder().virtual_time().shuffle(seed);
    runtime.build().unwrap().run(f)
}

/// A run in the order of the line.
fn in_order<T>(f: impl FnOnce() -> T) -> T {
    Runtime::builder().virtual_time().build().unwrap().run(f)
}
