//! Our ends of a child's standard streams.
//!
//! What was short proves nothing here: a child may turn its end into a pipe of packets.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::process::{self, Stdio};

use crate::sched::source::{Direction, Source};
use crate::sched::wait::Operation;

static WRITE: Operation = Operation::new("ChildStdin::write");

/// Says of a pipe's end that it does not block, or that it does. The flag is the end's own: the child's end is another.
fn set_nonblocking(end: &impl AsFd, nonblocking: bool) -> io::Result<()> {
    // The same call for whatever the descriptor is.
    socket2::SockRef::from(end).set_nonblocking(nonblocking)
}

/// What all ends have.
macro_rules! end {
    ($name:ident, $pipe:ty, $std:ty) => {
        impl $name {
            pub(super) fn new(pipe: $std) -> io::Result<Self> {
                $name::from_std(pipe)
            }

            /// Closes it: everybody parked on it gets `NotConnected`, and so does every later call.
            ///
            /// Does not park. The descriptor is closed, and the child told, as soon as the last call has left it; when it was lent by [`AsFd`] it is closed with the value.
            pub fn close(&self) {
                self.source.close();
            }

            /// Takes an end of std, which from now on does not block.
            ///
            /// # Errors
            /// The system's.
            pub fn from_std(pipe: $std) -> io::Result<Self> {
                set_nonblocking(&pipe, true)?;
                let source = Source::new(<$pipe>::from(OwnedFd::from(pipe)));
                Ok($name { source })
            }

            /// Gives the end to std; from now on it blocks.
            ///
            /// # Errors
            /// The system's; `NotConnected` after [`close`](Self::close).
            pub fn into_std(self) -> io::Result<$std> {
                let pipe = self.source.into_object();
                let pipe = pipe.ok_or(io::ErrorKind::NotConnected)?;
                set_nonblocking(&pipe, false)?;
                Ok(<$std>::from(OwnedFd::from(pipe)))
            }
        }

        impl From<$name> for Stdio {
            /// Gives the end to another child, for which it blocks.
            ///
            /// # Panics
            /// When it was closed.
            fn from(end: $name) -> Stdio {
                let pipe = end.into_std();
                pipe.expect(concat!("a ", stringify!($name), " that is open"))
                    .into()
            }
        }

        impl AsFd for $name {
            /// Lends the descriptor, which stays open until the value is dropped.
            ///
            /// # Panics
            /// When it was closed before.
            fn as_fd(&self) -> BorrowedFd<'_> {
                let lent = self.source.lend();
                lent.expect(concat!(
                    "as_fd on a ",
                    stringify!($name),
                    " that was closed"
                ))
                .as_fd()
            }
        }

        impl AsRawFd for $name {
            /// As [`as_fd`](Self::as_fd).
            fn as_raw_fd(&self) -> RawFd {
                self.as_fd().as_raw_fd()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.source.enter() {
                    Ok(pipe) => f.debug_tuple(stringify!($name)).field(&*pipe).finish(),
                    Err(_) => f.write_str(concat!(stringify!($name), "(closed)")),
                }
            }
        }
    };
}

/// A child's standard input, to be written to.
///
/// A write parks until the pipe takes something; `BrokenPipe` says that nobody reads at the other end any more. A cancellation is raised where a write parks, which is before it has
/// written anything. Dropping it closes it, which the child reads as the end.
pub struct ChildStdin {
    /// The pipe, non-blocking.
    source: Source<PipeWriter>,
}

end!(ChildStdin, PipeWriter, process::ChildStdin);

impl Write for &ChildStdin {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let write = |mut pipe: &PipeWriter| pipe.write(buffer);
        let pipe = self.source.enter()?;
        pipe.retry(&WRITE, Direction::Write, None, |_| false, write)
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let write = |mut pipe: &PipeWriter| pipe.write_vectored(buffers);
        let pipe = self.source.enter()?;
        pipe.retry(&WRITE, Direction::Write, None, |_| false, write)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for ChildStdin {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        (&*self).write(buffer)
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(buffers)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An end that is read from.
macro_rules! read_end {
    ($name:ident, $std:ty, $operation:literal, $what:literal) => {
        #[doc = concat!("A child's standard ", $what, ", to be read from.")]
        ///
        /// A read parks until there is something, or the end: nobody holds the other end any more, which may be later than the child's exit, when it has left it to
        /// children of its own. A cancellation is raised where a read parks, and loses nothing. Dropping it closes it.
        pub struct $name {
            /// The pipe, non-blocking.
            source: Source<PipeReader>,
        }

        end!($name, PipeReader, $std);

        impl Read for &$name {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                static READ: Operation = Operation::new($operation);
                let read = |mut pipe: &PipeReader| pipe.read(buffer);
                let pipe = self.source.enter()?;
                pipe.retry(&READ, Direction::Read, None, |_| false, read)
            }

            fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                static READ: Operation = Operation::new($operation);
                let read = |mut pipe: &PipeReader| pipe.read_vectored(buffers);
                let pipe = self.source.enter()?;
                pipe.retry(&READ, Direction::Read, None, |_| false, read)
            }
        }

        impl Read for $name {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                (&*self).read(buffer)
            }

            fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                (&*self).read_vectored(buffers)
            }
        }
    };
}

read_end!(
    ChildStdout,
    process::ChildStdout,
    "ChildStdout::read",
    "output"
);
read_end!(
    ChildStderr,
    process::ChildStderr,
    "ChildStderr::read",
    "error output"
);
