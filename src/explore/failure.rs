//! A schedule that failed: its seed, why, and what happened in it.

use std::error::Error;
use std::fmt;
use std::thread;

use super::schedule::Payload;
use super::seeds;
use crate::thread::join_error::message;
use crate::trace::Timeline;

/// Rows of the timeline in a report: the last ones.
const ROWS: usize = 60;

/// A schedule that failed; displayed, it is the report that [`explore()`](crate::explore()) writes.
pub struct Failure {
    /// Makes the schedule.
    seed: u64,

    /// How many schedules had been run then, this one included.
    nth: u64,

    /// What it panicked with.
    payload: Payload,

    /// What happened.
    timeline: Timeline,

    /// Whether it failed again.
    is_repeatable: bool,
}

impl Failure {
    /// One of which `timeline` is the drawing.
    pub(super) fn new(seed: u64, nth: u64, payload: Payload, timeline: Timeline) -> Self {
        Failure {
            seed,
            nth,
            payload,
            timeline,
            is_repeatable: true,
        }
    }

    /// One that did not fail again when it was drawn.
    pub(super) fn once(seed: u64, nth: u64, payload: Payload, timeline: Timeline) -> Self {
        Failure {
            is_repeatable: false,
            ..Failure::new(seed, nth, payload, timeline)
        }
    }

    /// Returns the seed that makes the schedule again.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns what the panic said, or the report of the deadlock.
    pub fn message(&self) -> &str {
        message(&*self.payload)
    }

    /// Returns what happened, until the closure ended; green threads without a name are numbered from 1.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Returns whether the schedule failed again when it was run a second time, to be drawn.
    ///
    /// If not, something decides that no seed chooses: real time, another OS thread, the order of a `HashMap`, or what an earlier schedule has left.
    pub fn is_repeatable(&self) -> bool {
        self.is_repeatable
    }

    /// Returns what it panicked with.
    pub fn into_panic(self) -> Box<dyn std::any::Any + Send> {
        self.payload
    }

    /// How to run this schedule alone.
    fn write_command(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (variable, seed) = (seeds::VARIABLE, self.seed);
        let thread = thread::current();
        match thread.name().filter(|name| *name != "main") {
            // The test harness names the OS thread after the test.
            Some(test) => write!(f, "{variable}={seed} cargo test {test}"),
            None => write!(f, "{variable}={seed}"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seed, nth, message) = (self.seed, self.nth, self.message());
        writeln!(
            f,
            "greenthread: schedule {nth}, of seed {seed}, failed: {message}"
        )?;
        let numbers = self.timeline.own_numbers_in(message);
        if self.is_repeatable && !numbers.is_empty() {
            writeln!(f, "({numbers})")?;
        }
        writeln!(f, "\n{}", self.timeline.to_text_of_last(ROWS))?;
        if self.is_repeatable {
            f.write_str("The same seed makes the same schedule: ")?;
            return self.write_command(f);
        }
        f.write_str(
            "It did not fail a second time, which is what is drawn: something decides that no seed chooses, such as real time, another OS thread, the order of a \
             HashMap, or what an earlier schedule has left.",
        )
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("seed", &self.seed)
            .field("message", &self.message())
            .field("is_repeatable", &self.is_repeatable)
            .finish_non_exhaustive()
    }
}

impl Error for Failure {}
