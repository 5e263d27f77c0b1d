//! Schedules that follow from a seed: that they come again, that they find what they should, and what they find in the crate's own primitives.
//!
//! None of them runs on workers: where a process has some, silence is a deadlock only when they have slept for a while too, and a drawing shows that while.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
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

use support::everywhere::virtual_time as in_order;
use support::teardown::held;

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
    runtime.build().unwrap().run(|| held(f))
}
