//! What every green thread of the process does, and where it stands: [`dump()`].
//!
//! ```text
//!   ask       a survey of all OS threads that have a scheduler, from an OS thread of its own
//!   seen      what comes back: the public types
//!   text      as Go writes it; names and folding are in `symbols`
//!   json      the same for programs
//!   on_signal the same on a signal, to stderr
//! ```

pub(crate) mod ask;
mod json;
pub(crate) mod on_signal;
mod seen;
mod text;

pub use crate::symbols::frame::Frame;
pub use ask::dump;
pub(crate) use ask::{dump_from_outside, on_a_helper};
pub use seen::{Cancel, Dump, OsThread, Running, Seen, State};
