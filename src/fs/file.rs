//! An open file.

use std::fmt;
use std::fs::{self, FileTimes, Metadata, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::time::SystemTime;

use crate::blocking::errand::ask;
use crate::io::descriptor::{Descriptor, Operations};
use crate::sched::wait::Operation;

static OPERATIONS: Operations = Operations {
    read: Operation::new("File::read"),
    write: Operation::new("File::write"),
};

/// An open file: [`std::fs::File`] for green threads.
///
/// Reads, writes and seeks go through `&File` too; those that use the position take turns. A read parks where the page cache has not got the bytes, and always where the system has no call
/// to ask it; a write parks. A cancelled read has moved nothing; a write that the pool has begun is finished first. The [module](crate::fs) says more. On the root and
/// on a plain OS thread a wait runs the event loop.
///
/// It may be a FIFO, a terminal or a device as well: what can be waited for is, and then the green thread waits as for a socket.
pub struct File(Descriptor<fs::File>);

/// Defines methods that hand the open file to their namesakes of std.
macro_rules! as_std {
    ($(#[doc = $does:literal] $name:ident($($value:ident: $kind:ty)?) -> $gives:ty;)+) => { $(
        #[doc = $does]
        ///
        #[doc = concat!("Parks until the pool has done it: [`std::fs::File::", stringify!($name), "`]. A cancellation while it waits for its turn takes it back; once begun it is")]
        /// finished, and the caller leaves at once. On the root and on a plain OS thread the wait runs the event loop.
        ///
        /// # Errors
        /// The system's.
        pub fn $name(&self $(, $value: $kind)?) -> io::Result<$gives> {
            let file = Arc::clone(self.0.file());
            ask(move || file.$name($($value)?))
        }
    )+ };
}

impl File {
    as_std! {
        #[doc = "Waits until the contents and what is known of the file are on the disk."]
        sync_all() -> ();

        #[doc = "Waits until the contents are on the disk."]
        sync_data() -> ();

        #[doc = "Cuts the file to so many bytes, or fills it up with zeros, which take no room; the position stays."]
        set_len(bytes: u64) -> ();

        #[doc = "Tells what the file system knows of the file."]
        metadata() -> Metadata;

        #[doc = "Changes who may read, write or run the file."]
        set_permissions(permissions: Permissions) -> ();

        #[doc = "Changes when it was read and changed last."]
        set_times(times: FileTimes) -> ();

        #[doc = "Changes when it was changed last."]
        set_modified(time: SystemTime) -> ();
    }

    /// Reads at `offset` bytes from the start, and leaves the position alone.
    ///
    /// Parks where the page cache has not got them. A cancellation is raised there, and the pool's buffer dropped. Any number at once. On the root and on a plain
    /// OS thread the wait runs the event loop.
    ///
    /// # Errors
    /// The system's.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(offset, buffer)
    }

    /// Fills the buffer from `offset` bytes from the start, and leaves the position alone.
    ///
    /// Parks, and is cancelled, as [`read_at`](Self::read_at).
    ///
    /// # Errors
    /// The system's; `UnexpectedEof` when there is not so much.
    pub fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            let done = self.read_at(buffer, offset)?;
            if done == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            buffer = &mut buffer[done..];
            offset += done as u64;
        }
        Ok(())
    }

    /// Writes at `offset` bytes from the start, and leaves the position alone. A file that is appended to is written at its end all the same, on Linux.
    ///
    /// Parks. A cancellation while it waits for its turn in the pool takes it back; once begun it is finished first. Any number at once. On the root and on a plain OS
    /// thread the wait runs the event loop.
    ///
    /// # Errors
    /// The system's.
    pub fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.0.write_at(offset, bytes)
    }

    /// Writes everything at `offset` bytes from the start, and leaves the position alone.
    ///
    /// Parks, and is cancelled, as [`write_at`](Self::write_at).
    ///
    /// # Errors
    /// The system's; `WriteZero` when it takes no more.
    pub fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let done = self.write_at(bytes, offset)?;
            if done == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = &bytes[done..];
            offset += done as u64;
        }
        Ok(())
    }

    /// Returns another handle on the same open file, with the same position.
    ///
    /// Does not block.
    ///
    /// # Errors
    /// The system's, for want of descriptors.
    pub fn try_clone(&self) -> io::Result<File> {
        let clone = self.0.file().try_clone()?;
        Ok(File(self.0.with_clone(clone)))
    }

    /// Takes a file of std's, as it is.
    ///
    /// Does not block.
    #[must_use]
    pub fn from_std(file: fs::File) -> File {
        File(Descriptor::new(file, &OPERATIONS))
    }

    /// Gives the file to std, with its position.
    ///
    /// Does not block. While the pool is still at work on it, which a cancelled call has left there, it is a duplicate of the descriptor. What such a read takes from a FIFO or terminal is lost.
    ///
    /// # Errors
    /// The system's, for want of descriptors.
    pub fn into_std(self) -> io::Result<fs::File> {
        self.0.into_file().or_else(|shared| shared.try_clone())
    }
}

impl Read for &File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for &File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    /// Nothing is buffered here.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for &File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl Read for File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    /// Nothing is buffered here.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.file().as_fd()
    }
}

impl AsRawFd for File {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl From<fs::File> for File {
    fn from(file: fs::File) -> Self {
        File::from_std(file)
    }
}

impl From<OwnedFd> for File {
    fn from(fd: OwnedFd) -> Self {
        File::from_std(fd.into())
    }
}

impl TryFrom<File> for OwnedFd {
    type Error = io::Error;

    /// As [`File::into_std`].
    fn try_from(file: File) -> io::Result<Self> {
        file.into_std().map(OwnedFd::from)
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("File").field(self.0.file()).finish()
    }
}
