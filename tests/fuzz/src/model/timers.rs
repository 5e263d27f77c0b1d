//! Who waits for a moment: a sorted map.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::frames::Frame;
use super::order::Order;
use super::wait::Wait;
use crate::program::Millis;

/// What a timer ends.
pub(super) enum Target {
    /// A wait.
    Wait(Rc<Wait>),

    /// What is inside a timeout.
    Frame(Rc<Frame>),
}

/// Names a timer that is set: its moment, its order in that, and its number.
pub(super) type Key = (Millis, u64, u64);

/// All timers.
#[derive(Default)]
pub(super) struct Timers {
    /// Those that are set.
    set: RefCell<BTreeMap<Key, Target>>,

    /// How many were ever set.
    count: Cell<u64>,
}

impl Timers {
    pub(super) fn set(&self, order: &Order, deadline: Millis, target: Target) -> Key {
        self.count.set(self.count.get() + 1);
        let count = self.count.get();
        let key = (deadline, order.of_timer(count), count);
        self.set.borrow_mut().insert(key, target);
        key
    }

    pub(super) fn remove(&self, key: Key) {
        self.set.borrow_mut().remove(&key);
    }

    pub(super) fn earliest(&self) -> Option<Millis> {
        self.set.borrow().keys().next().map(|key| key.0)
    }

    /// Takes out the first that is due.
    pub(super) fn pop_due(&self, now: Millis) -> Option<Target> {
        let mut set = self.set.borrow_mut();
        let first = set.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.set.borrow().is_empty()
    }

    pub(super) fn clear(&self) {
        self.set.take();
    }
}
