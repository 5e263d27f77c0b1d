//! One process of many: runs the programs that it is told, and says what comes of each, so that its parent knows which one ended it.

use std::io::{self, Write as _};

use crate::across;
use crate::check::check;
use crate::generate;
use crate::options::World;
use crate::program::Program;
use crate::tally::Tally;

/// Runs the programs of these seeds, up to one with which something is wrong: what that leaves behind may disturb others.
pub(crate) fn work(first: u64, end: u64, world: World) {
    let mut tally = Tally::default();
    for seed in first..end {
        say(&format!("seed {seed}"));
        if let Some(trouble) = trouble(&generate::program(seed), world, &mut tally) {
            say(&format!("diverged {seed}"));
            // For whoever runs a worker by hand: its parent does not listen there.
            eprintln!("{trouble}");
            break;
        }
    }
    tally.write(|line| say(&line));
}

/// What is wrong with this program there.
pub(crate) fn trouble(program: &Program, world: World, tally: &mut Tally) -> Option<String> {
    if world == World::Alone {
        return check(program, tally).map(|divergence| divergence.to_string());
    }
    tally.programs += 1;
    tally.runs += 1;
    let faults = across::run(program);
    (!faults.is_empty()).then(|| faults.join("\n"))
}

/// At once: what comes after may end the process.
fn say(line: &str) {
    let _ = io::stdout().write_all(format!("{line}\n").as_bytes());
}
