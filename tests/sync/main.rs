//! Every waiting primitive against one shared list, and what each does besides.

#[path = "../support/mod.rs"]
mod support;

mod barrier;
mod channel;
mod choices;
mod condvar;
mod exit;
mod once;
mod queue;
mod reentrant_mutex;
mod rw_lock;
mod semaphore;
mod shared_list;
mod stress;
mod subjects;

use greenthread::Runtime;

/// A run in which time jumps.
fn virtual_time<T>(f: impl FnOnce() -> T) -> T {
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    runtime.run(f)
}
