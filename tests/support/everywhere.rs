//! Where the bodies of tests run, and that each is held to leave nothing behind (`teardown`).
//!
//! ```text
//!   #[test]                  as it is      with GREENTHREAD_TEST_WORKERS=n
//!   #[apply(on_workers)]     on the root   on n workers at once, on a green thread of each
//!   #[apply(on_roots)]       on the root   on the roots of n OS threads at once
//!   #[apply(once)]           on the root   not at all
//! ```
//!
//! "The root" is that of the test's own OS thread. On workers runs what holds wherever a green thread runs; on roots, what is about virtual time, `run`, a deadlock or
//! something else that a root alone has; once, what is about the whole process: its limits, signals and children, what it writes, or a process of the test's own. `.ci/run workers` runs
//! all tests so with 1, 2 and 4, and `tests/suite.rs` counts them.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::time::Duration;

use greenthread::{JoinHandle, Runtime, gather};

use super::teardown::{self, Kept, PATIENCE, held};

/// How many workers, or roots, if the tests are to run so.
const COUNT: &str = "GREENTHREAD_TEST_WORKERS";

thread_local! {
    /// Whether this OS thread is a worker on which a test's body runs.
    static IS_WORKER: Cell<bool> = const { Cell::new(false) };
}

macro_rules! on_workers {
    ($(#[$about:meta])* fn $name:ident() $body:block) => {
        $(#[$about])*
        fn $name() {
            fn this_test() $body
            $crate::support::everywhere::on_workers(this_test);
        }
    };
}

macro_rules! on_roots {
    ($(#[$about:meta])* fn $name:ident() $body:block) => {
        $(#[$about])*
        fn $name() {
            fn this_test() $body
            $crate::support::everywhere::on_roots(this_test);
        }
    };
}

macro_rules! once {
    ($(#[$about:meta])* fn $name:ident() $body:block) => {
        $(#[$about])*
        fn $name() {
            fn this_test() $body
            $crate::support::everywhere::once(this_test);
        }
    };
}

/// What `#[apply(on_workers)]` makes of a test.
pub(crate) fn on_workers(body: fn()) {
    match count() {
        Some(count) => held(|| on_each_worker(count, PATIENCE, body)),
        None => held(body),
    }
}

/// What `#[apply(on_roots)]` makes of a test.
pub(crate) fn on_roots(body: fn()) {
    let others: Vec<_> = (1..count().unwrap_or(1))
        .map(|_| std::thread::spawn(move || held(body)))
        .collect();
    held(body);
    for other in others {
        other.join().unwrap_or_else(|panic| resume_unwind(panic));
    }
}

/// What `#[apply(once)]` makes of a test.
pub(crate) fn once(body: fn()) {
    if count().is_none() {
        held(body);
    }
}

/// A run in which time jumps, and in which silence is a deadlock at once; what `f` leaves behind is not left to the end of the run. On a worker, where time cannot jump, nothing but `f`.
pub(crate) fn virtual_time<T>(f: impl FnOnce() -> T) -> T {
    if IS_WORKER.get() {
        return f();
    }
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    runtime.run(|| held(f))
}

fn count() -> Option<usize> {
    let asked = std::env::var(COUNT).ok()?;
    Some(asked.parse().unwrap_or_else(|_| panic!("{COUNT}={asked}")))
}

/// Runs `body` on each of `count` workers at once, and panics with what is left on any of them, after `patience`, when all have ended.
pub(crate) fn on_each_worker(count: usize, patience: Duration, body: fn()) {
    let runtime = Runtime::builder().workers(count).build().unwrap();
    runtime.run(|| {
        let before = all(runtime.run_on_each(|_| {
            IS_WORKER.set(true);
            Kept::here()
        }));
        all(runtime.run_on_each(move |_| body()));
        let check = move |n: usize| teardown::nothing_more_than(before[n], patience);
        let after = all(runtime.run_on_each(check));
        let left: Vec<_> = after.into_iter().filter_map(Result::err).collect();
        assert!(left.is_empty(), "{}", left.join("\n"));
    });
}

/// Their results, in order, when all have ended; else the first panic goes on.
fn all<T>(handles: Vec<JoinHandle<T>>) -> Vec<T> {
    let ended = gather(handles).into_iter();
    ended
        .map(|one| one.unwrap_or_else(|error| resume_unwind(error.into_panic())))
        .collect()
}
