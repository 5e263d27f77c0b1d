//! The system's allocator.

#![cfg_attr(
    all(target_os = "linux", target_env = "gnu"),
    expect(unsafe_code, reason = "asks the C library")
)]

/// Has the system's allocator give free pages back: glibc keeps what lies below a block that is in use.
pub(crate) fn return_pages() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: gives back what nobody uses.
    unsafe {
        libc::malloc_trim(0)
    };
}
