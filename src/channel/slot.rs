//! A place for one message on a parked stack, found by others through the weight of its owner's wait node.
//!
//! Invariants:
//! - Z1 The owner alone touches a slot, but while its node is in a list of the channel, and until it leaves the wait that the node stands for: then only whoever
//!   holds the channel's lock does, and has found the node in the list under that same lock (or runs for the owner at the end of its OS thread).

#![expect(
    unsafe_code,
    reason = "a receiver takes the message from the stack of its parked sender, and the other way round"
)]

use std::cell::UnsafeCell;
use std::ptr;

/// A place for one message.
pub(super) struct Slot<T>(UnsafeCell<Option<T>>);

impl<T> Slot<T> {
    pub(super) fn new(message: Option<T>) -> Self {
        Slot(UnsafeCell::new(message))
    }

    /// The address, for the owner's node.
    pub(super) fn address(&self) -> usize {
        self.0.get().expose_provenance()
    }

    /// What is in it, while the owner does not wait.
    pub(super) fn get_mut(&mut self) -> &mut Option<T> {
        self.0.get_mut()
    }

    /// What is in it, once the owner has left its wait.
    pub(super) fn into_inner(self) -> Option<T> {
        self.0.into_inner()
    }

    /// Takes the message out of the slot at `address`, or puts one in: swaps it.
    ///
    /// # Safety
    /// `address` is of a live slot of this type, and the caller is the one whom Z1 lets touch it.
    pub(super) unsafe fn swap(address: usize, message: Option<T>) -> Option<T> {
        let slot = ptr::with_exposed_provenance_mut::<Option<T>>(address);
        // SAFETY: the caller's duty.
        unsafe { slot.replace(message) }
    }
}
