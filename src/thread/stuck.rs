//! Those whom nobody can wake any more, told at the end of a `run`.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::current::yield_now;
use super::shield::shield;
use crate::sched::scheduler::Scheduler;

/// How many turns those who are ready have before it is asked who is stuck.
const TURNS: usize = 64;

/// Writes to stderr who is stuck, if anybody is.
pub(super) fn report(scheduler: &Scheduler) {
    // What the body has woken last goes on first.
    shield(|| (0..TURNS).for_each(|_| yield_now()));
    let stuck = scheduler.stuck();
    if stuck.is_empty() {
        return;
    }
    let whom = match stuck.len() {
        1 => String::from("1 green thread"),
        several => format!("{several} green threads"),
    };
    let mut out = format!("greenthread: at the end of `run`, nobody can wake {whom} any more:\n");
    for sight in &stuck {
        // Writing to a string does not fail.
        let _ = writeln!(out, "  {sight}");
    }
    // Nobody may listen.
    let _ = io::stderr().lock().write_all(out.as_bytes());
}
