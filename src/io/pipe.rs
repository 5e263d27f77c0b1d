//! Anonymous pipes: both ends are ours, so they do not block and are sources like sockets.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use super::calls::set_blocking;
use crate::net::timeouts::Limit;
use crate::sched::source::{Direction, Source};
use crate::sched::wait::Operation;

static READ: Operation = Operation::new("PipeReader::read");

static WRITE: Operation = Operation::new("PipeWriter::write");

/// Makes a pipe inside this process: what is written into the one end is read from the other.
///
/// Does not block. A reader sees the end of the data when every writer has gone; a writer without a reader gets
/// [`BrokenPipe`](io::ErrorKind::BrokenPipe). The kernel holds 64 KiB for it; past that a write parks.
///
/// # Errors
/// The system's, for want of descriptors.
///
/// # Examples
/// ```
/// use greenthread::io::{self, Read, Write};
/// let (mut reader, mut writer) = io::pipe()?;
/// let said = greenthread::spawn(move || writer.write_all(b"hello")); // and closes it
/// let mut heard = String::new();
/// reader.read_to_string(&mut heard)?; // parks until then
/// assert_eq!(heard, "hello");
/// said.join().unwrap()?;
/// # io::Result::Ok(())
/// ```
pub fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    Ok((PipeReader::from_std(reader)?, PipeWriter::from_std(writer)?))
}

/// The end of a pipe that is read: [`std::io::PipeReader`] for green threads.
///
/// Reads go through `&PipeReader` too, and several may wait. A read parks until something is there or every writer has gone. A cancellation is raised only
/// where it parks, so before anything was taken. On the root and on a plain OS thread the wait runs the event loop.
pub struct PipeReader {
    /// The descriptor, non-blocking.
    source: Source<io::PipeReader>,

    /// For how long a read parks; shared with its clones.
    limit: Arc<Limit>,
}

/// The end of a pipe that is written: [`std::io::PipeWriter`] for green threads.
///
/// Writes go through `&PipeWriter` too, and several may wait. A write parks until there is room for something, and moves what fits. A cancellation is raised
/// only where it parks, so before anything was moved. On the root and on a plain OS thread the wait runs the event loop.
pub struct PipeWriter {
    /// The descriptor, non-blocking.
    source: Source<io::PipeWriter>,

    /// For how long a write parks; shared with its clones.
    limit: Arc<Limit>,
}

/// What both ends have, under the names that each has for it.
macro_rules! end {
    ($end:ident, $std:ty, $timeout:ident, $set_timeout:ident, $call:literal) => {
        impl $end {
            /// Takes one of std's; from now on its open file does not block, for its clones and for children that have it too.
            ///
            /// Does not block.
            ///
            /// # Errors
            /// The system's.
            pub fn from_std(end: $std) -> io::Result<Self> {
                set_blocking(end.as_fd(), false)?;
                Ok($end {
                    source: Source::new(end),
                    limit: Arc::default(),
                })
            }

            /// Gives it to std; from now on its open file blocks, for its clones too. This is how a child process gets one.
            ///
            /// Does not block.
            ///
            /// # Errors
            /// The system's; `NotConnected` after [`close`](Self::close).
            pub fn into_std(self) -> io::Result<$std> {
                let end = self.source.into_object();
                let end = end.ok_or(io::ErrorKind::NotConnected)?;
                set_blocking(end.as_fd(), true)?;
                Ok(end)
            }

            /// Returns another handle on the same end, with the same timeout.
            ///
            /// Does not block.
            ///
            /// # Errors
            /// The system's, for want of descriptors; `NotConnected` after [`close`](Self::close).
            pub fn try_clone(&self) -> io::Result<Self> {
                let end = self.source.enter()?.try_clone()?;
                Ok($end {
                    source: Source::new(end),
                    limit: Arc::clone(&self.limit),
                })
            }

            /// Closes it: everybody parked on it gets `NotConnected`, and so does every later call.
            ///
            /// Does not block. The descriptor is closed as soon as the last call has left it; when it was lent by [`AsFd`], with the value.
            /// Clones by [`try_clone`](Self::try_clone) stay open.
            pub fn close(&self) {
                self.source.close();
            }

            #[doc = concat!("Sets for how long a ", $call, " may park before it gives `TimedOut`; `None` is for ever. Clones share it.")]
            ///
            /// Does not block. Calls that are parked already keep the limit they began with. The grain is one millisecond.
            ///
            /// # Errors
            /// `InvalidInput` for zero.
            pub fn $set_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
                self.limit.set(limit)
            }

            #[doc = concat!("Returns for how long a ", $call, " may park.")]
            #[must_use]
            pub fn $timeout(&self) -> Option<Duration> {
                self.limit.get()
            }
        }

        impl AsFd for $end {
            /// Lends the descriptor, which does not block: it stays open until this value is dropped.
            ///
            /// # Panics
            /// When it was closed before it was ever lent.
            fn as_fd(&self) -> BorrowedFd<'_> {
                let lent = self.source.lend();
                lent.expect("the pipe was closed, and its descriptor with it").as_fd()
            }
        }

        impl AsRawFd for $end {
            fn as_raw_fd(&self) -> RawFd {
                self.as_fd().as_raw_fd()
            }
        }

        impl TryFrom<OwnedFd> for $end {
            type Error = io::Error;

            /// As `from_std`.
            fn try_from(fd: OwnedFd) -> io::Result<Self> {
                $end::from_std(fd.into())
            }
        }

        impl TryFrom<$end> for OwnedFd {
            type Error = io::Error;

            /// As `into_std`.
            fn try_from(end: $end) -> io::Result<Self> {
                end.into_std().map(OwnedFd::from)
            }
        }

        impl fmt::Debug for $end {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let fd = self.source.enter().ok().map(|end| end.as_raw_fd());
                f.debug_struct(stringify!($end)).field("fd", &fd).finish()
            }
        }
    };
}

end!(
    PipeReader,
    io::PipeReader,
    read_timeout,
    set_read_timeout,
    "read"
);
end!(
    PipeWriter,
    io::PipeWriter,
    write_timeout,
    set_write_timeout,
    "write"
);

impl Read for &PipeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len();
        let short = |done: &usize| 0 < *done && *done < wanted;
        let call = |mut end: &io::PipeReader| end.read(buffer);
        let end = self.source.enter()?;
        end.retry(&READ, Direction::Read, self.limit.get(), short, call)
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let call = |mut end: &io::PipeReader| end.read_vectored(buffers);
        let end = self.source.enter()?;
        end.retry(&READ, Direction::Read, self.limit.get(), |_| false, call)
    }
}

impl Write for &PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let short = |done: &usize| *done < bytes.len();
        let call = |mut end: &io::PipeWriter| end.write(bytes);
        let end = self.source.enter()?;
        end.retry(&WRITE, Direction::Write, self.limit.get(), short, call)
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let call = |mut end: &io::PipeWriter| end.write_vectored(buffers);
        let end = self.source.enter()?;
        end.retry(&WRITE, Direction::Write, self.limit.get(), |_| false, call)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for PipeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&*self).read_vectored(buffers)
    }
}

impl Write for PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(buffers)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
