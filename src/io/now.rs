//! Linux: `preadv2` and `pwritev2` with `RWF_NOWAIT`. It is a property of the call, and not of the open file, which others may share.
//!
//! Reads of regular files give what the page cache holds (ext4, xfs, btrfs; tmpfs and network file systems have no such call), pipes and sockets what has come.

#![expect(
    unsafe_code,
    reason = "calls the system with borrowed descriptors and buffers"
)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::{moved, offset};

/// The position of the descriptor itself.
const OWN: libc::off_t = -1;

/// Reads at `at`, or at the descriptor's own position, what is there already.
pub(in crate::io) fn read_now(
    fd: BorrowedFd<'_>,
    at: Option<u64>,
    buffer: &mut [u8],
) -> io::Result<Option<usize>> {
    let at = at.map_or(Ok(OWN), offset)?;
    let part = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // SAFETY: the descriptor is open while it is borrowed, and the call writes into the buffer alone.
    let call =
        || unsafe { libc::preadv2(fd.as_raw_fd(), &raw const part, 1, at, libc::RWF_NOWAIT) };
    answer(moved(call))
}

/// Writes at `at`, or at the descriptor's own position, what there is room for.
pub(in crate::io) fn write_now(
    fd: BorrowedFd<'_>,
    at: Option<u64>,
    bytes: &[u8],
) -> io::Result<Option<usize>> {
    let at = at.map_or(Ok(OWN), offset)?;
    let part = libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    // SAFETY: the descriptor is open while it is borrowed, and the call reads the bytes alone.
    let call =
        || unsafe { libc::pwritev2(fd.as_raw_fd(), &raw const part, 1, at, libc::RWF_NOWAIT) };
    answer(moved(call))
}

/// What may mean "no such call here" is answered by the call that may block, and that gives the true error.
fn answer(result: io::Result<usize>) -> io::Result<Option<usize>> {
    let error = match result {
        Ok(done) => return Ok(Some(done)),
        Err(error) => error,
    };
    match error.raw_os_error() {
        Some(libc::EOPNOTSUPP | libc::ENOSYS | libc::EINVAL | libc::EPERM) => Ok(None),
        _ => Err(error),
    }
}
