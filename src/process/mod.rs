//! Child processes with the names and shapes of [`std::process`]; what would block the OS thread parks the green thread instead.
//!
//! ```
//! use std::io::{BufRead, BufReader, Write};
//! use greenthread::process::{Command, Stdio};
//!
//! # fn main() -> std::io::Result<()> {
//! let mut cat = Command::new("cat");
//! let mut child = cat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
//! let mut answers = BufReader::new(child.stdout.take().unwrap());
//! for word in ["to\n", "and\n", "fro\n"] {
//!     child.stdin.as_mut().unwrap().write_all(word.as_bytes())?; // parks while the pipe is full
//!     let mut answer = String::new();
//!     answers.read_line(&mut answer)?; // parks until the child has answered
//!     assert_eq!(answer, word);
//! }
//! assert!(child.wait()?.success()); // closes stdin, parks until the child has ended
//! # Ok(())
//! # }
//! ```
//!
//! # What differs from std
//! - [`Child::wait`], [`try_wait`](Child::try_wait) and [`kill`](Child::kill) take `&self`; [`wait_timeout`](Child::wait_timeout), [`communicate`](Child::communicate) and
//!   [`kill_on_drop`](Child::kill_on_drop) are there besides.
//! - A cancelled wait leaves the process running. A child that is dropped before its end is reaped after it all the same.
//! - The exit of a child comes through a pidfd, on Linux since 5.3. Elsewhere, and where the kernel refuses one, a handler for SIGCHLD is installed, which calls whatever handler was
//!   there before: SIGCHLD must then neither be ignored nor blocked.
//! - Our ends of a child's pipes do not block; handed to another child ([`Stdio::from`]) or to std (`into_std`) they block again.
//! - While somebody waits for a process, virtual time stands: the process lives in real time. One who reads a child's pipe waits for a source, as with a socket.
//!
//! # Functions in other processes
//! The feature `process-pool`, on by default, has `Pool`, which calls functions of this program in processes of their own, and `Channel`, which carries values between them.

#[cfg(feature = "process-pool")]
mod carry;
#[cfg(feature = "process-pool")]
mod channel;
mod child;
mod command;
mod orphans;
#[cfg(feature = "process-pool")]
mod parcel;
mod pipe;
mod platform;
#[cfg(feature = "process-pool")]
mod pool;
mod running;
mod talk;

pub use std::process::{CommandArgs, CommandEnvs, ExitStatus, Output, Stdio};

#[cfg(feature = "process-pool")]
pub use channel::{Channel, RecvError, SendError};
pub use child::Child;
pub use command::Command;
pub use pipe::{ChildStderr, ChildStdin, ChildStdout};
#[cfg(feature = "process-pool")]
pub use pool::{CallError, Functions, Pool};
