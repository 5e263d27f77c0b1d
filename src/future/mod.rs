//! Between green threads and `async` code, both ways.
//!
//! [`block_on()`] runs a future and parks its green thread only, so that a library which is written with `async`, but brings no runtime of its own, is called like any
//! other function. A [`JoinHandle`](crate::JoinHandle) can be awaited, in any executor. What such libraries want of a runtime is here too, each behind the
//! feature that is named after it:
//!
//! | feature | what it adds |
//! |---|---|
//! | `futures-io` | `AsyncRead` and `AsyncWrite` of futures-io for [`TcpStream`](crate::net::TcpStream) and [`UnixStream`](crate::net::UnixStream) |
//! | `tokio` | the same traits in tokio's version; nothing of tokio's runtime |
//! | `hyper` | `Read` and `Write` of `hyper::rt` for them, [`Executor`] as its executor, [`Timer`] as its timer |
//!
//! ```
//! use greenthread::{future::block_on, spawn, yield_now};
//!
//! let child = spawn(|| { yield_now(); 20 });
//! let sum = block_on(async { child.await.unwrap() + 22 }); // parks this green thread only
//! assert_eq!(sum, 42);
//! ```
//!
//! # What to know
//! - A socket is polled inside of `block_on`, or wherever else greenthread's loop runs while its future waits. In a foreign executor, which
//!   stops the OS thread, nobody would look at the socket. A `JoinHandle` can be awaited there, if its green thread runs on another OS thread.
//! - A socket wakes one future in each direction: the one that polled last.
//! - The read and write timeouts of a socket are for blocking calls; a future is cut short by [`timeout`](crate::timeout) around its `block_on`.
//! - [`sleep()`] takes a green thread for as long as it waits.

mod block_on;
mod execute;
mod joined;
mod sleep;
#[cfg_attr(
    not(all(feature = "futures-io", feature = "hyper", feature = "tokio")),
    allow(
        dead_code,
        unused_imports,
        unused_macros,
        reason = "for the adapters, each of which has its feature"
    )
)]
mod socket;
mod wake;

#[cfg(feature = "futures-io")]
mod futures_io;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "tokio")]
mod tokio;

pub use block_on::block_on;
pub use execute::Executor;
pub use joined::Joined;
pub use sleep::{Sleep, Timer, sleep, sleep_until};
