//! The standard input, shared by all green threads of the process.
//!
//! It has one buffer, behind a lock that is handed over in order. A line is taken out of the buffer when it is whole, so a reader who is cancelled in the middle of
//! one leaves it to the next.

use std::io::{self, BufRead, IsTerminal, Lines, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;

use super::descriptor::{Descriptor, Operations};
use crate::sched::wait::Operation;
use crate::sync::{Mutex, MutexGuard};

static OPERATIONS: Operations = Operations {
    read: Operation::new("Stdin::read"),
    write: Operation::new("Stdin::write"),
};

/// How much is asked for at once.
const CHUNK: usize = 8 << 10;

static INPUT: OnceLock<Mutex<Input>> = OnceLock::new();

/// What was read and not taken yet.
#[derive(Debug)]
struct Input {
    /// Descriptor 0, which is left as it is.
    descriptor: Descriptor<io::Stdin>,

    /// The bytes.
    buffer: Vec<u8>,

    /// How many of them were taken.
    taken: usize,

    /// Where the kernel writes, so that a cancelled read leaves `buffer` as it was.
    chunk: Vec<u8>,
}

/// The standard input of the process: [`std::io::Stdin`] for green threads. See [`stdin`].
#[derive(Clone, Copy, Debug)]
pub struct Stdin {
    /// Shared by all.
    input: &'static Mutex<Input>,
}

/// The standard input, for one green thread as long as this lives: [`std::io::StdinLock`].
#[derive(Debug)]
pub struct StdinLock<'a>(MutexGuard<'a, Input>);

/// Returns the standard input.
///
/// Does not block. Reading from it parks the green thread until something is there, whatever it is: terminal, pipe, socket or file. At its end reads give `Ok(0)`, and
/// so they do when the program was started without one.
///
/// Its open file is left as it is, since other processes share it: pipes and sockets are read by calls that do not block (`RWF_NOWAIT`, Linux 6.5 or newer), for a
/// terminal the reactor tells when there is a line, and the blocking pool reads what cannot be waited for otherwise. It keeps a buffer of its own: do not mix
/// it with std's.
///
/// # Examples
/// ```no_run
/// use greenthread::io::{self, Write};
/// write!(io::stdout(), "your name? ")?;
/// let mut name = String::new();
/// io::stdin().read_line(&mut name)?; // the others go on meanwhile
/// writeln!(io::stdout(), "hello, {}", name.trim_end())?;
/// # io::Result::Ok(())
/// ```
#[must_use]
pub fn stdin() -> Stdin {
    let input = INPUT.get_or_init(|| {
        Mutex::new(Input {
            descriptor: Descriptor::new(io::stdin(), &OPERATIONS),
            buffer: Vec::new(),
            taken: 0,
            chunk: vec![0; CHUNK],
        })
    });
    Stdin { input }
}

impl Stdin {
    /// Takes it for oneself, until the guard is dropped.
    ///
    /// Parks while another green thread has it. A cancellation is raised there. On the root and on a plain OS thread the wait runs the event loop.
    #[must_use]
    pub fn lock(&self) -> StdinLock<'static> {
        StdinLock(self.input.lock())
    }

    /// Reads a line, with its end, and appends it to `line`. Returns its length, 0 at the end of the input.
    ///
    /// Parks until the line is whole, or the input ends. A cancellation is raised there and takes nothing: what has come of the line is for the next reader. On the root and on
    /// a plain OS thread the wait runs the event loop.
    ///
    /// # Errors
    /// The system's; `InvalidData` when the line is not UTF-8: it is skipped then.
    pub fn read_line(&self, line: &mut String) -> io::Result<usize> {
        self.lock().read_line(line)
    }

    /// Makes an iterator over the lines, without their ends. It keeps the input for itself as long as it lives.
    ///
    /// Parks in `next`, as [`read_line`](Self::read_line) does.
    #[must_use]
    pub fn lines(self) -> Lines<StdinLock<'static>> {
        self.lock().lines()
    }

    /// Tells whether it is a terminal.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        io::stdin().is_terminal()
    }
}

impl Input {
    fn rest(&self) -> &[u8] {
        &self.buffer[self.taken..]
    }

    fn take(&mut self, some: usize) {
        self.taken += some;
        if self.taken == self.buffer.len() {
            self.buffer.clear();
            self.taken = 0;
        }
    }

    /// Adds what comes next; how much that is, 0 at the end.
    fn more(&mut self) -> io::Result<usize> {
        let some = nothing_if_closed(self.descriptor.read(&mut self.chunk))?;
        self.buffer.extend_from_slice(&self.chunk[..some]);
        Ok(some)
    }

    /// How many bytes there are up to and with `last`, or to the end of the input.
    fn find(&mut self, last: u8) -> io::Result<usize> {
        let mut searched = 0;
        loop {
            let unseen = &self.rest()[searched..];
            if let Some(at) = unseen.iter().position(|byte| *byte == last) {
                return Ok(searched + at + 1);
            }
            searched = self.rest().len();
            if self.more()? == 0 {
                return Ok(searched);
            }
        }
    }
}

impl Read for StdinLock<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let input = &mut *self.0;
        if input.rest().is_empty() {
            return nothing_if_closed(input.descriptor.read(buffer));
        }
        let some = input.rest().read(buffer)?;
        input.take(some);
        Ok(some)
    }
}

impl BufRead for StdinLock<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.0.rest().is_empty() {
            self.0.more()?;
        }
        Ok(self.0.rest())
    }

    fn consume(&mut self, some: usize) {
        let some = some.min(self.0.rest().len());
        self.0.take(some);
    }

    fn read_until(&mut self, last: u8, bytes: &mut Vec<u8>) -> io::Result<usize> {
        let some = self.0.find(last)?;
        bytes.extend_from_slice(&self.0.rest()[..some]);
        self.0.take(some);
        Ok(some)
    }

    fn read_line(&mut self, line: &mut String) -> io::Result<usize> {
        let some = self.0.find(b'\n')?;
        let text = std::str::from_utf8(&self.0.rest()[..some]);
        let appended = text.map(|text| line.push_str(text)).map_err(|_| not_utf8());
        self.0.take(some);
        appended.map(|()| some)
    }
}

impl Read for &Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.lock().read(buffer)
    }
}

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.lock().read(buffer)
    }
}

impl AsFd for Stdin {
    fn as_fd(&self) -> BorrowedFd<'_> {
        static STD: OnceLock<io::Stdin> = OnceLock::new();
        STD.get_or_init(io::stdin).as_fd()
    }
}

/// Who has no standard input is at its end, as with std.
fn nothing_if_closed(read: io::Result<usize>) -> io::Result<usize> {
    match read {
        Err(error) if error.raw_os_error() == Some(libc::EBADF) => Ok(0),
        read => read,
    }
}

fn not_utf8() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a line that is not UTF-8")
}
