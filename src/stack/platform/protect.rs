//! A guard by the means of every Unix: an inaccessible range, which splits its mapping.

#![expect(unsafe_code, reason = "changes what a range may be used for")]

use std::io;
use std::ptr::NonNull;

use super::{budget, limits};

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
