//! The deadlines of one OS thread: a four-ary heap that knows where each timer stands.
//!
//! A timer lives on the stack of whoever waits, or in a frame. The heap does not touch it while others come and go: a timer knows its slot, which it keeps, and the slot
//! knows the place in the heap. Slots lie side by side; the stacks of those who wait lie a page or more apart each, and are cold. Setting and removing cost O(log n), and
//! nothing is allocated but the heap's own vectors. Equal deadlines fire in the order in which they were set (D8).
//!
//! Invariants:
//! - T1 A timer is in the heap exactly while its `slot` is not `OUT`; then `holders[slot]` is it, and `heap[places[slot]].slot` is `slot`.
//! - T2 A timer that is in the heap does not move and is not dropped; its `Drop` asserts that it is out.
//!
//! Source: d-ary heaps, D. B. Johnson, "Priority queues with update and finding minimum spanning trees", 1975.

#![expect(unsafe_code, reason = "the heap points into parked stacks")]

use std::cell::Cell;
use std::ptr;
use std::time::Duration;

use super::clock::Deadline;
use crate::base::prefetch::prefetch;
use crate::base::random::Random;

/// The `slot` of a timer that is not in the heap.
const OUT: u32 = u32::MAX;

/// Children of a node.
const ARITY: usize = 4;

/// Entries of the heap's upper three levels: a sample of those that fire next.
const SAMPLE: usize = 1 + ARITY + ARITY * ARITY;

/// How much later the first may fire for the sake of each of the sample that fires soon after it: what Linux grants itself for each sleep of a thread.
const SLACK: Duration = Duration::from_micros(50);

/// The latest that the first fires for the sake of others.
const MOST_SLACK: Duration = Duration::from_millis(1);

/// One deadline, wherever its owner keeps it.
#[derive(Debug)]
pub(crate) struct Timer<T: Copy> {
    /// T1: its slot, while it is in the heap.
    slot: Cell<u32>,

    /// What ends when it fires; set with it.
    target: Cell<Option<T>>,
}

impl<T: Copy> Timer<T> {
    pub(crate) const fn new() -> Self {
        Timer {
            slot: Cell::new(OUT),
            target: Cell::new(None),
        }
    }

    /// Whether it is waiting to fire.
    pub(crate) fn is_set(&self) -> bool {
        self.slot.get() != OUT
    }
}

impl<T: Copy> Drop for Timer<T> {
    fn drop(&mut self) {
        debug_assert!(!self.is_set(), "a timer was dropped while set (T2)");
    }
}

/// A place of the heap.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// When it fires.
    deadline: Deadline,

    /// Orders equal deadlines (D8).
    order: u32,

    /// T1.
    slot: u32,
}

impl Entry {
    fn is_before(&self, other: &Entry) -> bool {
        (self.deadline, self.order) < (other.deadline, other.order)
    }
}

/// The heap; `T` names what a timer ends.
#[derive(Debug)]
pub(crate) struct Timers<T: Copy> {
    /// Smallest first, children of `i` at `4i + 1 ..= 4i + 4`.
    heap: Vec<Entry>,

    /// Of each slot, where in the heap its timer stands (T1); of a free one, the next free one.
    places: Vec<u32>,

    /// Of each slot, who holds it (T1, T2).
    holders: Vec<*const Timer<T>>,

    /// The first free slot, or `OUT`.
    free: u32,

    /// How many were set since they were numbered anew.
    set: u32,

    /// Orders equal deadlines instead, if it is there (`shuffle`).
    random: Option<Random>,
}

impl<T: Copy> Default for Timers<T> {
    fn default() -> Self {
        Timers {
            heap: Vec::new(),
            places: Vec::new(),
            holders: Vec::new(),
            free: OUT,
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
        let slot = self.take_slot(timer);
        timer.slot.set(slot);
        let order = self.next_order();
        self.heap.push(Entry {
            deadline,
            order,
            slot,
        });
        self.rise(self.heap.len() - 1);
    }

    /// From now on equal deadlines fire in an order that is chosen by this; with none, in the order set.
    pub(super) fn choose_by(&mut self, random: Option<Random>) {
        self.random = random;
    }

    /// Takes `timer` out, if it is in.
    pub(crate) fn remove(&mut self, timer: &Timer<T>) {
        let slot = timer.slot.replace(OUT);
        if slot != OUT {
            let place = self.give_slot_back(slot);
            self.take_out(place);
        }
    }

    /// What every timer that is set ends, in no order.
    pub(crate) fn targets(&self) -> impl Iterator<Item = T> {
        self.heap.iter().filter_map(|entry| {
            let timer = self.holders[entry.slot as usize];
            // SAFETY: T1, T2: a timer that is in the heap is alive.
            unsafe { &*timer }.target.get()
        })
    }

    /// The earliest deadline.
    pub(crate) fn earliest(&self) -> Option<Deadline> {
        self.heap.first().map(|entry| entry.deadline)
    }

    /// When to wake up for the earliest deadline: a little later when many follow closely, so that one sleep serves them all.
    pub(crate) fn earliest_with_slack(&self) -> Option<Deadline> {
        let first = self.earliest()?;
        let sample = &self.heap[1..self.heap.len().min(SAMPLE)];
        let soon = first.after(MOST_SLACK);
        let near = sample.iter().filter(|entry| entry.deadline <= soon).count();
        let slack = SLACK * near as u32;
        Some(first.after(slack.min(MOST_SLACK)))
    }

    /// Takes out the first timer that is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Deadline) -> Option<T> {
        let first = *self.heap.first().filter(|entry| entry.deadline <= now)?;
        // SAFETY: T2: a timer in the heap is alive.
        let timer = unsafe { &*self.holders[first.slot as usize] };
        self.remove(timer);
        if let Some(next) = self.heap.first() {
            let next = self.holders[next.slot as usize];
            prefetch(next.cast()..next.wrapping_add(1).cast());
        }
        timer.target.get()
    }

    /// How many are set.
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    fn next_order(&mut self) -> u32 {
        if let Some(random) = &self.random {
            return random.next() as u32;
        }
        if self.set == u32::MAX {
            self.number_anew();
        }
        self.set += 1;
        self.set
    }

    /// Numbers those that are set from one, in the order in which they fire: a sorted list is a heap.
    #[cold]
    fn number_anew(&mut self) {
        let mut sorted = std::mem::take(&mut self.heap);
        sorted.sort_unstable_by_key(|entry| (entry.deadline, entry.order));
        self.heap.clone_from(&sorted);
        self.set = 0;
        for (place, mut entry) in sorted.into_iter().enumerate() {
            self.set += 1;
            entry.order = self.set;
            self.put(place, entry);
        }
    }

    /// A slot for `timer`, whose place is not set yet.
    fn take_slot(&mut self, timer: &Timer<T>) -> u32 {
        let slot = self.free;
        if let Some(place) = self.places.get(slot as usize) {
            self.free = *place;
            self.holders[slot as usize] = timer;
            return slot;
        }
        let slot = u32::try_from(self.places.len()).expect("fewer timers than fit into memory");
        self.places.push(OUT);
        self.holders.push(timer);
        slot
    }

    /// Returns the place in the heap that it stood for.
    fn give_slot_back(&mut self, slot: u32) -> usize {
        self.holders[slot as usize] = ptr::null();
        let place = &mut self.places[slot as usize];
        let was = std::mem::replace(place, self.free);
        self.free = slot;
        was as usize
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

    fn put(&mut self, place: usize, entry: Entry) {
        self.heap[place] = entry;
        self.places[entry.slot as usize] = place as u32;
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

    #[test]
    fn one_that_is_alone_for_a_while_fires_without_slack() {
        let set = [timer(), timer()];
        let mut timers = Timers::default();
        for (timer, at) in set.iter().zip([10, 10_000_000]) {
            // SAFETY: boxed, and removed below before they are dropped.
            unsafe { timers.set(timer, NOWHERE, Deadline::from_nanos(at)) };
        }
        assert_eq!(timers.earliest_with_slack(), timers.earliest());
        set.iter().for_each(|timer| timers.remove(timer));
    }

    #[test]
    fn the_slack_grows_with_those_that_follow_closely_up_to_a_millisecond() {
        let set: Vec<_> = (0..100).map(|_| timer()).collect();
        let mut timers = Timers::default();
        let mut slacks = Vec::new();
        for timer in &set {
            // SAFETY: boxed, and removed below before they are dropped.
            unsafe { timers.set(timer, NOWHERE, Deadline::from_nanos(10)) };
            slacks.push(timers.earliest_with_slack().map(Deadline::nanos));
        }
        set.iter().for_each(|timer| timers.remove(timer));
        let micros = |micros: u64| Some(10 + micros * 1000);
        assert_eq!(slacks[..3], [micros(0), micros(50), micros(100)]);
        assert_eq!(slacks[99], micros(1000));
    }

    #[test]
    fn equal_ones_keep_their_order_when_they_are_numbered_anew() {
        let set: Vec<_> = (0..50).map(|_| timer()).collect();
        let mut timers = Timers {
            set: u32::MAX - 20,
            ..Timers::default()
        };
        for (i, timer) in set.iter().enumerate() {
            // SAFETY: boxed, and fired below before they are dropped.
            unsafe { timers.set(timer, NOWHERE, Deadline::from_nanos(i as u64 % 3)) };
        }
        let mut expected: Vec<usize> = (0..50).collect();
        expected.sort_by_key(|i| i % 3);
        assert_eq!(fired_order(&mut timers, &set), expected);
    }

    #[test]
    fn slots_are_used_again() {
        let set: Vec<_> = (0..10).map(|_| timer()).collect();
        let mut timers = Timers::default();
        for _ in 0..3 {
            for timer in &set {
                // SAFETY: boxed, and removed below before they are dropped.
                unsafe { timers.set(timer, NOWHERE, Deadline::from_nanos(10)) };
            }
            set.iter().for_each(|timer| timers.remove(timer));
        }
        assert_eq!(timers.places.len(), set.len());
    }
}
