//! The standard output and error, shared by all green threads of the process. Neither has a buffer, so nothing is left in one at the end of the process.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;

use super::descriptor::{Descriptor, Operations};
use crate::sched::wait::Operation;
use crate::sync::{ReentrantMutex, ReentrantMutexGuard};

/// One of the two.
#[derive(Debug)]
struct Output<F: AsFd> {
    /// Descriptor 1 or 2, which is left as it is.
    descriptor: Descriptor<F>,

    /// Whose turn it is. The owner may take it again.
    turn: ReentrantMutex<()>,
}

impl<F: AsFd + Send + Sync + 'static> Output<F> {
    fn new(file: F, operations: &'static Operations) -> Self {
        Output {
            descriptor: Descriptor::new(file, operations),
            turn: ReentrantMutex::new(()),
        }
    }

    /// Who has no such output writes into nothing, as with std.
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.descriptor.write(bytes) {
            Err(error) if error.raw_os_error() == Some(libc::EBADF) => Ok(bytes.len()),
            written => written,
        }
    }
}

/// The methods of a writer that takes the lock for each.
macro_rules! by_lock {
    () => {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.lock().write(bytes)
        }

        fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.lock().write_all(bytes)
        }

        fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
            self.lock().write_fmt(text)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    };
}

/// Defines the handle, its lock and the function for one output.
macro_rules! output {
    ($Output:ident, $Lock:ident, $function:ident, $what:literal) => {
        #[doc = concat!("The standard ", $what, " of the process: [`std::io::", stringify!($Output), "`] for green threads. See [`", stringify!($function), "`].")]
        #[derive(Clone, Copy, Debug)]
        pub struct $Output {
            /// Shared by all.
            output: &'static Output<io::$Output>,
        }

        #[doc = concat!("The standard ", $what, ", for one green thread as long as this lives: [`std::io::", stringify!($Lock), "`].")]
        #[derive(Debug)]
        pub struct $Lock<'a> {
            /// Shared by all.
            output: &'a Output<io::$Output>,

            /// Held as long as this lives.
            _turn: ReentrantMutexGuard<'a, ()>,
        }

        #[doc = concat!("Returns the standard ", $what, ".")]
        ///
        /// Does not block. A write parks the green thread until there is room, whatever it is: terminal, pipe, socket or file. A cancellation is raised where it
        /// parks, before anything was moved; once the blocking pool has begun to write to a file or a terminal, the write is finished first. On the root and on a plain OS thread the
        /// wait runs the event loop. What is written by one `write!` or `writeln!` comes out in one piece, and nothing of other green threads in between.
        ///
        /// There is no buffer: wrap it into a [`BufWriter`](io::BufWriter) or [`LineWriter`](io::LineWriter) for many small pieces. What `print!` and std's own handle
        /// keep in their buffer comes out when they flush it. The open file is left as it is, since other processes share it: see [`stdin`](super::stdin()).
        ///
        /// # Examples
        /// ```
        /// use greenthread::io::{self, Write};
        #[doc = concat!("writeln!(io::", stringify!($function), "(), \"{} green threads\", 3)?;")]
        /// # io::Result::Ok(())
        /// ```
        #[must_use]
        pub fn $function() -> $Output {
            static OPERATIONS: Operations = Operations {
                read: Operation::new(concat!(stringify!($Output), "::read")),
                write: Operation::new(concat!(stringify!($Output), "::write")),
            };
            static OUTPUT: OnceLock<Output<io::$Output>> = OnceLock::new();
            let output = OUTPUT.get_or_init(|| Output::new(io::$function(), &OPERATIONS));
            $Output { output }
        }

        impl $Output {
            /// Takes it for oneself, until the guard is dropped; the owner may take it again.
            ///
            /// Parks while another green thread has it. A cancellation is raised there. On the root and on a plain OS thread the wait runs the event loop.
            #[must_use]
            pub fn lock(&self) -> $Lock<'static> {
                let output = self.output;
                $Lock { output, _turn: output.turn.lock() }
            }

            /// Tells whether it is a terminal.
            #[must_use]
            pub fn is_terminal(&self) -> bool {
                io::$function().is_terminal()
            }
        }

        impl Write for $Lock<'_> {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.output.write(bytes)
            }

            /// One write for all of it.
            fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
                let mut whole = String::new();
                fmt::write(&mut whole, text).map_err(io::Error::other)?;
                self.write_all(whole.as_bytes())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        impl Write for &$Output {
            by_lock!();
        }

        impl Write for $Output {
            by_lock!();
        }

        impl AsFd for $Output {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.output.descriptor.file().as_fd()
            }
        }
    };
}

output!(Stdout, StdoutLock, stdout, "output");
output!(Stderr, StderrLock, stderr, "error output");
