//! A large mapping cut into equal slots, each with its guard.
//!
//! ```text
//!   slot 0                          slot 1
//!   ┌───────┬─────────────────────┬───────┬──────────
//!   │ guard │ usable ◀── grows ── │ guard │ usable ..
//!   └───────┴─────────────────────┴───────┴──────────
//!   base                          base + stride
//! ```
//!
//! A slab hands each of its slots out once; the pool keeps those that come back. The guard is installed when a slot is handed out,
//! so a slab costs one system call to make, however many slots it has.

#![expect(unsafe_code, reason = "owns mappings")]

use std::io;
use std::ptr::NonNull;

use super::platform::{self, valgrind};
use super::registry::{self, Entry};

/// The bytes of the guard below each stack (L2): a multiple of every page size that the architecture has.
pub(crate) const GUARD: usize = if cfg!(any(target_arch = "x86", target_arch = "x86_64")) {
    16 * 1024
} else {
    64 * 1024
};

/// One mapping of `slots` slots.
#[derive(Debug)]
pub(crate) struct Slab {
    /// Where the mapping starts.
    base: NonNull<u8>,

    /// Bytes from one slot to the next, the guard included.
    stride: usize,

    /// How many slots there are.
    slots: usize,

    /// How many of them have been handed out at least once: the first ones.
    used: usize,

    /// Its place among all slabs of the process.
    entry: &'static Entry,

    /// What valgrind calls the stacks in it; empty when it does not run us.
    registrations: Vec<usize>,
}

/// A slot that has just been handed out for the first time.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The lowest usable address, just above the guard.
    pub(crate) limit: NonNull<u8>,

    /// Usable bytes from `limit` up.
    pub(crate) bytes: usize,

    /// Its place in the slab.
    pub(crate) index: usize,
}

impl Slab {
    /// Maps a slab; nothing in it is touched yet.
    pub(crate) fn map(stride: usize, slots: usize) -> io::Result<Self> {
        debug_assert!(GUARD.is_multiple_of(platform::page_size()));
        let bytes = stride
            .checked_mul(slots)
            .ok_or(io::ErrorKind::OutOfMemory)?;
        let base = platform::map(bytes)?;
        Ok(Slab {
            base,
            entry: registry::add(base.addr().get(), stride, slots),
            stride,
            slots,
            used: 0,
            registrations: Vec::new(),
        })
    }

    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    pub(crate) fn used(&self) -> usize {
        self.used
    }

    pub(crate) fn has_room(&self) -> bool {
        self.used < self.slots
    }

    /// Hands out the next slot, guarded. On error it stays for another try.
    pub(crate) fn hand_out(&mut self) -> io::Result<Slot> {
        assert!(self.has_room());
        // SAFETY: `used < slots`, so the slot lies inside the mapping.
        let guard = unsafe { self.base.add(self.used * self.stride) };
        // SAFETY: whole pages at the foot of a slot that nobody was given yet.
        unsafe { platform::guard(guard, GUARD) }?;
        let slot = Slot {
            // SAFETY: `GUARD < stride`: inside the same slot.
            limit: unsafe { guard.add(GUARD) },
            bytes: self.stride - GUARD,
            index: self.used,
        };
        self.used += 1;
        let start = slot.limit.addr().get();
        let registration = valgrind::register(start..start + slot.bytes);
        self.registrations.extend(registration);
        Ok(slot)
    }

    /// Gives the mapping back.
    ///
    /// # Safety
    /// No slot of it is in use (L1).
    pub(crate) unsafe fn unmap(self) {
        self.registrations
            .into_iter()
            .for_each(valgrind::deregister);
        self.entry.remove();
        // SAFETY: the whole mapping of `map`, and the caller vouches for its slots.
        unsafe { platform::unmap(self.base, self.stride * self.slots) }
    }
}
