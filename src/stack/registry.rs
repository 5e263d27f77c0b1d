//! Every slab of the process, findable by address without a lock: for a signal handler.
//!
//! A list that only grows; the entry of a slab that was unmapped is used again. A handler looks for the stack that it stands on, whose slab cannot go
//! meanwhile; about the others an answer may be out of date.

#![expect(unsafe_code, reason = "follows leaked entries by address")]

use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// In `Entry::base`: nobody's.
const FREE: usize = 0;

/// In `Entry::base`: being filled in.
const CLAIMED: usize = 1;

/// The first entry; the others hang on it.
static FIRST: Entry = Entry::new(FREE);

/// One slab.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Where the mapping starts; FREE, or CLAIMED. Published last.
    base: AtomicUsize,

    /// Bytes from one slot to the next.
    stride: AtomicUsize,

    /// How many slots there are.
    slots: AtomicUsize,

    /// The entry that was added next; null for the last.
    next: AtomicPtr<Entry>,
}

/// Where a debugger finds what, in bytes.
pub(crate) mod layout {
    use std::mem::offset_of;

    use super::Entry;

    /// In an entry: where the mapping starts; 0 or 1 for one that is not in use.
    pub(crate) const BASE: usize = offset_of!(Entry, base);

    /// In an entry: bytes from one slot to the next.
    pub(crate) const STRIDE: usize = offset_of!(Entry, stride);

    /// In an entry: how many slots there are.
    pub(crate) const SLOTS: usize = offset_of!(Entry, slots);

    /// In an entry: the address of the next one.
    pub(crate) const NEXT: usize = offset_of!(Entry, next);
}

impl Entry {
    const fn new(base: usize) -> Self {
        Entry {
            base: AtomicUsize::new(base),
            stride: AtomicUsize::new(1),
            slots: AtomicUsize::new(0),
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    fn next(&self) -> Option<&'static Entry> {
        let next = self.next.load(Ordering::Acquire);
        // SAFETY: null, or leaked by `append`.
        unsafe { next.as_ref() }
    }

    fn fill(&self, base: usize, stride: usize, slots: usize) {
        self.stride.store(stride, Ordering::Relaxed);
        self.slots.store(slots, Ordering::Relaxed);
        self.base.store(base, Ordering::Release);
    }

    /// Takes the slab off the list, before it is unmapped.
    pub(crate) fn remove(&self) {
        self.base.store(FREE, Ordering::Release);
    }

    /// The slot that holds this address.
    fn slot(&self, address: usize) -> Option<Range<usize>> {
        let base = self.base.load(Ordering::Acquire);
        let stride = self.stride.load(Ordering::Relaxed);
        let index = address.checked_sub(base)? / stride;
        let found = base > CLAIMED && index < self.slots.load(Ordering::Relaxed);
        let start = base + index * stride;
        found.then(|| start..start + stride)
    }
}

/// Puts a slab on the list.
pub(crate) fn add(base: usize, stride: usize, slots: usize) -> &'static Entry {
    let entry = entries().find(|entry| claim(entry)).unwrap_or_else(append);
    entry.fill(base, stride, slots);
    entry
}

/// The slot, guard included, that holds this address. Takes no lock and allocates nothing.
pub(crate) fn find(address: usize) -> Option<Range<usize>> {
    entries().find_map(|entry| entry.slot(address))
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    std::iter::successors(Some(&FIRST), |entry| entry.next())
}

fn claim(entry: &Entry) -> bool {
    entry
        .base
        .compare_exchange(FREE, CLAIMED, Ordering::Acquire, Ordering::Relaxed)
        .is_ok()
}

/// Hangs a claimed entry on the end of the list.
fn append() -> &'static Entry {
    let new: &'static Entry = Box::leak(Box::new(Entry::new(CLAIMED)));
    let hang = |last: &&Entry| {
        let place = &last.next;
        let address = ptr::from_ref(new).cast_mut();
        place
            .compare_exchange(
                ptr::null_mut(),
                address,
                Ordering::AcqRel,
                Ordering::Relaxed,
            )
            .is_ok()
    };
    // One that others hang theirs on meanwhile is passed, and the end comes.
    while !entries().any(|entry| hang(&entry)) {}
    new
}

/// The first entry, for a debugger.
pub(crate) const fn first() -> &'static Entry {
    &FIRST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_its_slot_until_the_slab_is_removed() {
        // The first pages of an address space hold no slab of another test.
        let entry = add(0x4000, 0x1000, 3);
        assert_eq!(find(0x3fff), None);
        assert_eq!(find(0x4000), Some(0x4000..0x5000));
        assert_eq!(find(0x6fff), Some(0x6000..0x7000));
        assert_eq!(find(0x7000), None);
        entry.remove();
        assert_eq!(find(0x4000), None);
    }

    #[test]
    fn slabs_added_on_several_os_threads_are_all_found() {
        std::thread::scope(|scope| {
            for thread in 1..5 {
                scope.spawn(move || {
                    for round in 0..64 {
                        let base = (thread << 20) + (round << 12);
                        let entry = add(base, 0x1000, 1);
                        assert_eq!(find(base + 5), Some(base..base + 0x1000));
                        entry.remove();
                    }
                });
            }
        });
    }
}
