//! What the kernel is asked for: address space, and guards in it.
//!
//! The contract, the same for every file here:
//! - [`map`] gives zeroed, readable and writable address space that costs memory only where it is touched, page by page, or an error
//!   that has changed nothing.
//! - [`guard`] makes any touch of a range fault, until the mapping goes. On error the range is as it was.
//! - [`unmap`] gives a whole mapping back, guards included.
//! - Guards that split mappings have a budget below `vm.max_map_count`: see `budget`.
//! - Errors name the limit that was hit and its value (L3): see `limits`.
//!
//! `linux` guards with `MADV_GUARD_INSTALL` where the kernel has it: no mapping is split, so a million guards fit under
//! `vm.max_map_count`. `portable` knows only `mprotect`; it serves other systems, and `--cfg greenthread_portable` forces it.

#![expect(unsafe_code, reason = "maps and unmaps memory")]

mod budget;
mod cgroup;
mod limits;
mod pages;
mod protect;
pub(crate) mod valgrind;

#[cfg(all(target_os = "linux", not(greenthread_portable)))]
mod linux;
#[cfg(all(target_os = "linux", not(greenthread_portable)))]
use linux as system;

#[cfg(any(not(target_os = "linux"), greenthread_portable))]
mod portable;
#[cfg(any(not(target_os = "linux"), greenthread_portable))]
use portable as system;

use std::io;
use std::ptr::{self, NonNull};

pub(crate) use pages::page_size;

/// Maps `bytes` of fresh address space.
pub(crate) fn map(bytes: usize) -> io::Result<NonNull<u8>> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: an anonymous mapping at an address of the kernel's choice touches nothing that exists.
    let start = unsafe { libc::mmap(ptr::null_mut(), bytes, access, system::MAP_FLAGS, -1, 0) };
    if start == libc::MAP_FAILED {
        return Err(limits::refused("map", bytes, io::Error::last_os_error()));
    }
    let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
    system::keep_pages_small(start, bytes);
    Ok(start)
}

/// Makes every touch of `bytes` from `start` fault. Returns how many mappings that added, to be given to [`forget_guards`] when they are gone.
///
/// # Safety
/// The range is whole pages of a mapping of [`map`], and nobody reads or writes it any more.
pub(crate) unsafe fn guard(start: NonNull<u8>, bytes: usize) -> io::Result<usize> {
    // SAFETY: the caller's duty.
    unsafe { system::guard(start, bytes) }
}

/// So many mappings that guards had added are gone.
pub(crate) fn forget_guards(mappings: usize) {
    budget::release(mappings);
}

/// Refuses when so many bytes more would pass the limit of the control group.
pub(crate) fn check_room(bytes: usize) -> io::Result<()> {
    cgroup::check(bytes)
}

/// Gives the memory of a range back; it reads as zeros from then on. Guards in it stay. Where the kernel refuses (locked memory) it is kept.
///
/// # Safety
/// The range is whole pages of a mapping of [`map`], and nobody needs what it holds.
pub(crate) unsafe fn give_up(start: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller's duty.
    let _ = unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_DONTNEED) };
}

/// How many bytes of a range take memory; zero where the system does not say.
pub(crate) fn resident(start: NonNull<u8>, bytes: usize) -> usize {
    const PAGES_AT_ONCE: usize = 16 * 1024;
    let page = page_size();
    let mut pages = vec![0_u8; PAGES_AT_ONCE];
    let mut count = 0;
    for offset in (0..bytes).step_by(PAGES_AT_ONCE * page) {
        let part = (bytes - offset).min(PAGES_AT_ONCE * page);
        let from = start.as_ptr().wrapping_add(offset).cast();
        // SAFETY: fills a byte for each page of the part.
        if unsafe { libc::mincore(from, part, pages.as_mut_ptr()) } != 0 {
            return 0;
        }
        let known = &pages[..part.div_ceil(page)];
        count += known.iter().filter(|byte| **byte & 1 != 0).count();
    }
    count * page
}

/// Gives a mapping back.
///
/// # Safety
/// `start` and `bytes` are those of one whole mapping of [`map`], and nobody uses it any more.
pub(crate) unsafe fn unmap(start: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller's duty. It can only fail for a bad range, or when splitting a mapping, which a whole one does not.
    let status = unsafe { libc::munmap(start.as_ptr().cast(), bytes) };
    debug_assert_eq!(status, 0, "munmap: {}", io::Error::last_os_error());
}
