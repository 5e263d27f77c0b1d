//! Guards by `MADV_GUARD_INSTALL` (Linux 6.13), by `mprotect` where the kernel refuses it.
//!
//! The kernel says `EINVAL` when it is too old and also for locked memory (`mlockall`), so it is asked by calling it, and once it has
//! refused, every later guard goes the old way: one system call, not two.

#![expect(unsafe_code, reason = "advises the kernel about mappings")]

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};

use super::limits;
use super::protect::forbid;

/// From the kernel's `mman-common.h`; libc has no name for it yet.
const MADV_GUARD_INSTALL: libc::c_int = 102;

/// No swap is reserved: a mapping is an address range, and memory only where touched.
pub(super) const MAP_FLAGS: libc::c_int =
    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;

/// Set once the kernel has refused a guard. A hint: nothing else hangs on it, so relaxed.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// Turns huge pages off, where one touch would cost 2 MiB. A kernel without them refuses, which is as good.
pub(super) fn keep_pages_small(start: NonNull<u8>, bytes: usize) {
    // SAFETY: changes how the range is backed, not what it holds.
    let _ = unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_NOHUGEPAGE) };
}

/// # Safety
/// The range is whole pages of one mapping, and nobody reads or writes it any more.
pub(super) unsafe fn guard(start: NonNull<u8>, bytes: usize) -> io::Result<usize> {
    if !REFUSED.load(Ordering::Relaxed) {
        // SAFETY: the caller vouches that nobody uses the range.
        match unsafe { install(start, bytes) } {
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                REFUSED.store(true, Ordering::Relaxed);
            }
            outcome => {
                let outcome = outcome.map(|()| 0);
                return outcome.map_err(|error| limits::refused("guard", bytes, error));
            }
        }
    }
    // SAFETY: the caller's duty, handed on.
    unsafe { forbid(start, bytes) }
}

/// # Safety
/// The range is whole pages of one mapping, and nobody reads or writes it any more.
unsafe fn install(start: NonNull<u8>, bytes: usize) -> io::Result<()> {
    loop {
        // SAFETY: drops the pages of a range that the caller vouches nobody uses.
        if unsafe { libc::madvise(start.as_ptr().cast(), bytes, MADV_GUARD_INSTALL) } == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
