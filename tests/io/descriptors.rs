//! Puts other things in the place of the standard streams; only in a child process.

#![expect(unsafe_code, reason = "changes descriptors 0 to 2")]

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

/// From now on descriptor `number` is `thing`.
pub(crate) fn replace(number: RawFd, thing: impl AsFd) {
    // SAFETY: nobody in this process owns the standard streams.
    let done = unsafe { libc::dup2(thing.as_fd().as_raw_fd(), number) };
    assert_eq!(done, number, "{}", io::Error::last_os_error());
}

/// From now on there is no descriptor `number`.
pub(crate) fn close(number: RawFd) {
    // SAFETY: as above.
    assert_eq!(unsafe { libc::close(number) }, 0);
}

/// The flags of the open file.
pub(crate) fn flags(number: RawFd) -> i32 {
    // SAFETY: asks only.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFL) };
    assert!(flags >= 0, "{}", io::Error::last_os_error());
    flags
}

/// Whether its calls block, for everybody who shares the open file.
pub(crate) fn blocks(number: RawFd) -> bool {
    flags(number) & libc::O_NONBLOCK == 0
}

/// A terminal: our side of it, and the program's.
pub(crate) fn terminal() -> (File, OwnedFd) {
    let (mut near, mut far) = (0, 0);
    let nothing = std::ptr::null_mut();
    // SAFETY: it writes to the two numbers that it is given.
    let failed = unsafe {
        libc::openpty(
            &raw mut near,
            &raw mut far,
            nothing,
            std::ptr::null(),
            std::ptr::null(),
        )
    };
    assert_eq!(failed, 0, "{}", io::Error::last_os_error());
    // SAFETY: new, and ours.
    let near = unsafe { File::from_raw_fd(near) };
    // SAFETY: the same.
    let far = unsafe { OwnedFd::from_raw_fd(far) };
    (near, far)
}

/// Whether this system writes to a pipe without blocking and without changing its open file; Linux 6.5 does.
#[cfg(all(target_os = "linux", target_env = "gnu", not(greenthread_portable)))]
pub(crate) fn pipes_are_written_at_once() -> bool {
    let (_reader, writer) = io::pipe().unwrap();
    let byte = libc::iovec {
        iov_base: std::ptr::from_ref(&b'x').cast_mut().cast(),
        iov_len: 1,
    };
    // SAFETY: it reads the one byte.
    let done =
        unsafe { libc::pwritev2(writer.as_raw_fd(), &raw const byte, 1, -1, libc::RWF_NOWAIT) };
    done == 1
}

/// Nothing else can.
#[cfg(not(all(target_os = "linux", target_env = "gnu", not(greenthread_portable))))]
pub(crate) fn pipes_are_written_at_once() -> bool {
    false
}
