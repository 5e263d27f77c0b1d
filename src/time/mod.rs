//! Waiting for a moment. Time is that of the running OS thread: real, or virtual inside a runtime that says so.
//!
//! Real time comes from the monotonic clock. An OS thread that has sockets to wait for sleeps in its reactor, whose grain is one millisecond: a
//! deadline is never early and up to about one millisecond late; without sockets the grain is that of the system's futex.

mod interval;
mod sleep;

pub use std::time::{Duration, Instant};

pub use interval::{Interval, MissedTicks, interval};
pub use sleep::{now, sleep, sleep_until};
