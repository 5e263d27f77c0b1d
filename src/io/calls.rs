//! The system calls on borrowed descriptors for which std has no safe form.
//!
//! Each moves what it can in one call, and starts again when a signal interrupts it. The `_now` ones never block: `Ok(None)` says that there is no such call for this
//! descriptor or on this system, and `WouldBlock` that nothing can be moved yet.

#![expect(
    unsafe_code,
    reason = "calls the system with borrowed descriptors and buffers"
)]

#[cfg(all(target_os = "linux", target_env = "gnu", not(greenthread_portable)))]
#[path = "now.rs"]
mod now;

#[cfg(not(all(target_os = "linux", target_env = "gnu", not(greenthread_portable))))]
#[path = "now_portable.rs"]
mod now;

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

pub(super) use now::{read_now, write_now};

use crate::sched::source::Direction;

/// Reads at the descriptor's own position.
pub(super) fn read(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    let (start, length) = (buffer.as_mut_ptr().cast(), buffer.len());
    // SAFETY: the descriptor is open while it is borrowed, and the call writes into the buffer alone.
    moved(|| unsafe { libc::read(fd.as_raw_fd(), start, length) })
}

/// Writes at the descriptor's own position, or at the end of a file that is appended to.
pub(super) fn write(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    let (start, length) = (bytes.as_ptr().cast(), bytes.len());
    // SAFETY: the descriptor is open while it is borrowed, and the call reads the bytes alone.
    moved(|| unsafe { libc::write(fd.as_raw_fd(), start, length) })
}

/// Reads at `at` and leaves the descriptor's own position alone.
pub(super) fn read_at(fd: BorrowedFd<'_>, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let (start, length, at) = (buffer.as_mut_ptr().cast(), buffer.len(), offset(at)?);
    // SAFETY: the descriptor is open while it is borrowed, and the call writes into the buffer alone.
    moved(|| unsafe { libc::pread(fd.as_raw_fd(), start, length, at) })
}

/// Writes at `at` and leaves the descriptor's own position alone.
pub(super) fn write_at(fd: BorrowedFd<'_>, at: u64, bytes: &[u8]) -> io::Result<usize> {
    let (start, length, at) = (bytes.as_ptr().cast(), bytes.len(), offset(at)?);
    // SAFETY: the descriptor is open while it is borrowed, and the call reads the bytes alone.
    moved(|| unsafe { libc::pwrite(fd.as_raw_fd(), start, length, at) })
}

/// Where the descriptor stands.
pub(super) fn position(fd: BorrowedFd<'_>) -> io::Result<u64> {
    seek(fd, 0, libc::SEEK_CUR)
}

/// Moves the descriptor's own position.
pub(crate) fn seek(fd: BorrowedFd<'_>, offset: i64, from: libc::c_int) -> io::Result<u64> {
    // SAFETY: the descriptor is open while it is borrowed, and the call touches no memory.
    let position = unsafe { libc::lseek(fd.as_raw_fd(), offset, from) };
    u64::try_from(position).map_err(|_| io::Error::last_os_error())
}

/// What kind of file it is: the type bits of its mode.
pub(super) fn kind(fd: BorrowedFd<'_>) -> io::Result<libc::mode_t> {
    let mut status = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the descriptor is open while it is borrowed, and the call writes into the one struct.
    let failed = unsafe { libc::fstat(fd.as_raw_fd(), status.as_mut_ptr()) };
    if failed != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has succeeded, so it has filled the struct.
    let status = unsafe { status.assume_init() };
    Ok(status.st_mode & libc::S_IFMT)
}

/// Whether a call in this direction would not block now, as far as `poll` can say; `WouldBlock` if not.
pub(super) fn is_ready(fd: BorrowedFd<'_>, direction: Direction) -> io::Result<()> {
    let events = match direction {
        Direction::Read => libc::POLLIN,
        Direction::Write => libc::POLLOUT,
    };
    let mut asked = libc::pollfd {
        fd: fd.as_raw_fd(),
        events,
        revents: 0,
    };
    // SAFETY: the call reads and writes the one struct.
    match moved(|| unsafe { libc::poll(&raw mut asked, 1, 0) as isize })? {
        0 => Err(io::ErrorKind::WouldBlock.into()),
        _ => Ok(()),
    }
}

/// Says whether calls on this descriptor, and on all that share its open file, block.
pub(super) fn set_blocking(fd: BorrowedFd<'_>, blocks: bool) -> io::Result<()> {
    // SAFETY: the descriptor is open while it is borrowed, and the call touches no memory.
    let flags = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) };
    if flags < 0 {
        return Err(io::Error::last_os_error());
    }
    let flags = match blocks {
        true => flags & !libc::O_NONBLOCK,
        false => flags | libc::O_NONBLOCK,
    };
    // SAFETY: as above.
    match unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn offset(at: u64) -> io::Result<libc::off_t> {
    libc::off_t::try_from(at).map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// Calls until no signal interrupts it.
fn moved(mut call: impl FnMut() -> isize) -> io::Result<usize> {
    loop {
        let result = usize::try_from(call()).map_err(|_| io::Error::last_os_error());
        match result {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
