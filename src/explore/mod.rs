//! A test under many schedules, and each of them again: [`explore()`].
//!
//! Green threads of one OS thread run in the order in which they became ready, so a test of them meets one schedule, however often it is run. A fault that shows in another
//! one stays hidden until production finds it. Here a test runs under as many as are asked for, each chosen by a seed; the one that fails is drawn, and the same seed makes
//! it again. [The guide](crate::guide::replay) has the whole way, from a fault to its seed.
//!
//! ```text
//!   explore    searches, tells of what it found, and panics: for tests
//!   search     searches and returns the failure: for programs that go on; search_with tells how far it has come
//!   replay     one seed once more, drawn whether it fails or not
//! ```
//!
//! Chosen is what the scheduler of one OS thread decides: see [`shuffle`](crate::RuntimeBuilder::shuffle). Time is virtual. What other OS threads, processes and the
//! kernel do is not chosen; [`net::Faults`](crate::net::Faults) chooses what a network may do.

mod failure;
mod progress;
mod schedule;
mod search;
mod seeds;

pub use failure::Failure;
pub use search::{Explored, explore, replay, search, search_with};
