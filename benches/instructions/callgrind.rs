//! This program's runs under callgrind, and what they say.

use std::fmt;
use std::process::{Command, Output};

use super::works::Work;

/// Operations in the shorter run: all pools are warm by then.
const SHORT: u64 = 4_096;

/// Operations more in the longer run: a multiple of all that happens once in so many turns of the loop.
const MORE: u64 = 16_384;

/// What one operation takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count {
    /// Instructions.
    pub(crate) instructions: f64,

    /// Allocations.
    pub(crate) allocations: f64,
}

/// One run, as a whole.
struct Totals {
    /// Instructions.
    instructions: u64,

    /// Allocations.
    allocations: u64,
}

/// Counts one operation.
pub(crate) fn count(work: &Work) -> Count {
    let (short, long) = (totals(work, SHORT), totals(work, SHORT + MORE));
    let of_one = |long: u64, short: u64, places: f64| {
        ((long - short) as f64 / MORE as f64 * places).round() / places
    };
    Count {
        instructions: of_one(long.instructions, short.instructions, 10.0),
        allocations: of_one(long.allocations, short.allocations, 1000.0),
    }
}

fn totals(work: &Work, times: u64) -> Totals {
    let output = valgrind(work.name, times);
    let (said, told) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{} failed under callgrind:\n{told}",
        work.name
    );
    let collected = told
        .lines()
        .find_map(|line| line.split("Collected : ").nth(1));
    let number = |text: Option<&str>| text.and_then(|text| text.trim().parse().ok());
    match (number(collected), number(Some(&said))) {
        (Some(instructions), Some(allocations)) => Totals {
            instructions,
            allocations,
        },
        _ => panic!("callgrind said something else:\n{said}\n{told}"),
    }
}

fn valgrind(name: &str, times: u64) -> Output {
    let program = std::env::current_exe().expect("this program has a path");
    let mut command = at_fixed_addresses();
    command.args([
        "valgrind",
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
    ]);
    command
        .arg(program)
        .args(["--run", name, &times.to_string()]);
    // What the environment takes of the root's stack would move everything else.
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path);
    command.output().expect("valgrind is installed")
}

/// A command that runs its arguments without random addresses, where that is allowed.
fn at_fixed_addresses() -> Command {
    let mut fixed = Command::new("setarch");
    fixed.arg("-R");
    let mut trial = Command::new("setarch");
    match trial.args(["-R", "true"]).output() {
        Ok(output) if output.status.success() => fixed,
        _ => Command::new("env"),
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Count {
            instructions,
            allocations,
        } = self;
        write!(
            f,
            "{instructions:7.1} instructions, {allocations:.3} allocations"
        )
    }
}
