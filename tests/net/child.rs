//! Tests that need a process of their own: the same test runs again in a child, alone, with another role.

use std::env;
use std::process::{Command, Stdio};

/// Set in a child, to what it needs to know.
const ROLE: &str = "GREENTHREAD_TEST_ROLE";

/// What this process was told, if it is a child.
pub(crate) fn role() -> Option<String> {
    env::var(ROLE).ok()
}

/// Lets `command` run the test `name` of this program, alone, as a child that is told `role`.
pub(crate) fn run_in(mut command: Command, name: &str, role: &str) -> Command {
    command.args([name, "--exact", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role);
    command
}

/// A child that runs the test `name` of this program, alone.
pub(crate) fn of_this_program(name: &str, role: &str) -> Command {
    run_in(Command::new(env::current_exe().unwrap()), name, role)
}

/// Runs the test `name` again in a child, and says whether this is the child.
pub(crate) fn is_alone(name: &str) -> bool {
    if role().is_some() {
        return true;
    }
    let output = of_this_program(name, "alone")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    // A name that fits no test would pass.
    assert!(said.contains("1 passed"), "{said}");
    false
}
