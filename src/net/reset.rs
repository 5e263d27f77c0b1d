//! Breaking a TCP connection off, so that the peer is told by a reset: for `faulty`.

#![expect(unsafe_code, reason = "std has no call that undoes a connect")]

use std::os::fd::{AsFd, AsRawFd};

/// Undoes the connection, for which TCP sends a reset. Sockets of another kind refuse it, and are left as they are.
pub(super) fn send(socket: &impl AsFd) {
    // SAFETY: all zeros is an address of no family, and so is what is written out here.
    let mut nowhere: libc::sockaddr = unsafe { std::mem::zeroed() };
    nowhere.sa_family = libc::AF_UNSPEC as libc::sa_family_t;
    let size = size_of::<libc::sockaddr>() as libc::socklen_t;
    // SAFETY: the descriptor is open while it is borrowed, and the call reads the one struct.
    let _ = unsafe { libc::connect(socket.as_fd().as_raw_fd(), &nowhere, size) };
}
