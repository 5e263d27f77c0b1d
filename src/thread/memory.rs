//! Memory for blocks: what was freed on this OS thread is used again (D6).
//!
//! Without this the system's allocator gives pages back between bursts, and spawning 100,000 costs three times as much. Blocks are of the system's
//! allocator, so one may be freed on another OS thread than the one that made it.

#![expect(unsafe_code, reason = "hands out raw memory")]

use std::alloc::{self, Layout};
use std::cell::UnsafeCell;
use std::ptr::NonNull;

/// The sizes that are kept are multiples of this.
const STEP: usize = 64;

/// The largest size that is kept is this many steps.
const STEPS: usize = 16;

/// The alignment that every kept block has.
const ALIGN: usize = 16;

/// How many bytes of each size an OS thread keeps at the most.
const KEEP: usize = 64 << 20;

thread_local! {
    /// What was freed here, by size.
    static FREE: Free = const { Free([const { Bin::new() }; STEPS]) };
}

/// Bins of one size each; its drop gives everything back.
struct Free([Bin; STEPS]);

/// Freed blocks of one size.
struct Bin(UnsafeCell<Vec<NonNull<u8>>>);

impl Bin {
    const fn new() -> Self {
        Bin(UnsafeCell::new(Vec::new()))
    }

    #[inline]
    fn pop(&self) -> Option<NonNull<u8>> {
        // SAFETY: H2 of `header` in spirit: a thread-local, borrowed for this one call, which runs no other code.
        unsafe { &mut *self.0.get() }.pop()
    }

    #[inline]
    fn push(&self, block: NonNull<u8>, most: usize) -> bool {
        // SAFETY: as in `pop`; growing the vector runs the allocator, which knows nothing of us.
        let blocks = unsafe { &mut *self.0.get() };
        let room = blocks.len() < most;
        if room {
            blocks.push(block);
        }
        room
    }
}

impl Drop for Free {
    fn drop(&mut self) {
        for (bin, blocks) in self.0.iter_mut().enumerate() {
            for block in blocks.0.get_mut().drain(..) {
                // SAFETY: every block of this bin was allocated with this layout.
                unsafe { alloc::dealloc(block.as_ptr(), layout_of(bin)) }
            }
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
    FREE.try_with(|free| free.0[bin].pop())
        .ok()
        .flatten()
        .unwrap_or_else(|| from_system(layout_of(bin)))
}

#[cold]
fn from_system(layout: Layout) -> NonNull<u8> {
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
    let kept = FREE.try_with(|free| free.0[bin].push(memory, KEEP / size));
    if kept != Ok(true) {
        // SAFETY: the caller's duty, and `allocate` used this layout.
        unsafe { alloc::dealloc(memory.as_ptr(), layout_of(bin)) }
    }
}
