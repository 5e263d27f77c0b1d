//! Pages: how large they are, and how one is made inaccessible by the means of every Unix.

#![expect(unsafe_code, reason = "asks the system about memory")]

use std::io;
use std::ptr::NonNull;

use super::{budget, limits};

/// The kernel's page size in bytes.
pub(crate) fn page_size() -> usize {
    // SAFETY: reads a constant of the system.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).unwrap_or(4096)
}

/// Makes the range inaccessible, which splits its mapping in up to three. Returns how many mappings that added.
///
/// # Safety
/// The range is whole pages of one mapping, and nobody reads or writes it any more.
pub(super) unsafe fn forbid(start: NonNull<u8>, bytes: usize) -> io::Result<usize> {
    let mappings = budget::reserve()?;
    // SAFETY: the caller vouches that nobody uses the range.
    match unsafe { libc::mprotect(start.as_ptr().cast(), bytes, libc::PROT_NONE) } {
        0 => Ok(mappings),
        _ => {
            let error = limits::refused("guard", bytes, io::Error::last_os_error());
            budget::release(mappings);
            Err(error)
        }
    }
}
