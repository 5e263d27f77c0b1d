//! The streams of `net` as futures see them: what the adapters to other crates' traits have in common.

use std::io::{self, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::{self, Shutdown};
use std::task::{Context, Poll};

use socket2::SockRef;

use super::wake;
use crate::net::TcpStream;
use crate::sched::source::Direction;

/// Whether moving `done` of `wanted` bytes shows that the kernel has no more to give or take. Nothing at all is the end, not a short read.
fn is_short(done: usize, wanted: usize) -> bool {
    0 < done && done < wanted
}

/// Polls one direction with this system call.
fn poll(
    stream: &TcpStream,
    context: &Context<'_>,
    direction: Direction,
    wanted: usize,
    call: impl FnMut(&net::TcpStream) -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    let task = || wake::task(context.waker());
    let is_short = |done: &usize| is_short(*done, wanted);
    stream
        .source()
        .enter()?
        .poll(direction, task, is_short, call)
}

/// Reads into memory that may hold anything; what is told was read is initialised.
pub(super) fn poll_receive(
    stream: &TcpStream,
    context: &Context<'_>,
    buffer: &mut [MaybeUninit<u8>],
) -> Poll<io::Result<usize>> {
    let wanted = buffer.len();
    let receive = |socket: &net::TcpStream| SockRef::from(socket).recv(buffer);
    poll(stream, context, Direction::Read, wanted, receive)
}

pub(super) fn poll_read(
    stream: &TcpStream,
    context: &Context<'_>,
    buffer: &mut [u8],
) -> Poll<io::Result<usize>> {
    let wanted = buffer.len();
    let read = |mut socket: &net::TcpStream| socket.read(buffer);
    poll(stream, context, Direction::Read, wanted, read)
}

pub(super) fn poll_write(
    stream: &TcpStream,
    context: &Context<'_>,
    buffer: &[u8],
) -> Poll<io::Result<usize>> {
    let write = |mut socket: &net::TcpStream| socket.write(buffer);
    poll(stream, context, Direction::Write, buffer.len(), write)
}

pub(super) fn poll_write_vectored(
    stream: &TcpStream,
    context: &Context<'_>,
    buffers: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    // The system may take fewer buffers than there are: then nothing is short.
    let wanted = match buffers {
        [one] => one.len(),
        _ => 0,
    };
    let write = |mut socket: &net::TcpStream| socket.write_vectored(buffers);
    poll(stream, context, Direction::Write, wanted, write)
}

/// Tells the peer that no more is written. Every write before it has reached the kernel.
pub(super) fn poll_shutdown(stream: &TcpStream) -> Poll<io::Result<()>> {
    Poll::Ready(stream.shutdown(Shutdown::Write))
}
