//! One message through a Unix socket, with descriptors beside its bytes (`SCM_RIGHTS`).

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::cmsg_space;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use super::carry::MOST_DESCRIPTORS;

/// A socket whose other end is closed is an error, no signal.
#[cfg(not(target_vendor = "apple"))]
const SEND: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
const SEND: SendFlags = SendFlags::empty();

/// What comes is closed on exec.
#[cfg(not(target_vendor = "apple"))]
const RECEIVE: RecvFlags = RecvFlags::CMSG_CLOEXEC;
#[cfg(target_vendor = "apple")]
const RECEIVE: RecvFlags = RecvFlags::empty();

/// Sends the parts, and the descriptors with their first byte; returns how many bytes the kernel took.
pub(super) fn send(
    socket: impl AsFd,
    parts: &[&[u8]],
    descriptors: &[OwnedFd],
) -> io::Result<usize> {
    let parts: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let lent: Vec<BorrowedFd<'_>> = descriptors.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    if !lent.is_empty() {
        beside.push(SendAncillaryMessage::ScmRights(&lent));
    }
    Ok(sendmsg(socket, &parts, &mut beside, SEND)?)
}

/// Receives bytes and adds the descriptors that came with them.
pub(super) fn receive(
    socket: impl AsFd,
    buffer: &mut [u8],
    descriptors: &mut Vec<OwnedFd>,
) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let buffer = &mut [IoSliceMut::new(buffer)];
    let mut receive = || recvmsg(&socket, buffer, &mut beside, RECEIVE);
    let received = match receive() {
        // Said once, by a peer that left something of ours unread; what it has sent before is still there.
        Err(rustix::io::Errno::CONNRESET) => receive()?,
        received => received?,
    };
    for message in beside.drain() {
        if let RecvAncillaryMessage::ScmRights(came) = message {
            descriptors.extend(came);
        }
    }
    Ok(received.bytes)
}
