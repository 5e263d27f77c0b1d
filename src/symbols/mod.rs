//! Names for addresses, and how a backtrace is shown: for dumps and for the watchdog.
//!
//! ```text
//!   names   functions and lines, each looked up once       (names_bare.rs without the feature `symbols`)
//!   frame   one line of a backtrace
//!   fold    the library's own frames in one line
//!   text    a backtrace as Go writes one
//! ```

pub(crate) mod fold;
pub(crate) mod frame;
pub(crate) mod text;

#[cfg(feature = "symbols")]
pub(crate) mod names;
#[cfg(not(feature = "symbols"))]
#[path = "names_bare.rs"]
pub(crate) mod names;
