//! Who holds his OS thread for too long, told to stderr.
//!
//! ```text
//!   each loop     notes when the one who runs began                       sched::beat
//!   observer      an OS thread of its own, looks at the notes of all
//!                 too long? a signal to that OS thread ──▶ signal ──▶ sample: who runs, and where, as addresses
//!                 names for the addresses, a report to stderr, at most one a second
//!   question      the same for a dump, about an OS thread that does not answer it
//!   setting       the environment variable
//! ```
//!
//! While it is off, a loop has one more word to look at whenever it looks at the clock, and nothing else.

pub(crate) mod observer;
pub(crate) mod question;
pub(crate) mod sample;
pub(crate) mod setting;
mod signal;
