//! One process of many: runs the programs that it is told, and says what comes of each, so that its parent knows which one ended it.

use std::io::{self, Write as _};

use crate::check::check;
use crate::generate;
use crate::tally::Tally;

/// Runs the programs of these seeds, up to one with which something is wrong: what that leaves behind may disturb others.
pub(crate) fn work(first: u64, end: u64) {
    let mut tally = Tally::default();
    for seed in first..end {
        say(&format!("seed {seed}"));
        if let Some(divergence) = check(&generate::program(seed), &mut tally) {
            say(&format!("diverged {seed}"));
            // For whoever runs a worker by hand: its parent does not listen there.
            eprintln!("{divergence}");
            break;
        }
    }
    tally.write(|line| say(&line));
}

/// At once: what comes after may end the process.
fn say(line: &str) {
    let _ = io::stdout().write_all(format!("{line}\n").as_bytes());
}
