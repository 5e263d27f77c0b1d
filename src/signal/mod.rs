//! Signals of the operating system, as values that a green thread waits for.
//!
//! ```
//! use greenthread::signal::{self, Signals};
//!
//! # fn main() -> std::io::Result<()> {
//! let signals = Signals::new([signal::SIGUSR1, signal::SIGUSR2])?;
//! # fn raise(signal: i32) -> std::io::Result<()> {
//! #     let kill = format!("kill -{signal} {}", std::process::id());
//! #     assert!(greenthread::process::Command::new("/bin/sh").args(["-c", &kill]).status()?.success());
//! #     Ok(())
//! # }
//! raise(signal::SIGUSR2)?; // or somebody else does
//! assert_eq!(signals.recv()?, signal::SIGUSR2); // parks until one comes
//! assert_eq!(signals.try_recv(), None);
//! # Ok(())
//! # }
//! ```
//!
//! # What holds
//! - Every listener gets every signal that it asked for and that comes while it lives. The handler is shared with everybody in the process who uses `signal-hook` or its
//!   registry (tokio, for one), and calls whatever handler was there before.
//! - Signals are states, not messages, as the kernel's own: one that comes again before it was received is received once. Different signals are never lost to
//!   each other, however many come; those that are there together are received in the order of their numbers.
//! - The handler marks the signal and writes one byte into a socket that does not block; it takes no lock and allocates nothing. It runs on the stack that the signal finds,
//!   a green thread's too, where it needs some 4 KiB beside what is in use. A parked green thread is woken on its own OS thread, whichever OS thread the signal reached.
//! - One who waits for a signal waits for something outside: silence is then never a deadlock. Virtual time goes on jumping meanwhile.
//! - **What a signal does by default is gone** from the first listener for it on, until the process ends: when the last listener is dropped, the signal is ignored. After
//!   [`ctrl_c`] has returned once, only a further listener notices Ctrl-C. A child process begins with the default actions, as after every `exec`.
//! - After a `fork` without `exec`, parent and child share a listener's socket: in the child, make new ones.

mod listener;
mod names;
mod signals;

pub use libc::{
    SIGABRT, SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGKILL, SIGPIPE, SIGPROF, SIGQUIT,
    SIGSTOP, SIGTERM, SIGTRAP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGUSR1, SIGUSR2, SIGVTALRM,
    SIGWINCH,
};

pub(crate) use listener::Listener;
pub use signals::{Iter, Signals, ctrl_c};
