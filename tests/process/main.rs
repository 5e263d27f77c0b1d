//! Child processes. The children are small programs of the shell; what counts this process's own descriptors or threads plays in a process of its own.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "process-pool")]
mod channel;
mod drops;
mod failures;
mod many;
mod outside;
#[cfg(feature = "process-pool")]
mod pool;
#[cfg(feature = "process-pool")]
mod pool_values;
mod streams;
mod waits;

use std::time::Duration;

use greenthread::process::{Child, Command, Stdio};
use greenthread::{sleep, spawn};

/// Long enough for anything; only a failing test waits it out.
const LONG: Duration = Duration::from_secs(60);

/// A command for the shell, which is killed at the latest when the test ends.
fn shell(code: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", code]).stdin(Stdio::null());
    shell.kill_on_drop(true);
    shell
}

/// A child that does not end by itself.
fn endless() -> Child {
    shell("exec sleep 100000").spawn().unwrap()
}

/// Whether there is a process of this id, a zombie included.
#[expect(unsafe_code, reason = "std cannot ask for a process")]
fn exists(id: u32) -> bool {
    // SAFETY: takes two numbers, and sends nothing.
    unsafe { libc::kill(id.cast_signed(), 0) == 0 }
}

/// Waits until there is no process of this id, not even a zombie.
#[track_caller]
fn until_gone(id: u32) {
    let gone = spawn(move || {
        while exists(id) {
            sleep(Duration::from_millis(1));
        }
    });
    let gone = gone.join_timeout(LONG);
    gone.expect("it was not reaped").unwrap();
}
