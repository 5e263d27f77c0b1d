//! A pidfd, since Linux 5.3.

#![expect(unsafe_code, reason = "a system call that libc has no function for")]

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// See the contract in `mod`.
pub(in crate::process) fn exit_descriptor(process: u32) -> io::Result<OwnedFd> {
    // SAFETY: the call reads two numbers.
    let opened = unsafe { libc::syscall(libc::SYS_pidfd_open, process, 0) };
    match i32::try_from(opened) {
        // SAFETY: the kernel has just opened it for us; it is closed on exec.
        Ok(descriptor) if descriptor >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }),
        _ => Err(io::Error::last_os_error()),
    }
}
