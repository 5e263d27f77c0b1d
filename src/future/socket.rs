//! The streams of `net` as futures see them: what the adapters to other crates' traits have in common.

use std::io::{self, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::task::{Context, Poll};

use socket2::SockRef;

use super::wake;
use crate::net::faulty::allowed_to_poll;
use crate::sched::faults;
use crate::sched::source::{Direction, Source};

/// Whether moving `done` of `wanted` bytes shows that the kernel has no more to give or take. Nothing at all is the end, not a short read.
fn is_short(done: usize, wanted: usize) -> bool {
    0 < done && done < wanted
}

/// Polls one direction with this system call.
fn poll<S: AsFd>(
    source: &Source<S>,
    context: &Context<'_>,
    direction: Direction,
    wanted: usize,
    call: impl FnMut(&S) -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    let task = || wake::task(context.waker());
    let is_short = |done: &usize| is_short(*done, wanted);
    source.enter()?.poll(direction, task, is_short, call)
}

/// Reads into memory that may hold anything; what is told was read is initialised.
pub(super) fn poll_receive<S: AsFd>(
    source: &Source<S>,
    context: &Context<'_>,
    buffer: &mut [MaybeUninit<u8>],
) -> Poll<io::Result<usize>> {
    let wanted = allowed_to_poll(source, Direction::Read, buffer.len())?;
    let buffer = &mut buffer[..wanted];
    let receive = |socket: &S| SockRef::from(socket).recv(buffer);
    poll(source, context, Direction::Read, wanted, receive)
}

pub(super) fn poll_read<S: AsFd>(
    source: &Source<S>,
    context: &Context<'_>,
    buffer: &mut [u8],
) -> Poll<io::Result<usize>>
where
    for<'a> &'a S: Read,
{
    let wanted = allowed_to_poll(source, Direction::Read, buffer.len())?;
    let buffer = &mut buffer[..wanted];
    let read = |mut socket: &S| socket.read(buffer);
    poll(source, context, Direction::Read, wanted, read)
}

pub(super) fn poll_write<S: AsFd>(
    source: &Source<S>,
    context: &Context<'_>,
    buffer: &[u8],
) -> Poll<io::Result<usize>>
where
    for<'a> &'a S: Write,
{
    let wanted = allowed_to_poll(source, Direction::Write, buffer.len())?;
    let buffer = &buffer[..wanted];
    let write = |mut socket: &S| socket.write(buffer);
    poll(source, context, Direction::Write, wanted, write)
}

pub(super) fn poll_write_vectored<S: AsFd>(
    source: &Source<S>,
    context: &Context<'_>,
    buffers: &[IoSlice<'_>],
) -> Poll<io::Result<usize>>
where
    for<'a> &'a S: Write,
{
    if faults::are_here() {
        let first = buffers.iter().find(|buffer| !buffer.is_empty());
        return poll_write(source, context, first.map_or(&[], |first| first));
    }
    // The system may take fewer buffers than there are: then nothing is short.
    let wanted = match buffers {
        [one] => one.len(),
        _ => 0,
    };
    let write = |mut socket: &S| socket.write_vectored(buffers);
    poll(source, context, Direction::Write, wanted, write)
}

/// Tells the peer that no more is written. Every write before it has reached the kernel.
pub(super) fn poll_shutdown<S: AsFd>(source: &Source<S>) -> Poll<io::Result<()>> {
    let socket = source.enter()?;
    Poll::Ready(SockRef::from(&*socket).shutdown(Shutdown::Write))
}

/// What the traits for writers have in common; they call the end of writing by different names.
macro_rules! write_methods {
    ($shutdown:ident) => {
        fn poll_write(
            self: std::pin::Pin<&mut Self>,
            context: &mut std::task::Context<'_>,
            buffer: &[u8],
        ) -> std::task::Poll<std::io::Result<usize>> {
            crate::future::socket::poll_write(self.source(), context, buffer)
        }

        fn poll_write_vectored(
            self: std::pin::Pin<&mut Self>,
            context: &mut std::task::Context<'_>,
            buffers: &[std::io::IoSlice<'_>],
        ) -> std::task::Poll<std::io::Result<usize>> {
            crate::future::socket::poll_write_vectored(self.source(), context, buffers)
        }

        fn poll_flush(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn $shutdown(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            crate::future::socket::poll_shutdown(self.source())
        }
    };
}

pub(super) use write_methods;
