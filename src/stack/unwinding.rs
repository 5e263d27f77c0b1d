//! Whether the running chain is in the middle of an unwind (L10).
//!
//! `std::thread::panicking()` is one count per OS thread. It speaks of the running chain alone as long as no other stack was switched
//! away from in mid-unwind, which `chain` counts. Otherwise the frames decide: unwinding runs destructors from cleanup code, and where
//! a call in cleanup code stands in its function's exception table, a panic may not pass. So a stack is unwinding exactly when a
//! frame of it stands at a call that no panic may pass.
//!
//! The answer "yes" is the safe one: then nothing is raised, and the request waits.

use std::thread;

use super::chain;
use super::frames::{self, Reach};

/// Whether the running chain, from here to its base, is in the middle of an unwind.
#[inline]
pub(crate) fn chain_is_unwinding() -> bool {
    thread::panicking()
        && (chain::parked_unwinding() == 0 || frames::any_forbids_panic(Reach::Chain))
}

/// Whether the innermost running stack is itself in the middle of an unwind, whoever drives it.
#[inline]
pub(crate) fn own_stack_is_unwinding() -> bool {
    thread::panicking() && frames::any_forbids_panic(Reach::OwnStack)
}

#[cfg(test)]
#[path = "unwinding_tests.rs"]
mod tests;
