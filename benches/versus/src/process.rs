//! What std cannot do with another process.

#![expect(unsafe_code, reason = "kill")]

/// Asks a child of ours that has not been awaited yet to end.
pub fn interrupt(id: u32) {
    // SAFETY: as below.
    unsafe { libc::kill(id as libc::pid_t, libc::SIGINT) };
}

/// Ends a child of ours that has not been awaited yet, so that its id is still its own.
pub fn end(id: u32) {
    // SAFETY: a system call on a number; the caller vouches for whose it is.
    unsafe { libc::kill(id as libc::pid_t, libc::SIGKILL) };
}
