//! How large a page is.

#![expect(unsafe_code, reason = "asks the system about memory")]

/// The kernel's page size in bytes.
pub(crate) fn page_size() -> usize {
    // SAFETY: reads a constant of the system.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).unwrap_or(4096)
}
