//! Stackful green threads that read like `std::thread`: no `async`, no `.await`, no coloured functions.
//!
//! ```
//! let hello = greenthread::spawn(|| {
//!     greenthread::sleep(std::time::Duration::from_millis(1)); // parks this green thread only
//!     "hello"
//! });
//! assert_eq!(hello.join().unwrap(), "hello");
//! ```
//!
//! # When a stack overflows
//!
//! Every stack has a guard of at least 16 KiB below it. Whoever runs into it is named on stderr, with the place of its spawn, the ways to a bigger stack and a
//! backtrace, and the process aborts. For this the crate handles SIGSEGV and SIGBUS; what is not an overflow of its stacks goes to the handler that was there before.
//! [`Builder::stack_size`], [`RuntimeBuilder::stack_size`] and [`generator::Builder::stack_size`] set the size, [`grow`] lends a bigger stack for a while.
//!
//! # After a `fork`
//!
//! The child has the OS thread that forked, and no other. The green threads and generators of that OS thread, parked ones too, go on in both processes, each
//! with its own copy of the memory, and guards stand in both. Green threads of other OS threads are not run in the child: waiting for one there is for ever. Sockets that
//! the parent has waited for share the kernel's interest list with it: in the child, use those that are made after the fork.

#[cfg(panic = "abort")]
compile_error!(
    "greenthread cancels by unwinding: it needs `panic = \"unwind\"`, but this profile sets `panic = \"abort\"`"
);

mod base;
mod results;
mod sched;
mod stack;
mod stats;
mod thread;

pub mod blocking;
pub mod channel;
pub mod generator;
pub mod guide;
pub mod net;
pub mod sync;
pub mod time;

pub use base::error::Elapsed;
pub use blocking::spawn::spawn_blocking;
#[doc(hidden)]
pub use results::all::claim as __claim;
pub use results::completed::{AsCompleted, as_completed};
pub use results::gather::{GatherError, gather, try_gather};
pub use results::join_set::JoinSet;
pub use results::race::race;
#[doc(hidden)]
pub use results::race::runner as __runner;
pub use results::wait::{WaitFor, Waited, wait, wait_until};
pub use stack::grow::grow;
pub use stats::{StackStats, Stats, release_memory, stats};
pub use thread::callbacks::CallbackId;
pub use thread::catch::{Cancelled, catch_cancel};
pub use thread::caught::{is_cancellation, resume_if_cancelled};
pub use thread::current::{
    GreenThread, checkpoint, current, is_cancelled, park, park_timeout, yield_now,
};
pub use thread::join::{CancelOnDrop, JoinHandle};
pub use thread::join_error::JoinError;
pub use thread::local::LocalKey;
pub use thread::runtime::{Runtime, RuntimeBuilder, run};
pub use thread::scope::{Scope, ScopedJoinHandle, scope};
pub use thread::shared::SharedHandle;
pub use thread::shield::shield;
pub use thread::spawn::{Builder, spawn};
pub use thread::spawner::Spawner;
pub use thread::timeout::{Limit, timeout, timeout_at, timeout_with};
pub use thread::try_scope::{ScopeError, TryScope, try_scope};
pub use time::{sleep, sleep_until};
