//! [`std::io`]'s types and traits, and standard streams, pipes and a copy that park the green thread only.
//!
//! `use greenthread::io` reads like `use std::io`: everything of std's is here under its name, and what would block the OS thread is replaced:
//! [`stdin()`], [`stdout()`], [`stderr`], [`pipe()`] and [`copy()`], with their types.
//!
//! ```
//! use greenthread::io::{self, BufRead, BufReader, BufWriter, Write};
//!
//! let (reader, writer) = io::pipe()?;
//! let pinger = greenthread::spawn(move || -> io::Result<()> {
//!     let mut writer = BufWriter::new(writer); // std's
//!     (1..=3).try_for_each(|n| writeln!(writer, "line {n}"))?;
//!     writer.flush()
//! });
//! let lines: Vec<String> = BufReader::new(reader).lines().collect::<Result<_, _>>()?;
//! assert_eq!(lines, ["line 1", "line 2", "line 3"]);
//! pinger.join().unwrap()?;
//! # io::Result::Ok(())
//! ```
//!
//! # What differs from std
//! - A call that would block parks the green thread, on the root and on a plain OS thread it runs the event loop. It tries first: a call that can
//!   finish at once neither parks nor lets others go first.
//! - A cancellation or an outer [`timeout`](crate::timeout) is raised only where a call parks, and leaves every byte where it was. What was moved by earlier calls is moved:
//!   `read_exact`, `read_to_end` and `write_all` lose count, as they do on any error. [`Stdin::read_line`] takes whole lines or nothing.
//! - While a cancellation unwinds, a call that would park fails at once: a [`BufWriter`] that is dropped then writes what can be written without waiting, and no more.
//! - The standard streams are shared with other processes, so their descriptors are not made non-blocking: see [`stdin()`]. They have no buffers of their own for writing.
//! - A write to a pipe or terminal whose reader has gone is an error, [`BrokenPipe`](ErrorKind::BrokenPipe), because Rust programs ignore `SIGPIPE` from their start.

mod calls;
mod copy;
pub(crate) mod descriptor;
mod pipe;
mod stdin;
mod stdout;

pub use std::io::*;

pub use copy::{copy, copy_with};
pub use pipe::{PipeReader, PipeWriter, pipe};
pub use stdin::{Stdin, StdinLock, stdin};
pub use stdout::{Stderr, StderrLock, Stdout, StdoutLock, stderr, stdout};
