//! The way of a walk over frames, from stack to stack along a chain.
//!
//! The unwinder goes on through every switch: the frame below a generator's base is the one that drives it. Which stack a frame stands on is told by its stack
//! pointer and the links' spans.

#![expect(unsafe_code, reason = "follows the links of a chain")]

use std::ptr;

use super::chain::{self, Link};
use super::grown;

/// How far a walk goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The innermost stack.
    OwnStack,

    /// The chain to its base; for the root, to the first frame of the OS thread.
    Chain,
}

/// Where a walk is.
#[derive(Debug)]
pub(crate) struct Way {
    /// How far it goes.
    reach: Reach,

    /// The stack that it has come to; null for the root's.
    stack: *const Link,
}

impl Way {
    /// A walk that begins on this stack: the innermost of a chain that runs, or is parked as a whole, for as long as the walk takes.
    pub(crate) fn from(stack: *const Link, reach: Reach) -> Self {
        Way { reach, stack }
    }

    /// The stack that it has come to; null for the root's.
    pub(crate) fn stack(&self) -> *const Link {
        self.stack
    }

    /// Goes on to the stack that holds this address, and says whether it is within reach.
    pub(crate) fn reaches(&mut self, address: usize) -> bool {
        let grown = grown::owner_of(address);
        // SAFETY: the duty of `from`.
        for link in unsafe { chain::outward(self.stack) } {
            if link.is_root() {
                // Its span is not known: all that comes now is its own.
                break;
            }
            self.stack = link;
            let is_part = grown == Some(ptr::from_ref(link));
            if is_part || link.span().contains(&address) {
                return true;
            }
            if self.reach == Reach::OwnStack || !link.owner().is_null() {
                return false;
            }
        }
        self.stack = ptr::null();
        true
    }
}
