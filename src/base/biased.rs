//! A counted pointer whose owner's OS thread counts without atomics.
//!
//! What an OS thread hands out many times a second and other OS threads hold now and then, costs the owner an increment instead of a locked one: two
//! of those are a quarter of a spawn.
//!
//! ```text
//!   owner's OS thread:  local ± 1                      release (once, at its end): remote += local - BIAS
//!   other OS threads:   remote ± 1 (atomic)
//!   freed by whoever brings remote to zero: never before the release, for BIAS is in it until then
//! ```
//!
//! Invariants:
//! - Y1 References = local + remote - (BIAS before the release, else 0) + (before the release: the owner's own one).
//! - Y2 `local` is touched on the OS thread named by `owner` alone; `owner` is set to nobody by the release, on that OS thread.
//!
//! Source: "Biased reference counting", J. Choi, T. Shull, J. Torrellas, 2018; here with one owner that says itself when it goes.

#![expect(unsafe_code, reason = "counts references by hand")]

use std::cell::Cell;
use std::ops::Deref;
use std::ptr::{self, NonNull};

use super::atomic::{AtomicPtr, AtomicUsize, Ordering, acquire_last};

/// More than there can be references.
const BIAS: usize = 1 << (usize::BITS - 2);

#[cfg(not(loom))]
thread_local! {
    /// Its address names the OS thread.
    static HERE: Cell<u8> = const { Cell::new(0) };
}

#[cfg(loom)]
loom::thread_local! {
    /// The name of the model checker's thread: a number that no other has, for an address may come again within one run, with no order between the two.
    static HERE: usize = NAMES.fetch_add(8, std::sync::atomic::Ordering::Relaxed);
}

/// The next such number.
#[cfg(loom)]
static NAMES: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(8);

#[cfg(loom)]
fn here() -> *mut Cell<u8> {
    HERE.with(|name| ptr::without_provenance_mut(*name))
}

/// The name of this OS thread.
#[cfg(not(loom))]
#[inline(always)]
fn here() -> *mut Cell<u8> {
    HERE.with(|here| ptr::from_ref(here).cast_mut())
}

/// A counted pointer; see the head of the file.
#[derive(Debug)]
pub(crate) struct Biased<T>(NonNull<Shared<T>>);

/// What is pointed to.
#[derive(Debug)]
struct Shared<T> {
    /// Y2.
    owner: AtomicPtr<Cell<u8>>,

    /// Y1: what the owner's OS thread counts.
    local: Cell<isize>,

    /// Y1: what the others count.
    remote: AtomicUsize,

    /// The value.
    value: T,
}

// SAFETY: Y2 for `local`; the value is shared, and dropped on any OS thread.
unsafe impl<T: Send + Sync> Send for Biased<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Biased<T> {}

impl<T> Biased<T> {
    /// A value that is owned by the OS thread that calls, with one reference.
    pub(crate) fn new(value: T) -> Self {
        let shared = Box::new(Shared {
            owner: AtomicPtr::new(here()),
            local: Cell::new(1),
            remote: AtomicUsize::new(BIAS),
            value,
        });
        Biased(NonNull::from(Box::leak(shared)))
    }

    pub(crate) fn ptr_eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    #[inline(always)]
    fn shared(&self) -> &Shared<T> {
        // SAFETY: Y1: this reference is counted.
        unsafe { self.0.as_ref() }
    }

    /// The owner's OS thread ends: from here on everybody counts the same way. Once, there.
    pub(crate) fn release(&self) {
        let shared = self.shared();
        debug_assert!(shared.is_here());
        let local = shared.local.replace(0);
        shared.owner.store(ptr::null_mut(), Ordering::Relaxed);
        // This reference is one of those counted, so what is left is not zero.
        shared
            .remote
            .fetch_add((local as usize).wrapping_sub(BIAS), Ordering::AcqRel);
    }
}

impl<T> Shared<T> {
    #[inline(always)]
    fn is_here(&self) -> bool {
        self.owner.load(Ordering::Relaxed) == here()
    }
}

impl<T> Clone for Biased<T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        let shared = self.shared();
        if shared.is_here() {
            shared.local.set(shared.local.get() + 1);
        } else {
            shared.remote.fetch_add(1, Ordering::Relaxed);
        }
        Biased(self.0)
    }
}

impl<T> Drop for Biased<T> {
    #[inline(always)]
    fn drop(&mut self) {
        let shared = self.shared();
        if shared.is_here() {
            shared.local.set(shared.local.get() - 1);
        } else {
            self.drop_elsewhere();
        }
    }
}

impl<T> Biased<T> {
    #[cold]
    #[inline(never)]
    fn drop_elsewhere(&mut self) {
        let remote = &self.shared().remote;
        if remote.fetch_sub(1, Ordering::Release) == 1 {
            acquire_last(remote);
            // SAFETY: Y1: that was the last reference, and the owner has released.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        }
    }
}

impl<T> Deref for Biased<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.shared().value
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn the_value_goes_with_the_last_reference_wherever_that_is() {
        let value = Arc::new(());
        let here = Biased::new(Arc::clone(&value));
        let there = here.clone();
        here.release();
        drop(here);
        assert_eq!(Arc::strong_count(&value), 2);
        std::thread::spawn(move || drop(there)).join().unwrap();
        assert_eq!(Arc::strong_count(&value), 1);
    }

    #[test]
    fn references_made_there_and_dropped_here_balance() {
        let value = Arc::new(());
        let here = Biased::new(Arc::clone(&value));
        let borrowed = here.clone();
        let many: Vec<_> =
            std::thread::spawn(move || vec![borrowed.clone(), borrowed.clone(), borrowed])
                .join()
                .unwrap();
        drop(many);
        here.release();
        assert_eq!(Arc::strong_count(&value), 2);
        drop(here);
        assert_eq!(Arc::strong_count(&value), 1);
    }
}
