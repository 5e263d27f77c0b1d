//! Signals. Each test plays in a process of its own, so that none listens to another's signals.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod ends;
mod listeners;
mod storm;

use support::child;

/// Plays the rest of a test in a child process; fails when that fails.
#[track_caller]
fn alone(test: &str, part: impl FnOnce()) {
    let ended = child::run(test, part);
    assert!(ended.succeeded(), "{ended:?}");
}

/// Sends a signal to the OS thread that calls; it has been handled when this returns.
#[expect(unsafe_code, reason = "std cannot raise a signal")]
fn raise(signal: i32) {
    // SAFETY: takes a number.
    assert_eq!(unsafe { libc::raise(signal) }, 0);
}

/// Has a signal do what it does to a process that was started by hand: one that is started in the background may have been told to ignore it.
#[expect(unsafe_code, reason = "std cannot set what a signal does")]
fn act_by_default(signal: i32) {
    // SAFETY: no handler is named.
    let before = unsafe { libc::signal(signal, libc::SIG_DFL) };
    assert_ne!(before, libc::SIG_ERR);
}
