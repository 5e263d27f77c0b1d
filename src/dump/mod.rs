//! What every green thread of the process does, and where it stands: [`dump()`].
//!
//! ```text
//!   ask       a survey of all OS threads that have a scheduler, from an OS thread of its own
//!   seen      what comes back: the public types
//!   names     functions and lines for addresses, each asked for once       (names_bare.rs without the feature `symbols`)
//!   text      as Go writes it; fold: the library's own frames in one line
//!   json      the same for programs
//!   on_signal the same on a signal, to stderr
//! ```

pub(crate) mod ask;
mod fold;
mod frame;
mod json;
pub(crate) mod on_signal;
mod seen;
mod text;

#[cfg(feature = "symbols")]
mod names;
#[cfg(not(feature = "symbols"))]
#[path = "names_bare.rs"]
mod names;

pub use ask::dump;
pub use frame::Frame;
pub use seen::{Cancel, Dump, OsThread, Seen, State};
