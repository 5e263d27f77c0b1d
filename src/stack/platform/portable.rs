//! Guards by `mprotect` alone: other systems, and `--cfg greenthread_portable`.
//!
//! Each guard splits its mapping, so on Linux `vm.max_map_count` ends it at some 32,000 stacks.

#![expect(unsafe_code, reason = "hands the caller's duty on")]

use std::io;
use std::ptr::NonNull;

use super::protect::forbid;

/// The flags that every Unix has.
pub(super) const MAP_FLAGS: libc::c_int = libc::MAP_PRIVATE | libc::MAP_ANON;

/// Nothing to ask for.
pub(super) fn keep_pages_small(_start: NonNull<u8>, _bytes: usize) {}

/// # Safety
/// The range is whole pages of one mapping, and nobody reads or writes it any more.
pub(super) unsafe fn guard(start: NonNull<u8>, bytes: usize) -> io::Result<usize> {
    // SAFETY: the caller's duty, handed on.
    unsafe { forbid(start, bytes) }
}
