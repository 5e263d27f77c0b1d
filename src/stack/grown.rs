//! The stacks on which `grow` runs something, and the logical stack that each is a part of.
//!
//! A grown stack has no place in the running chain: the stack that grew stays the innermost one there, so its generator may yield and its frames are
//! in force (L14, D9). This list answers the one question that the chain cannot: to whom does an address on a grown stack belong.
//!
//! Invariant N1: a node lives in the frame of the call of `grow` that linked it, on a stack of this OS thread, and is unlinked before that call is left. A
//! stack that is abandoned keeps its frames, and so its node.

#![expect(unsafe_code, reason = "links nodes that stand in frames")]

use std::cell::Cell;
use std::ops::Range;
use std::ptr;

use super::chain::Link;

thread_local! {
    /// The newest node of this OS thread.
    static NEWEST: Cell<*const Grown> = const { Cell::new(ptr::null()) };
}

/// One call of `grow` that is under way.
#[derive(Debug)]
pub(crate) struct Grown {
    /// The addresses of the stack that was added.
    span: Range<usize>,

    /// The stack that it was added to; null for a root without a link.
    on: *const Link,

    /// The node linked next.
    newer: Cell<*const Grown>,

    /// The node linked before.
    older: Cell<*const Grown>,
}

impl Grown {
    pub(crate) fn new(span: Range<usize>, on: *const Link) -> Self {
        Grown {
            span,
            on,
            newer: Cell::new(ptr::null()),
            older: Cell::new(ptr::null()),
        }
    }

    /// Calls `f` with this node linked. `f` does not unwind.
    pub(crate) fn during<T>(&self, f: impl FnOnce() -> T) -> T {
        self.link();
        let value = f();
        self.unlink();
        value
    }

    fn link(&self) {
        let older = NEWEST.replace(self);
        self.older.set(older);
        // SAFETY: N1.
        if let Some(older) = unsafe { older.as_ref() } {
            older.newer.set(self);
        }
    }

    /// Green threads leave in any order, so this may stand in the middle.
    fn unlink(&self) {
        let (newer, older) = (self.newer.get(), self.older.get());
        // SAFETY: N1.
        match unsafe { newer.as_ref() } {
            Some(newer) => newer.older.set(older),
            None => NEWEST.set(older),
        }
        // SAFETY: N1.
        if let Some(older) = unsafe { older.as_ref() } {
            older.newer.set(newer);
        }
    }
}

/// Calls `f` with the addresses of every grown stack of this OS thread, and with the stack that it was added to.
pub(crate) fn each(mut f: impl FnMut(&Range<usize>, *const Link)) {
    // SAFETY: N1.
    let first = unsafe { NEWEST.get().as_ref() };
    // SAFETY: N1.
    let all = std::iter::successors(first, |node| unsafe { node.older.get().as_ref() });
    all.for_each(|node| f(&node.span, node.on));
}

/// The stack that the grown one with this address was added to: null for a root without a link, `None` when no grown stack has the address.
pub(crate) fn owner_of(address: usize) -> Option<*const Link> {
    // SAFETY: N1.
    let first = unsafe { NEWEST.get().as_ref() };
    // SAFETY: N1.
    let mut all = std::iter::successors(first, |node| unsafe { node.older.get().as_ref() });
    all.find(|node| node.span.contains(&address))
        .map(|node| node.on)
}
