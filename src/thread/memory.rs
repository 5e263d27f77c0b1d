//! Memory for blocks: what was freed on this OS thread is used again (D6).
//!
//! What was not used for a while goes back to the system (`idle`).
//!
//! Without this the system's allocator gives pages back between bursts, and spawning 100,000 costs three times as much. Blocks are of the system's
//! allocator, so one may be freed on another OS thread than the one that made it.

#![expect(unsafe_code, reason = "hands out raw memory")]

use std::alloc::{self, Layout};
use std::cell::{Cell, UnsafeCell};
use std::ptr::NonNull;

use crate::base::allocator;
use crate::stack::idle::{self, Keeper};

/// The sizes that are kept are multiples of this.
const STEP: usize = 64;

/// The largest size that is kept is this many steps.
const STEPS: usize = 16;

/// The alignment that every kept block has.
const ALIGN: usize = 16;

/// How many bytes of each size an OS thread keeps at the most.
const KEEP: usize = 64 << 20;

/// How many bytes of each size stay when the rest goes back.
const SPARE: usize = 1 << 20;

/// From so many freed bytes on, the system's allocator is asked to give pages back, which takes it a millisecond for ten megabytes.
const WORTH_A_TRIM: usize = 8 << 20;

thread_local! {
    /// What was freed here, by size.
    static FREE: Free = const {
        Free {
            bins: [const { Bin::new() }; STEPS],
            again: Cell::new(false),
        }
    };
}

/// Bins of one size each; its drop gives everything back.
struct Free {
    /// By size.
    bins: [Bin; STEPS],

    /// Whether much went back at the last trim: pages that one block held then may be free by now.
    again: Cell<bool>,
}

/// Freed blocks of one size.
struct Bin {
    /// The blocks.
    blocks: UnsafeCell<Vec<NonNull<u8>>>,

    /// The fewest that there were since the span of time began: so many were not needed in it.
    fewest: Cell<usize>,
}

impl Bin {
    const fn new() -> Self {
        Bin {
            blocks: UnsafeCell::new(Vec::new()),
            fewest: Cell::new(0),
        }
    }

    #[inline]
    fn pop(&self) -> Option<NonNull<u8>> {
        // SAFETY: H2 of `header` in spirit: a thread-local, borrowed for this one call, which runs no other code.
        let blocks = unsafe { &mut *self.blocks.get() };
        let block = blocks.pop();
        self.fewest.set(self.fewest.get().min(blocks.len()));
        block
    }

    #[inline]
    fn push(&self, block: NonNull<u8>, most: usize) -> bool {
        // SAFETY: as in `pop`; growing the vector runs the allocator, which knows nothing of us.
        let blocks = unsafe { &mut *self.blocks.get() };
        let room = blocks.len() < most;
        if room {
            blocks.push(block);
        }
        room
    }

    fn len(&self) -> usize {
        // SAFETY: as in `pop`.
        unsafe { &*self.blocks.get() }.len()
    }

    /// Takes out all blocks but `keep`.
    fn take_beyond(&self, keep: usize) -> Vec<NonNull<u8>> {
        // SAFETY: as in `push`.
        let blocks = unsafe { &mut *self.blocks.get() };
        let taken = blocks.split_off(keep.min(blocks.len()));
        blocks.shrink_to_fit();
        self.fewest.set(self.fewest.get().min(blocks.len()));
        taken
    }
}

impl Free {
    fn has_idle(&self) -> bool {
        let over = |(bin, blocks): (usize, &Bin)| blocks.len() > spare(bin);
        self.again.get() || self.bins.iter().enumerate().any(over)
    }

    fn begin_span(&self) {
        self.bins.iter().for_each(|bin| bin.fewest.set(bin.len()));
    }

    /// Gives blocks back: those that were not used since the span began, or all.
    fn trim(&self, all: bool) {
        let mut bytes = 0;
        for (bin, blocks) in self.bins.iter().enumerate() {
            let unused = if all {
                blocks.len()
            } else {
                blocks.fewest.get()
            };
            let keep = (blocks.len() - unused).max(spare(bin));
            let freed = blocks.take_beyond(keep);
            bytes += freed.len() * layout_of(bin).size();
            free_all(bin, freed);
        }
        let much = bytes >= WORTH_A_TRIM;
        if self.again.replace(much) || much {
            allocator::return_pages();
        }
    }
}

/// How many blocks of a bin stay in any case.
fn spare(bin: usize) -> usize {
    SPARE / layout_of(bin).size()
}

fn free_all(bin: usize, blocks: Vec<NonNull<u8>>) {
    for block in blocks {
        // SAFETY: every block of this bin was allocated with this layout.
        unsafe { alloc::dealloc(block.as_ptr(), layout_of(bin)) }
    }
}

/// Lets `idle` see to this OS thread's blocks.
fn take_part() {
    idle::take_part(Keeper {
        has_idle: || FREE.try_with(Free::has_idle).unwrap_or(false),
        begin_span: || {
            let _ = FREE.try_with(Free::begin_span);
        },
        trim: |all| {
            let _ = FREE.try_with(|free| free.trim(all));
        },
    });
}

impl Drop for Free {
    fn drop(&mut self) {
        for (bin, blocks) in self.bins.iter_mut().enumerate() {
            free_all(bin, blocks.blocks.get_mut().split_off(0));
        }
    }
}

/// The bin that serves a layout, if one does.
#[inline]
fn bin_of(layout: Layout) -> Option<usize> {
    let bin = layout.size().div_ceil(STEP).max(1) - 1;
    (bin < STEPS && layout.align() <= ALIGN).then_some(bin)
}

#[inline]
fn layout_of(bin: usize) -> Layout {
    // SAFETY: the alignment is a power of two, and the size at most 1 KiB.
    unsafe { Layout::from_size_align_unchecked((bin + 1) * STEP, ALIGN) }
}

/// Memory for a value of this layout, which is not of size zero. Aborts when there is none, as `Box` does.
#[inline]
pub(super) fn allocate(layout: Layout) -> NonNull<u8> {
    let Some(bin) = bin_of(layout) else {
        return from_system(layout);
    };
    FREE.try_with(|free| free.bins[bin].pop())
        .ok()
        .flatten()
        .unwrap_or_else(|| from_system(layout_of(bin)))
}

#[cold]
fn from_system(layout: Layout) -> NonNull<u8> {
    take_part();
    // SAFETY: the size is not zero: a block holds a header at least.
    let memory = unsafe { alloc::alloc(layout) };
    NonNull::new(memory).unwrap_or_else(|| alloc::handle_alloc_error(layout))
}

/// Gives memory back.
///
/// # Safety
/// `memory` came from [`allocate`] with this layout, and nothing refers to it any more.
#[inline]
pub(super) unsafe fn free(memory: NonNull<u8>, layout: Layout) {
    let Some(bin) = bin_of(layout) else {
        // SAFETY: the caller's duty, and `allocate` took this branch too.
        unsafe { alloc::dealloc(memory.as_ptr(), layout) };
        return;
    };
    let size = layout_of(bin).size();
    let kept = FREE.try_with(|free| free.bins[bin].push(memory, KEEP / size));
    if kept != Ok(true) {
        // SAFETY: the caller's duty, and `allocate` used this layout.
        unsafe { alloc::dealloc(memory.as_ptr(), layout_of(bin)) }
    }
}
