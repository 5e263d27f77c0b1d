//! The list of those who wait for one thing, inside a primitive's lock.
//!
//! Nodes live on the parked stacks (D3): waiting allocates nothing. A node is linked, woken and unlinked only under the lock that guards
//! its list; a waker unlinks it, wins its judge and then touches neither node nor primitive except to unlock.
//!
//! Invariants:
//! - N1 A node's `list` is not null exactly while it is linked there.
//! - N2 A linked node does not move and is not dropped: its owner leaves the wait only after the lock was taken once more, or after a word set under it.
//! - N3 Tickets grow from front to back; one who was woken in vain goes back to the front with the old ticket (D8).

#![expect(unsafe_code, reason = "the links point into parked stacks")]

use std::cell::Cell;
use std::ops::Range;
use std::ptr;

use super::wait::{Ended, Wait};
use crate::base::lock::Lock;

pub(crate) use super::wait::Wake;

/// Bytes of a parked stack below the place in line, and above it, that most of those touch who go on from a read.
const BELOW: usize = 320;

/// See [`BELOW`].
const ABOVE: usize = 256;

/// One waiter's place in one list.
#[derive(Debug)]
pub(crate) struct Node {
    /// The wait that ends when this node is woken; set when linked.
    wait: Cell<*const Wait>,

    /// Towards the front.
    before: Cell<*const Node>,

    /// Towards the back.
    after: Cell<*const Node>,

    /// N1.
    list: Cell<*mut WaitList>,

    /// N3; zero before it was first linked.
    ticket: Cell<u64>,

    /// How much it waits for, where that differs.
    weight: Cell<usize>,

    /// Told to the owner when this node ends the wait.
    case: u32,
}

impl Node {
    #[inline]
    pub(crate) fn new(case: u32, weight: usize) -> Self {
        Node {
            wait: Cell::new(ptr::null()),
            before: Cell::new(ptr::null()),
            after: Cell::new(ptr::null()),
            list: Cell::new(ptr::null_mut()),
            ticket: Cell::new(0),
            weight: Cell::new(weight),
            case,
        }
    }

    pub(crate) fn weight(&self) -> usize {
        self.weight.get()
    }

    /// Says what whoever looks at it is told. While it is in no list.
    pub(super) fn set_weight(&self, weight: usize) {
        debug_assert!(!self.is_linked());
        self.weight.set(weight);
    }

    /// Whether it is in a list. Under the lock.
    #[inline]
    pub(crate) fn is_linked(&self) -> bool {
        !self.list.get().is_null()
    }

    /// Takes it out of its list, if it is in one.
    ///
    /// # Safety
    /// The lock that guards the list is held, by whoever reaches the list through it.
    pub(crate) unsafe fn unlink(&self) {
        // SAFETY: N1, and the caller holds the lock.
        if let Some(list) = unsafe { self.list.get().as_mut() } {
            list.remove(self);
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        debug_assert!(!self.is_linked(), "a node was dropped while linked (L5)");
    }
}

/// First come, first served.
#[derive(Debug)]
pub(crate) struct WaitList {
    /// Woken next.
    front: *const Node,

    /// Came last.
    back: *const Node,

    /// The ticket of the next to come.
    next_ticket: u64,
}

// SAFETY: the list is reached through the lock around it alone, and N2 keeps its nodes alive whichever OS thread holds that lock.
unsafe impl Send for WaitList {}

impl WaitList {
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        WaitList {
            front: ptr::null(),
            back: ptr::null(),
            next_ticket: 1,
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.front.is_null()
    }

    /// Bytes of the stack of who is woken next, from where he switched away to where he goes on; any when nobody waits.
    #[inline]
    pub(super) fn surroundings_of_first(&self) -> Range<*const u8> {
        let node = self.front.cast::<u8>();
        node.wrapping_sub(BELOW)..node.wrapping_add(ABOVE)
    }

    /// The bound for [`wake_before`](Self::wake_before) that takes in everybody who waits now.
    pub(crate) fn bound(&self) -> u64 {
        self.next_ticket
    }

    /// Links `node`: at the back when it comes for the first time, else at the front, with its old ticket (N3).
    ///
    /// # Safety
    /// N2: `node` and `wait` stay where they are, until the node was unlinked under the lock that guards this list.
    #[inline]
    pub(crate) unsafe fn link(&mut self, node: &Node, wait: &Wait) {
        debug_assert!(!node.is_linked());
        node.wait.set(wait);
        node.list.set(self);
        if node.ticket.get() == 0 {
            node.ticket.set(self.next_ticket);
            self.next_ticket += 1;
            self.join(self.back, node, ptr::null());
        } else {
            self.return_to_place(node);
        }
    }

    /// Puts one that came before back where its ticket belongs: at the front, but for others who came back too.
    fn return_to_place(&mut self, node: &Node) {
        let (mut before, mut after) = (ptr::null(), self.front);
        // SAFETY: N2.
        while let Some(other) = unsafe { after.as_ref() }
            && other.ticket < node.ticket
        {
            (before, after) = (after, other.after.get());
        }
        self.join(before, node, after);
    }

    #[inline]
    fn join(&mut self, before: *const Node, node: &Node, after: *const Node) {
        node.before.set(before);
        node.after.set(after);
        // SAFETY: N2.
        match unsafe { before.as_ref() } {
            Some(before) => before.after.set(node),
            None => self.front = node,
        }
        // SAFETY: N2.
        match unsafe { after.as_ref() } {
            Some(after) => after.before.set(node),
            None => self.back = node,
        }
    }

    #[inline(always)]
    fn remove(&mut self, node: &Node) {
        let (before, after) = (node.before.get(), node.after.get());
        // SAFETY: N2.
        match unsafe { before.as_ref() } {
            Some(before) => before.after.set(after),
            None => self.front = after,
        }
        // SAFETY: N2.
        match unsafe { after.as_ref() } {
            Some(after) => after.before.set(before),
            None => self.back = before,
        }
        node.list.set(ptr::null_mut());
    }

    /// Tells those who came at the ticket `from` or later, and whose wait has not ended, what `word` makes of their number, as their weight; returns how many they are.
    pub(crate) fn tell_from(&self, from: u64, word: impl Fn(usize) -> usize) -> usize {
        let (mut count, mut next) = (0, self.front);
        // SAFETY: N2.
        while let Some(node) = unsafe { next.as_ref() } {
            // SAFETY: N2: the wait lives as long as its node.
            let waits = unsafe { &*node.wait.get() }.ended() == Ended::No;
            if waits && node.ticket.get() >= from {
                node.weight.set(word(count));
                count += 1;
            }
            next = node.after.get();
        }
        count
    }

    /// Whether anybody but the owner of `wait` waits here, whose wait has not ended.
    pub(super) fn has_other(&self, wait: &Wait) -> bool {
        let mut next = self.front;
        // SAFETY: N2.
        while let Some(node) = unsafe { next.as_ref() } {
            let other = node.wait.get();
            // SAFETY: N2: the wait lives as long as its node.
            if !ptr::eq(other, wait) && unsafe { &*other }.is_open() {
                return true;
            }
            next = node.after.get();
        }
        false
    }

    /// Wakes the first one whose wait has not ended otherwise.
    #[inline(always)]
    pub(crate) fn wake_first(&mut self) -> Option<Wake> {
        // SAFETY: N2.
        while let Some(first) = unsafe { self.front.as_ref() } {
            let wake = self.wake(first);
            if wake.is_some() {
                return wake;
            }
        }
        None
    }

    /// The same; tells also the address of his place in line, which is on his stack, and zero for nobody.
    #[inline(always)]
    pub(crate) fn wake_first_at(&mut self) -> (Option<Wake>, usize) {
        // SAFETY: N2.
        while let Some(first) = unsafe { self.front.as_ref() } {
            let wake = self.wake(first);
            if wake.is_some() {
                return (wake, ptr::from_ref(first).addr());
            }
        }
        (None, 0)
    }

    /// The same, among those who came before `bound` was taken.
    pub(crate) fn wake_before(&mut self, bound: u64) -> Option<Wake> {
        // SAFETY: N2.
        while let Some(first) = unsafe { self.front.as_ref() }
            && first.ticket.get() < bound
        {
            let wake = self.wake(first);
            if wake.is_some() {
                return wake;
            }
        }
        None
    }

    /// The same, only as long as the one in front waits for at most `most`; tells how much it waits for, and the address of his place in line.
    pub(crate) fn wake_within(&mut self, most: usize) -> Option<(Wake, usize, usize)> {
        // SAFETY: N2.
        while let Some(first) = unsafe { self.front.as_ref() }
            && first.weight() <= most
        {
            let weight = first.weight();
            if let Some(wake) = self.wake(first) {
                return Some((wake, weight, ptr::from_ref(first).addr()));
            }
        }
        None
    }

    /// What owns the list goes, with somebody in line. Whoever waits borrows it, so it was in a thread-local, and the OS thread of those in line ends: nobody is going to
    /// resume them, and their scheduler must not look for this list any more when it abandons them (L19).
    #[cold]
    fn let_go(&mut self) {
        // SAFETY: N2: stacks that are not resumed are kept (L1).
        while let Some(first) = unsafe { self.front.as_ref() } {
            self.remove(first);
            // SAFETY: N2: the wait lives as long as its node.
            unsafe { &*first.wait.get() }.lose_its_object();
        }
    }

    /// Takes `first` out and grants its wait, if that has not ended otherwise.
    #[inline(always)]
    fn wake(&mut self, first: &Node) -> Option<Wake> {
        self.remove(first);
        // SAFETY: N2: the wait lives as long as its node, and the owner cannot leave before we unlock.
        unsafe { &*first.wait.get() }.grant(first.case)
    }
}

/// Wakes everybody who waits now in the list that `list` names; the lock is taken anew for each, so that no bell is rung under it.
pub(crate) fn wake_all<S>(queue: &Lock<S>, list: impl Fn(&mut S) -> &mut WaitList) {
    let bound = list(&mut queue.lock()).bound();
    wake_before(queue, bound, list);
}

/// The same, for those who came before `bound` was taken.
pub(crate) fn wake_before<S>(queue: &Lock<S>, bound: u64, list: impl Fn(&mut S) -> &mut WaitList) {
    loop {
        let mut held = queue.lock();
        let wake = list(&mut held).wake_before(bound);
        drop(held);
        if wake.is_none() {
            return;
        }
    }
}

impl Default for WaitList {
    fn default() -> Self {
        WaitList::new()
    }
}

impl Drop for WaitList {
    #[inline]
    fn drop(&mut self) {
        if !self.is_empty() {
            self.let_go();
        }
    }
}
