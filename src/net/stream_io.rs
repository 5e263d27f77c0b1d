//! Reading and writing byte streams: the one kind of socket where moving less than was wanted says that the kernel has no more (D7).

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use super::faulty::{Allowed, allowed};
use crate::sched::faults;
use crate::sched::source::{Direction, Operating};
use crate::sched::wait::Operation;

/// How many buffers one system call takes, at the least: std passes no more than the system's limit.
const IOV_MAX: usize = 16;

/// What reads and writes of one type of stream are called.
pub(super) struct Names {
    /// A read.
    pub(super) read: Operation,

    /// A write.
    pub(super) write: Operation,
}

/// Whether moving `done` of `wanted` bytes shows that the kernel has no more to give or take. Nothing at all is the end, not a short read.
#[inline]
fn is_short(done: usize, wanted: usize) -> bool {
    0 < done && done < wanted
}

/// The bytes that all buffers hold; more than one call can take when there are more than `IOV_MAX` of them, and then nothing is short.
fn total(lengths: impl ExactSizeIterator<Item = usize>) -> usize {
    if lengths.len() > IOV_MAX {
        0
    } else {
        lengths.sum()
    }
}

#[inline]
fn take<S: AsFd>(
    socket: &Operating<'_, S>,
    names: &'static Names,
    limit: Option<Duration>,
    wanted: usize,
    read: impl FnMut(&S) -> io::Result<usize>,
) -> io::Result<usize> {
    let is_short = |done: &usize| is_short(*done, wanted);
    socket.retry(&names.read, Direction::Read, limit, is_short, read)
}

#[inline]
fn give<S: AsFd>(
    socket: &Operating<'_, S>,
    names: &'static Names,
    limit: Option<Duration>,
    wanted: usize,
    write: impl FnMut(&S) -> io::Result<usize>,
) -> io::Result<usize> {
    let is_short = |done: &usize| is_short(*done, wanted);
    socket.retry(&names.write, Direction::Write, limit, is_short, write)
}

#[inline]
pub(super) fn read<S: AsFd>(
    socket: &Operating<'_, S>,
    names: &'static Names,
    limit: Option<Duration>,
    buffer: &mut [u8],
) -> io::Result<usize>
where
    for<'a> &'a S: Read,
{
    let Allowed { limit, bytes } =
        allowed(socket, &names.read, Direction::Read, limit, buffer.len())?;
    let buffer = &mut buffer[..bytes];
    take(socket, names, limit, bytes, |mut stream: &S| {
        stream.read(buffer)
    })
}

pub(super) fn read_vectored<S: AsFd>(
    socket: &Operating<'_, S>,
    names: &'static Names,
    limit: Option<Duration>,
    buffers: &mut [IoSliceMut<'_>],
) -> io::Result<usize>
where
    for<'a> &'a S: Read,
{
    if faults::are_here() {
        // What std does where there is no such call: so every read meets its faults in one place.
        let first = buffers.iter_mut().find(|buffer| !buffer.is_empty());
        return read(socket, names, limit, first.map_or(&mut [], |first| first));
    }
    let wanted = total(buffers.iter().map(|buffer| buffer.len()));
    take(socket, names, limit, wanted, |mut stream: &S| {
        stream.read_vectored(buffers)
    })
}

#[inline]
pub(super) fn write<S: AsFd>(
    socket: &Operating<'_, S>,
    names: &'static Names,
    limit: Option<Duration>,
    buffer: &[u8],
) -> io::Result<usize>
where
    for<'a> &'a S: Write,
{
    let Allowed { limit, bytes } =
        allowed(socket, &names.write, Direction::Write, limit, buffer.len())?;
    let buffer = &buffer[..bytes];
    give(socket, names, limit, bytes, |mut stream: &S| {
        stream.write(buffer)
    })
}

pub(super) fn write_vectored<S: AsFd>(
    socket: &Operating<'_, S>,
    names: &'static Names,
    limit: Option<Duration>,
    buffers: &[IoSlice<'_>],
) -> io::Result<usize>
where
    for<'a> &'a S: Write,
{
    if faults::are_here() {
        let first = buffers.iter().find(|buffer| !buffer.is_empty());
        return write(socket, names, limit, first.map_or(&[], |first| first));
    }
    let wanted = total(buffers.iter().map(|buffer| buffer.len()));
    give(socket, names, limit, wanted, |mut stream: &S| {
        stream.write_vectored(buffers)
    })
}

/// `Read` and `Write` for a stream and for a shared reference to one.
macro_rules! stream_io {
    ($name:ident, $names:ident) => {
        impl std::io::Read for &$name {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                let limit = self.0.timeouts().read.get();
                $crate::net::stream_io::read(&self.0.ask()?, &$names, limit, buffer)
            }

            fn read_vectored(
                &mut self,
                buffers: &mut [std::io::IoSliceMut<'_>],
            ) -> std::io::Result<usize> {
                let limit = self.0.timeouts().read.get();
                $crate::net::stream_io::read_vectored(&self.0.ask()?, &$names, limit, buffers)
            }
        }

        impl std::io::Write for &$name {
            fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
                let limit = self.0.timeouts().write.get();
                $crate::net::stream_io::write(&self.0.ask()?, &$names, limit, buffer)
            }

            fn write_vectored(
                &mut self,
                buffers: &[std::io::IoSlice<'_>],
            ) -> std::io::Result<usize> {
                let limit = self.0.timeouts().write.get();
                $crate::net::stream_io::write_vectored(&self.0.ask()?, &$names, limit, buffers)
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }

        /// As through a shared reference, and a little cheaper: nobody can close the stream meanwhile.
        impl std::io::Read for $name {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                let limit = self.0.timeouts().read.get();
                $crate::net::stream_io::read(&*self.0.ask_alone()?, &$names, limit, buffer)
            }

            fn read_vectored(
                &mut self,
                buffers: &mut [std::io::IoSliceMut<'_>],
            ) -> std::io::Result<usize> {
                let limit = self.0.timeouts().read.get();
                $crate::net::stream_io::read_vectored(
                    &*self.0.ask_alone()?,
                    &$names,
                    limit,
                    buffers,
                )
            }
        }

        /// As through a shared reference, and a little cheaper: nobody can close the stream meanwhile.
        impl std::io::Write for $name {
            fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
                let limit = self.0.timeouts().write.get();
                $crate::net::stream_io::write(&*self.0.ask_alone()?, &$names, limit, buffer)
            }

            fn write_vectored(
                &mut self,
                buffers: &[std::io::IoSlice<'_>],
            ) -> std::io::Result<usize> {
                let limit = self.0.timeouts().write.get();
                $crate::net::stream_io::write_vectored(
                    &*self.0.ask_alone()?,
                    &$names,
                    limit,
                    buffers,
                )
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
    };
}

pub(super) use stream_io;
