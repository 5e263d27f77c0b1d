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

    /// Slots that were handed out and whose memory was given back since: the next to be handed out. Their guards stand.
    cold: Vec<u32>,

    /// How many mappings its guards have added.
    split: usize,

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
        // Whoever uses a stack touches a page of it.
        platform::check_room(slots * platform::page_size())?;
        let base = platform::map(bytes)?;
        Ok(Slab {
            base,
            entry: registry::add(base.addr().get(), stride, slots),
            stride,
            slots,
            used: 0,
            split: 0,
            cold: Vec::new(),
            registrations: Vec::new(),
        })
    }

    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    /// How many slots were handed out and are not cold.
    pub(crate) fn warm(&self) -> usize {
        self.used - self.cold.len()
    }

    pub(crate) fn cold(&self) -> usize {
        self.cold.len()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.used < self.slots || !self.cold.is_empty()
    }

    /// The slot that holds this address.
    pub(crate) fn index_of(&self, address: usize) -> usize {
        (address - self.base.addr().get()) / self.stride
    }

    /// Hands out a slot, guarded. On error it stays for another try.
    pub(crate) fn hand_out(&mut self) -> io::Result<Slot> {
        match self.cold.pop() {
            Some(index) => Ok(self.slot(index as usize)),
            None => self.hand_out_fresh(),
        }
    }

    fn slot(&self, index: usize) -> Slot {
        // SAFETY: a slot of this slab, and `GUARD < stride`: inside it.
        let limit = unsafe { self.base.add(index * self.stride + GUARD) };
        Slot {
            limit,
            bytes: self.stride - GUARD,
            index,
        }
    }

    fn hand_out_fresh(&mut self) -> io::Result<Slot> {
        assert!(self.used < self.slots);
        // SAFETY: `used < slots`, so the slot lies inside the mapping.
        let guard = unsafe { self.base.add(self.used * self.stride) };
        // SAFETY: whole pages at the foot of a slot that nobody was given yet.
        self.split += unsafe { platform::guard(guard, GUARD) }?;
        let slot = self.slot(self.used);
        self.used += 1;
        let start = slot.limit.addr().get();
        let registration = valgrind::register(start..start + slot.bytes);
        self.registrations.extend(registration);
        Ok(slot)
    }

    /// Gives the memory of free slots back, and keeps them for `hand_out`.
    ///
    /// # Safety
    /// Nobody owns or lists these slots any more (P1 of `pool`).
    pub(crate) unsafe fn cool(&mut self, mut slots: Vec<u32>) {
        slots.sort_unstable();
        // Neighbours in one call: guards survive it.
        for run in slots.chunk_by(|one, next| one + 1 == *next) {
            let first = self.slot(run[0] as usize);
            let bytes = run.len() * self.stride - GUARD;
            // SAFETY: the caller's duty.
            unsafe { platform::give_up(first.limit, bytes) };
        }
        // The lowest is to be handed out first.
        self.cold.extend(slots.iter().rev());
    }

    /// How many bytes of it take memory.
    pub(crate) fn resident(&self) -> usize {
        platform::resident(self.base, self.used * self.stride)
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
        unsafe { platform::unmap(self.base, self.stride * self.slots) };
        platform::forget_guards(self.split);
    }
}
