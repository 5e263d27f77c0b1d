//! An expired timeout unwinds the work under it, and is an error only at the scope whose deadline passed.

use std::cell::RefCell;

use greenthread::{catch_cancel, sleep, timeout, timeout_with};

use crate::log::say;
use crate::{Log, U, run};

fn job(log: &Log, name: &'static str, units: u32) -> &'static str {
    if let Err(cancelled) = catch_cancel(|| sleep(units * U)) {
        say!(log, "{name}: cancelled");
        cancelled.resume();
    }
    say!(log, "{name}: finished");
    name
}

fn nested(log: &Log, inner_units: u32, outer_units: u32) {
    let expired = RefCell::new(Vec::new());
    let outer = timeout(outer_units * U, || {
        let inner = timeout(inner_units * U, || job(log, "nested work", 6));
        if inner.is_err() {
            expired.borrow_mut().push("inner");
            say!(log, "inner scope raised");
        }
        say!(log, "still inside the outer scope");
    });
    if outer.is_err() {
        expired.borrow_mut().push("outer");
        say!(log, "outer scope raised");
    }
    say!(log, "expired: {}", expired.borrow().join(" "));
}

fn main(log: &Log) {
    let result = timeout(5 * U, || job(log, "quick", 1));
    say!(log, "result {}", result.unwrap());
    if timeout(2 * U, || job(log, "slow", 6)).is_err() {
        say!(log, "wait_for raised");
    }
    nested(log, 2, 9);
    nested(log, 9, 2);
    let postponed = timeout_with(2 * U, |limit| {
        limit.reset(8 * U);
        job(log, "postponed", 4)
    });
    say!(
        log,
        "postponed scope {}",
        if postponed.is_err() {
            "expired"
        } else {
            "did not expire"
        }
    );
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/10_timeouts.out"));
}
