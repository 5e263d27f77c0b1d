//! A descriptor of any kind: a file, a terminal, a pipe or a socket, perhaps inherited, whose open file others may share.
//!
//! That calls do not block (`O_NONBLOCK`) is a property of the open file, which the shell, the parent and the other end of a pipeline may share: setting it on an
//! inherited descriptor makes *their* calls fail. So it is left alone here, and every call is made in a way that does not need it:
//!
//! ```text
//!            has a position (regular files, disks)               a stream (terminal, pipe, socket, device)
//!   first    read what the page cache holds  (RWF_NOWAIT)        move what can be moved at once  (RWF_NOWAIT)
//!   if none  the pool reads at the position,                     wait for readiness in the reactor, then try again
//!            then the position moves
//!   no such  the same                                            wait for readiness (`poll`), then the pool makes the
//!   call                                                         call: between the two somebody else may be faster
//! ```
//!
//! Memory (L16). Reads by the pool go into its own buffer. Writes by it are made from the caller's memory, which is lent: such a wait cannot be cancelled once the pool has begun.
//!
//! Invariants:
//! - F1 The position is used and moved only under the lock of `input`, because the kernel holds one of its own during such calls, which would block the OS thread.
//! - F2 A read by the pool at the position does not move it; the caller does when the bytes are his. So a cancelled read has moved nothing.
//! - F3 A read by the pool from a stream takes bytes away. A caller who is cancelled leaves it in `input`, and the next reader gets what it brings.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::calls;
use crate::blocking::errand::{Errand, ask, lend_bytes, may_wait};
use crate::sched::source::{Direction, Source};
use crate::sched::wait::Operation;
use crate::sync::Mutex;

/// The most bytes that the pool reads at once. Each file that is read through it has a buffer as large as what was asked for at most.
const MOST_READ: usize = 1 << 20;

/// The most bytes that the pool reads at once from a stream.
const MOST_STREAMED: usize = 16 << 10;

/// The most bytes that the pool writes at once to a stream: what a pipe that says it is ready takes without blocking (`PIPE_BUF` on Linux).
const MOST_WRITTEN: usize = 4096;

/// What its waits are called.
#[derive(Debug)]
pub(crate) struct Operations {
    /// Waiting for bytes.
    pub(crate) read: Operation,

    /// Waiting for room.
    pub(crate) write: Operation,
}

/// A descriptor of any kind.
#[derive(Debug)]
pub(crate) struct Descriptor<F: AsFd> {
    /// The open file; the pool's work holds it too.
    file: Arc<F>,

    /// The same, to be waited for.
    source: Source<Arc<F>>,

    /// What its waits are called.
    operations: &'static Operations,

    /// Whether it has a position that can be chosen.
    has_position: bool,

    /// The right to read, and with a position to write; shared by its clones (F1).
    input: Arc<Mutex<Input>>,

    /// The right to write through the pool to a stream.
    output: Mutex<()>,

    /// Whether reads that do not block are worth a try.
    reads_now: AtomicBool,

    /// Whether writes that do not block are worth a try.
    writes_now: AtomicBool,
}

/// What the pool has read.
#[derive(Debug, Default)]
struct Input {
    /// The pool's buffer; for a stream, what it has read.
    buffer: Vec<u8>,

    /// How much of a stream's buffer was taken.
    taken: usize,

    /// A read from a stream that is under way (F3).
    under_way: Option<Errand<io::Result<Vec<u8>>>>,
}

impl<F: AsFd + Send + Sync + 'static> Descriptor<F> {
    /// Takes an open file, as it is.
    pub(crate) fn new(file: F, operations: &'static Operations) -> Self {
        let file = Arc::new(file);
        Descriptor {
            source: Source::new(Arc::clone(&file)),
            operations,
            has_position: has_position(file.as_fd()),
            input: Arc::default(),
            output: Mutex::new(()),
            reads_now: AtomicBool::new(true),
            writes_now: AtomicBool::new(true),
            file,
        }
    }

    /// Another descriptor of the same open file: what one reads, the other does not.
    pub(crate) fn with_clone(&self, clone: F) -> Self {
        Descriptor {
            input: Arc::clone(&self.input),
            ..Descriptor::new(clone, self.operations)
        }
    }

    /// The open file.
    pub(crate) fn file(&self) -> &Arc<F> {
        &self.file
    }

    /// Gives the open file back, unless the pool is at work on it.
    pub(crate) fn into_file(self) -> Result<F, Arc<F>> {
        drop(self.source);
        Arc::try_unwrap(self.file)
    }

    /// Reads at the position.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            Ok(0)
        } else if self.has_position {
            self.read_here(buffer)
        } else {
            self.read_stream(buffer)
        }
    }

    /// Writes at the position, or at the end of a file that is appended to.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            Ok(0)
        } else if self.has_position {
            self.write_here(bytes)
        } else {
            self.write_stream(bytes)
        }
    }

    /// Reads at `at`, and leaves the position alone.
    pub(crate) fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match self.read_now(Some(at), buffer)? {
            Some(done) => Ok(done),
            None => self.fetch(at, buffer, &mut Vec::new()),
        }
    }

    /// Writes at `at`, and leaves the position alone.
    pub(crate) fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<usize> {
        match self.write_now(Some(at), bytes)? {
            Some(done) => Ok(done),
            None => self.lend(bytes, move |file, bytes| calls::write_at(file, at, bytes)),
        }
    }

    /// Moves the position, or says where it stands. Only what must be asked of the file system is left to the pool.
    pub(crate) fn seek(&self, to: io::SeekFrom) -> io::Result<u64> {
        let input = self.input.lock();
        let fd = self.file.as_fd();
        let position = match to {
            io::SeekFrom::Start(at) => {
                let at = i64::try_from(at).map_err(|_| io::ErrorKind::InvalidInput)?;
                calls::seek(fd, at, libc::SEEK_SET)
            }
            io::SeekFrom::Current(by) => calls::seek(fd, by, libc::SEEK_CUR),
            io::SeekFrom::End(by) => {
                let file = Arc::clone(&self.file);
                ask(move || calls::seek(file.as_fd(), by, libc::SEEK_END))
            }
        };
        drop(input);
        position
    }

    /// What is there already; `None` when that cannot be said without blocking.
    fn read_now(&self, at: Option<u64>, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        if !self.reads_now.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match calls::read_now(self.file.as_fd(), at, buffer) {
            Ok(None) => self.reads_now.store(false, Ordering::Relaxed),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            known => return known,
        }
        Ok(None)
    }

    /// What there is room for; `None` when that cannot be said without blocking.
    fn write_now(&self, at: Option<u64>, bytes: &[u8]) -> io::Result<Option<usize>> {
        if !self.writes_now.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match calls::write_now(self.file.as_fd(), at, bytes) {
            Ok(None) => self.writes_now.store(false, Ordering::Relaxed),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            known => return known,
        }
        Ok(None)
    }

    /// F1, F2.
    fn read_here(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut input = self.input.lock();
        if let Some(done) = self.read_now(None, buffer)? {
            return Ok(done);
        }
        let fd = self.file.as_fd();
        let at = calls::position(fd)?;
        let done = self.fetch(at, buffer, &mut input.buffer)?;
        calls::seek(fd, done as i64, libc::SEEK_CUR)?;
        Ok(done)
    }

    /// F1.
    fn write_here(&self, bytes: &[u8]) -> io::Result<usize> {
        let input = self.input.lock();
        let done = match self.write_now(None, bytes)? {
            Some(done) => Ok(done),
            None => self.lend(bytes, calls::write),
        };
        drop(input);
        done
    }

    /// Has the pool read at `at` into a buffer of its own, which is `spare` as long as nobody is cancelled.
    fn fetch(&self, at: u64, buffer: &mut [u8], spare: &mut Vec<u8>) -> io::Result<usize> {
        let wanted = buffer.len().min(MOST_READ);
        let file = Arc::clone(&self.file);
        let mut own = std::mem::take(spare);
        let read = move || {
            own.resize(wanted.max(own.len()), 0);
            let done = calls::read_at(file.as_fd(), at, &mut own[..wanted])?;
            Ok((done, own))
        };
        let (done, own) = ask(read)?;
        buffer[..done].copy_from_slice(&own[..done]);
        *spare = own;
        Ok(done)
    }

    fn read_stream(&self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.reads_now.load(Ordering::Relaxed) {
            let call = |file: &Arc<F>| calls::read_now(file.as_fd(), None, buffer);
            match self.when_ready(Direction::Read, call)? {
                Some(done) => return Ok(done),
                None => self.reads_now.store(false, Ordering::Relaxed),
            }
        }
        let mut input = self.input.lock();
        if input.is_used_up() {
            until_it_does_not_block(|| self.fetch_stream(&mut input, buffer.len()))?;
        }
        Ok(input.take(buffer))
    }

    fn write_stream(&self, bytes: &[u8]) -> io::Result<usize> {
        if self.writes_now.load(Ordering::Relaxed) {
            let call = |file: &Arc<F>| calls::write_now(file.as_fd(), None, bytes);
            match self.when_ready(Direction::Write, call)? {
                Some(done) => return Ok(done),
                None => self.writes_now.store(false, Ordering::Relaxed),
            }
        }
        let turn = self.output.lock();
        let bytes = &bytes[..bytes.len().min(MOST_WRITTEN)];
        let done = until_it_does_not_block(|| {
            self.wait_ready(Direction::Write)?;
            self.lend(bytes, calls::write)
        });
        drop(turn);
        done
    }

    /// Has the pool make a call with these bytes.
    fn lend<T, C>(&self, bytes: &[u8], call: C) -> io::Result<T>
    where
        C: FnOnce(BorrowedFd<'_>, &[u8]) -> io::Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let file = Arc::clone(&self.file);
        lend_bytes(bytes, move |bytes| call(file.as_fd(), bytes))
    }

    /// F3.
    fn fetch_stream(&self, input: &mut Input, wanted: usize) -> io::Result<()> {
        let under_way = match input.under_way.take() {
            Some(under_way) => under_way,
            None => self.begin_fetching(wanted)?,
        };
        input.under_way.insert(under_way).wait()?;
        if let Some(ended) = input.under_way.take() {
            input.buffer = ended.result()??;
            input.taken = 0;
        }
        Ok(())
    }

    fn begin_fetching(&self, wanted: usize) -> io::Result<Errand<io::Result<Vec<u8>>>> {
        self.wait_ready(Direction::Read)?;
        let (file, wanted) = (Arc::clone(&self.file), wanted.min(MOST_STREAMED));
        may_wait()?;
        Ok(Errand::begin(move || read_into_own(&*file, wanted)))
    }

    /// Parks until a call may move something; at once for what the reactor does not know.
    fn wait_ready(&self, direction: Direction) -> io::Result<()> {
        let call = |file: &Arc<F>| calls::is_ready(file.as_fd(), direction).map(Some);
        self.when_ready(direction, call).map(drop)
    }

    /// Calls until it does not say `WouldBlock`, and parks in between; `None` for what the reactor does not know, too.
    fn when_ready<R>(
        &self,
        direction: Direction,
        call: impl FnMut(&Arc<F>) -> io::Result<Option<R>>,
    ) -> io::Result<Option<R>> {
        let operation = match direction {
            Direction::Read => &self.operations.read,
            Direction::Write => &self.operations.write,
        };
        // Terminals and packets: that little was moved proves nothing.
        let never = |_: &Option<R>| false;
        let entered = self.source.enter()?;
        match entered.retry(operation, direction, None, never, call) {
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => Ok(None),
            known => known,
        }
    }
}

impl Input {
    fn is_used_up(&self) -> bool {
        self.taken == self.buffer.len()
    }

    /// Moves what fits.
    fn take(&mut self, buffer: &mut [u8]) -> usize {
        let rest = &self.buffer[self.taken..];
        let done = rest.len().min(buffer.len());
        buffer[..done].copy_from_slice(&rest[..done]);
        self.taken += done;
        done
    }
}

/// Somebody else may have made the open file non-blocking, and been faster once it was ready.
fn until_it_does_not_block<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
    }
}

fn read_into_own(file: &impl AsFd, wanted: usize) -> io::Result<Vec<u8>> {
    let mut own = vec![0; wanted];
    let done = calls::read(file.as_fd(), &mut own)?;
    own.truncate(done);
    Ok(own)
}

/// A regular file, a disk or a folder that says where it stands. Devices may say so too, and yet be streams.
fn has_position(fd: BorrowedFd<'_>) -> bool {
    let known = [libc::S_IFREG, libc::S_IFBLK, libc::S_IFDIR];
    calls::kind(fd).is_ok_and(|kind| known.contains(&kind)) && calls::position(fd).is_ok()
}
