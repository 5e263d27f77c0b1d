//! The messages in a channel, oldest first: in a line, or, where there is one at most and it is small, beside the lock.

use std::collections::VecDeque;
use std::mem;

use super::nook::Nook;

/// The most messages for which room is made at once.
pub(super) const ROOM_AT_ONCE: usize = 64;

/// Sent and not received.
#[repr(C)]
pub(super) struct Messages<T> {
    /// The message of a channel of one; first, to be near the lock.
    nook: Nook<T>,

    /// The most messages in `line`; zero where they go into the nook, or stay with their senders.
    room: usize,

    /// All others.
    line: VecDeque<T>,
}

impl<T> Messages<T> {
    /// For at most `capacity`; `usize::MAX` without a bound.
    pub(super) fn new(capacity: usize) -> Self {
        let nook = Nook::new(capacity == 1);
        let room = if nook.is_closed() { capacity } else { 0 };
        let at_once = if room == usize::MAX { 0 } else { room };
        Messages {
            nook,
            room,
            line: VecDeque::with_capacity(at_once.min(ROOM_AT_ONCE)),
        }
    }

    /// Takes all out. Nothing is to be put in any more, but there is as much room as before for those who ask.
    pub(super) fn take_all(&mut self) -> Self {
        let none = Messages {
            nook: Nook::new(self.are_one()),
            room: self.room,
            line: VecDeque::new(),
        };
        mem::replace(self, none)
    }

    /// Whether there is room for one more.
    #[inline]
    pub(super) fn have_room(&self) -> bool {
        self.have_room_in_line() || self.lack_the_one()
    }

    /// Whether there is, in line.
    #[inline]
    pub(super) fn have_room_in_line(&self) -> bool {
        self.line.len() < self.room
    }

    /// Adds one to the line.
    #[inline(always)]
    pub(super) fn push_back(&mut self, message: T) {
        self.line.push_back(message);
    }

    /// Takes the oldest in line.
    #[inline(always)]
    pub(super) fn pop_front(&mut self) -> Option<T> {
        self.line.pop_front()
    }

    /// Puts the one beside the lock, where it [lacks](Self::lack_the_one).
    #[inline(always)]
    pub(super) fn put_the_one(&mut self, message: T) {
        self.nook.put(message);
    }

    /// Takes the one from beside the lock.
    #[inline(always)]
    pub(super) fn take_the_one(&mut self) -> Option<T> {
        self.nook.take()
    }

    pub(super) fn len(&self) -> usize {
        self.line.len() + usize::from(self.nook.is_full())
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.line.is_empty() && !self.nook.is_full()
    }

    /// Whether there is one at most, beside the lock.
    pub(super) fn are_one(&self) -> bool {
        !self.nook.is_closed()
    }

    /// Whether there is a place for one beside the lock, and nothing is in it.
    #[inline]
    pub(super) fn lack_the_one(&self) -> bool {
        self.nook.is_vacant()
    }
}
