//! Signals, each test in a process of its own: what one listens for, the others would not get by default.

#[path = "../support/mod.rs"]
mod support;

use std::io::ErrorKind;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use greenthread::process::Command;
use greenthread::signal::{self, SIGALRM, SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use greenthread::signal::Signals;
use greenthread::{Runtime, run, sleep, spawn, timeout, yield_now};

use support::child;

/// Plays the rest of a test in a child process; fails when that fails.
fn alone(test: &str, part: impl FnOnce()) {
    let ended = child::run(test, part);
    assert!(ended.succeeded(), "{ended:?}");
}

/// Sends this process a signal; it has been handled when this returns.
fn raise(signal: i32) {
    signal_hook_registry_free_raise(signal);
}

/// `raise(3)`: the signal reaches the OS thread that calls.
#[expect(unsafe_code, reason = "there is no safe raise")]
fn signal_hook_registry_free_raise(signal: i32) {
    // SAFETY: takes a number.
    assert_eq!(unsafe { libc::raise(signal) }, 0);
}
