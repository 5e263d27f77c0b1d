//! Who runs next on this OS thread, in the order in which they became ready (D8).
//!
//! A ring that grows and never shrinks. It is told apart from another OS thread's by its address: a wake compares the queue of the one it wakes with the
//! one that is current here.
//!
//! Invariants:
//! - Q1 It is reached on its own OS thread alone.
//! - Q3 While this OS thread records, its queue is not the current one but the traced one: every wake that compares takes the longer way then, where it is recorded.
//! - Q2 `mask + 1` is the capacity, a power of two; `head` and `tail` count up for ever, and the entries are those between them.

#![expect(
    unsafe_code,
    reason = "a ring without bounds checks, and a thread-local address"
)]

use std::cell::{Cell, UnsafeCell};
use std::ptr;

use super::peer::Peer;
use crate::base::atomic::thread_local;

/// Entries of a new ring.
const FIRST_CAPACITY: usize = 256;

thread_local! {
    /// This OS thread's queue, while it has a scheduler.
    static CURRENT: Cell<*const Ready> = const { Cell::new(ptr::null()) };

    /// The same, while this OS thread records (Q3).
    static TRACED: Cell<*const Ready> = const { Cell::new(ptr::null()) };
}

/// A first-in first-out queue of green threads and the root.
#[derive(Debug)]
pub(crate) struct Ready {
    /// The ring (Q2).
    entries: UnsafeCell<Box<[*const Peer]>>,

    /// Q2.
    mask: Cell<usize>,

    /// Taken so far.
    head: Cell<usize>,

    /// Put in so far.
    tail: Cell<usize>,
}

impl Ready {
    pub(crate) fn new() -> Self {
        Ready {
            entries: UnsafeCell::new(vec![ptr::null(); FIRST_CAPACITY].into()),
            mask: Cell::new(FIRST_CAPACITY - 1),
            head: Cell::new(0),
            tail: Cell::new(0),
        }
    }

    /// Makes it this OS thread's.
    pub(crate) fn make_current(&self) {
        CURRENT.with(|current| current.set(self));
        TRACED.with(|traced| traced.set(ptr::null()));
    }

    /// Makes it this OS thread's, which records (Q3).
    pub(super) fn make_traced(&self) {
        CURRENT.with(|current| current.set(ptr::null()));
        TRACED.with(|traced| traced.set(self));
    }

    /// This OS thread has none any more.
    pub(crate) fn forget_current() {
        CURRENT.with(|current| current.set(ptr::null()));
        TRACED.with(|traced| traced.set(ptr::null()));
    }

    /// The one at this address, if it is this OS thread's and that records (Q3).
    #[inline]
    pub(super) fn if_traced<'a>(ready: *const Ready) -> Option<&'a Ready> {
        // SAFETY: Q1, as below.
        ptr::eq(TRACED.with(Cell::get), ready).then(|| unsafe { &*ready })
    }

    /// The one at this address, if it is this OS thread's and that does not record.
    #[inline(always)]
    pub(crate) fn if_current<'a>(ready: *const Ready) -> Option<&'a Ready> {
        // SAFETY: Q1: the current one lives as long as the scheduler that it is part of, while code runs under it.
        ptr::eq(CURRENT.with(Cell::get), ready).then(|| unsafe { &*ready })
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.head.get() == self.tail.get()
    }

    /// How many were ever taken.
    pub(super) fn taken(&self) -> u64 {
        self.head.get() as u64
    }

    /// How many were ever put in.
    pub(super) fn pushed(&self) -> u64 {
        self.tail.get() as u64
    }

    /// Puts one at the end of the line.
    #[inline(always)]
    pub(crate) fn push(&self, peer: *const Peer) {
        if self.tail.get().wrapping_sub(self.head.get()) > self.mask.get() {
            self.grow();
        }
        let tail = self.tail.get();
        let place = tail & self.mask.get();
        // SAFETY: Q1, and Q2 keeps the place inside.
        let entries = unsafe { &mut *self.entries.get() };
        // SAFETY: Q2.
        unsafe { *entries.get_unchecked_mut(place) = peer };
        self.tail.set(tail.wrapping_add(1));
    }

    /// Takes the first in line.
    #[inline(always)]
    pub(crate) fn pop(&self) -> Option<*const Peer> {
        let head = self.head.get();
        if head == self.tail.get() {
            return None;
        }
        self.head.set(head.wrapping_add(1));
        Some(self.at(head))
    }

    /// How many stand in line.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.tail.get().wrapping_sub(self.head.get())
    }

    /// Who comes `distance` after the first; the line must be longer than that.
    #[inline(always)]
    pub(super) fn peek(&self, distance: usize) -> *const Peer {
        debug_assert!(distance < self.len());
        self.at(self.head.get().wrapping_add(distance))
    }

    #[inline(always)]
    fn at(&self, count: usize) -> *const Peer {
        // SAFETY: Q1.
        let entries = unsafe { &*self.entries.get() };
        // SAFETY: Q2.
        unsafe { *entries.get_unchecked(count & self.mask.get()) }
    }

    /// The first in line and the one with this number, from 0, change places.
    #[cold]
    pub(super) fn bring_forward(&self, number: usize) {
        debug_assert!(number < self.len());
        let (head, mask) = (self.head.get(), self.mask.get());
        // SAFETY: Q1: nobody else borrows it now.
        let entries = unsafe { &mut *self.entries.get() };
        entries.swap(head & mask, head.wrapping_add(number) & mask);
    }

    /// Doubles the ring; the line keeps its order.
    #[cold]
    fn grow(&self) {
        let (head, mask) = (self.head.get(), self.mask.get());
        // SAFETY: Q1: nobody else borrows it now.
        let entries = unsafe { &mut *self.entries.get() };
        let mut larger = vec![ptr::null(); (mask + 1) * 2];
        let larger_mask = mask * 2 + 1;
        for place in 0..=mask {
            let number = head.wrapping_add(place);
            larger[number & larger_mask] = entries[number & mask];
        }
        *entries = larger.into();
        self.mask.set(larger_mask);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: usize) -> *const Peer {
        ptr::without_provenance(number)
    }

    #[test]
    fn the_line_keeps_its_order_when_the_ring_grows() {
        let ready = Ready::new();
        let mut taken = 0;
        let mut expected = std::collections::VecDeque::new();
        for number in 1..10_000 {
            ready.push(peer(number));
            expected.push_back(peer(number));
            if number % 3 == 0 {
                assert_eq!(ready.pop(), expected.pop_front());
                taken += 1;
            }
            assert_eq!(ready.len(), expected.len());
            assert_eq!(ready.taken(), taken);
        }
        while let Some(next) = expected.pop_front() {
            assert_eq!(ready.pop(), Some(next));
        }
        assert!(ready.is_empty());
        assert_eq!(ready.pop(), None);
    }
}
