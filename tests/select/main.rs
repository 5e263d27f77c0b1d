//! Selection among channels, and the channels that go beyond one message to one receiver.

#[path = "../support/mod.rs"]
mod support;

mod arms;
mod broadcast;
mod builder;
mod meeting;
mod moments;
mod stress;
mod watch;

use std::time::Duration;

use greenthread::Runtime;

const SECOND: Duration = Duration::from_secs(1);

/// A run in which time jumps.
fn virtual_time<T>(f: impl FnOnce() -> T) -> T {
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    runtime.run(f)
}
