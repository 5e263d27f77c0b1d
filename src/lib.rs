//! Stackful green threads that read like `std::thread`: no `async`, no `.await`, no coloured functions.
//!
//! ```
//! let hello = greenthread::spawn(|| {
//!     greenthread::sleep(std::time::Duration::from_millis(1)); // parks this green thread only
//!     "hello"
//! });
//! assert_eq!(hello.join().unwrap(), "hello");
//! ```

#[cfg(panic = "abort")]
compile_error!(
    "greenthread cancels by unwinding: it needs `panic = \"unwind\"`, but this profile sets `panic = \"abort\"`"
);

mod base;
mod results;
mod sched;
mod stack;
mod thread;

pub mod blocking;
pub mod channel;
pub mod generator;
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
