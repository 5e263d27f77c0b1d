//! The deadlines of one OS thread: a four-ary heap that knows where each timer stands.
//!
//! A timer lives on the stack of whoever waits, or in a frame; the heap holds its address. Setting and removing cost O(log n), and
//! nothing is allocated but the heap's own vector. Equal deadlines fire in the order in which they were set (D8).
//!
//! Invariants:
//! - T1 A timer is in the heap exactly while its `place` is not `OUT`, and then `heap[place]` names it.
//! - T2 A timer that is in the heap does not move and is not dropped; its `Drop` asserts that it is out.
//!
//! Source: d-ary heaps, D. B. Johnson, "Priority queues with update and finding minimum spanning trees", 1975.

#![expect(unsafe_code, reason = "the heap points into parked stacks")]

use std::cell::Cell;

use super::clock::Deadline;
use crate::base::random::Random;

/// The `place` of a timer that is not in the heap.
const OUT: usize = usize::MAX;

/// Children of a node.
const ARITY: usize = 4;

/// One deadline, wherever its owner keeps it.
#[derive(Debug)]
pub(crate) struct Timer<T: Copy> {
    /// T1: its index in the heap.
    place: Cell<usize>,

    /// What ends when it fires; set with it.
    target: Cell<Option<T>>,
}

impl<T: Copy> Timer<T> {
    pub(crate) const fn new() -> Self {
        Timer {
            place: Cell::new(OUT),
            target: Cell::new(None),
        }
    }

    /// Whether it is waiting to fire.
    pub(crate) fn is_set(&self) -> bool {
        self.place.get() != OUT
    }
}

impl<T: Copy> Drop for Timer<T> {
    fn drop(&mut self) {
        debug_assert!(!self.is_set(), "a timer was dropped while set (T2)");
    }
}

/// One slot of the heap.
#[derive(Debug)]
struct Entry<T: Copy> {
    /// When it fires.
    deadline: Deadline,

    /// Orders equal deadlines (D8).
    order: u64,

    /// T1, T2: a live timer whose `place` is this slot.
    timer: *const Timer<T>,
}

impl<T: Copy> Clone for Entry<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Copy> Copy for Entry<T> {}

impl<T: Copy> Entry<T> {
    fn is_before(&self, other: &Entry<T>) -> bool {
        (self.deadline, self.order) < (other.deadline, other.order)
    }
}

/// The heap; `T` names what a timer ends.
#[derive(Debug)]
pub(crate) struct Timers<T: Copy> {
    /// Smallest first, children of `i` at `4i + 1 ..= 4i + 4`.
    heap: Vec<Entry<T>>,

    /// How many were ever set.
    set: u64,

    /// Orders equal deadlines instead, if it is there (`shuffle`).
    random: Option<Random>,
}

impl<T: Copy> Default for Timers<T> {
    fn default() -> Self {
        Timers {
            heap: Vec::new(),
            set: 0,
            random: None,
        }
    }
}

impl<T: Copy> Timers<T> {
    /// Sets `timer` to end `target` at `deadline`; it must not be set already.
    ///
    /// # Safety
    /// `timer` and `target` stay where they are until it has fired or was removed (T2).
    pub(crate) unsafe fn set(&mut self, timer: &Timer<T>, target: T, deadline: Deadline) {
        debug_assert!(!timer.is_set());
        timer.target.set(Some(target));
        let order = self.random.as_ref().map_or(self.set, Random::next);
        self.set += 1;
        self.heap.push(Entry {
            deadline,
            order,
            timer,
        });
        self.rise(self.heap.len() - 1);
    }

    /// From now on equal deadlines fire in an order that is chosen by this; with none, in the order set.
    pub(super) fn choose_by(&mut self, random: Option<Random>) {
        self.random = random;
    }

    /// Takes `timer` out, if it is in.
    pub(crate) fn remove(&mut self, timer: &Timer<T>) {
        let place = timer.place.replace(OUT);
        if place != OUT {
            self.take_out(place);
        }
    }

    /// What every timer that is set ends, in no order.
    pub(crate) fn targets(&self) -> impl Iterator<Item = T> {
        self.heap.iter().filter_map(|entry| {
            // SAFETY: T1, T2: a timer that is in the heap is alive.
            unsafe { &*entry.timer }.target.get()
        })
    }

    /// The earliest deadline.
    pub(crate) fn earliest(&self) -> Option<Deadline> {
        self.heap.first().map(|entry| entry.deadline)
    }

    /// Takes out the first timer that is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Deadline) -> Option<T> {
        let first = *self.heap.first().filter(|entry| entry.deadline <= now)?;
        // SAFETY: T2: a timer in the heap is alive.
        let timer = unsafe { &*first.timer };
        self.remove(timer);
        timer.target.get()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Closes the gap at `place` with the last entry.
    fn take_out(&mut self, place: usize) {
        self.heap.swap_remove(place);
        if place < self.heap.len() {
            self.rise(place);
            self.sink(place);
        }
    }

    /// Moves the entry at `place` up to where it belongs.
    fn rise(&mut self, mut place: usize) {
        let entry = self.heap[place];
        while place > 0 && entry.is_before(&self.heap[(place - 1) / ARITY]) {
            self.put(place, self.heap[(place - 1) / ARITY]);
            place = (place - 1) / ARITY;
        }
        self.put(place, entry);
    }

    /// Moves the entry at `place` down to where it belongs.
    fn sink(&mut self, mut place: usize) {
        let entry = self.heap[place];
        while let Some(child) = self.smallest_child(place)
            && self.heap[child].is_before(&entry)
        {
            self.put(place, self.heap[child]);
            place = child;
        }
        self.put(place, entry);
    }

    fn smallest_child(&self, place: usize) -> Option<usize> {
        let first = place * ARITY + 1;
        let end = (first + ARITY).min(self.heap.len());
        (first..end).reduce(|a, b| {
            if self.heap[b].is_before(&self.heap[a]) {
                b
            } else {
                a
            }
        })
    }

    fn put(&mut self, place: usize, entry: Entry<T>) {
        self.heap[place] = entry;
        // SAFETY: T2: a timer in the heap is alive.
        unsafe { &*entry.timer }.place.set(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOWHERE: () = ();

    fn timer() -> Box<Timer<()>> {
        Box::new(Timer::new())
    }

    fn fired_order(timers: &mut Timers<()>, set: &[Box<Timer<()>>]) -> Vec<usize> {
        let mut order = Vec::new();
        while !timers.is_empty() {
            let before: Vec<bool> = set.iter().map(|timer| timer.is_set()).collect();
            timers.pop_due(Deadline::NEVER).expect("due");
            order.extend(
                set.iter()
                    .zip(before)
                    .enumerate()
                    .filter_map(|(i, (timer, was))| (was && !timer.is_set()).then_some(i)),
            );
        }
        order
    }

    #[test]
    fn timers_fire_by_deadline_and_equal_ones_in_the_order_set() {
        let deadlines = [5, 3, 9, 3, 1, 5, 3, 7, 2, 5];
        let set: Vec<_> = deadlines.iter().map(|_| timer()).collect();
        let mut timers = Timers::default();
        for (timer, at) in set.iter().zip(deadlines) {
            // SAFETY: boxed, and fired below before they are dropped.
            unsafe { timers.set(timer, NOWHERE, Deadline::from_nanos(at)) };
        }
        let mut expected: Vec<usize> = (0..deadlines.len()).collect();
        expected.sort_by_key(|&i| deadlines[i]);
        assert_eq!(fired_order(&mut timers, &set), expected);
    }

    #[test]
    fn a_removed_timer_does_not_fire_and_the_others_keep_their_order() {
        let set: Vec<_> = (0..100).map(|_| timer()).collect();
        let mut timers = Timers::default();
        for (i, timer) in set.iter().enumerate() {
            // SAFETY: boxed, and fired or removed below before they are dropped.
            unsafe { timers.set(timer, NOWHERE, Deadline::from_nanos(i as u64 * 7919 % 101)) };
        }
        for timer in set.iter().step_by(3) {
            timers.remove(timer);
        }
        let mut expected: Vec<usize> = (0..100).filter(|i| i % 3 != 0).collect();
        expected.sort_by_key(|&i| i as u64 * 7919 % 101);
        assert_eq!(fired_order(&mut timers, &set), expected);
    }

    #[test]
    fn nothing_fires_before_its_deadline() {
        let one = timer();
        let mut timers = Timers::default();
        // SAFETY: boxed, and removed before it is dropped.
        unsafe { timers.set(&one, NOWHERE, Deadline::from_nanos(10)) };
        assert!(timers.pop_due(Deadline::from_nanos(9)).is_none());
        assert!(timers.pop_due(Deadline::from_nanos(10)).is_some());
    }
}
