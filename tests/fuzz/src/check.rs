//! Whether the library does what the model says, for one program.

use std::fmt;

use crate::history::{End, History};
use crate::program::Program;
use crate::tally::Tally;
use crate::{laws, model, run};

/// A run that is not as it must be.
pub(crate) struct Divergence {
    /// The schedule: the seed of a shuffled one.
    order: Option<u64>,

    /// What the library did.
    seen: History,

    /// What the model says.
    expected: History,

    /// What must never be, whatever the model says.
    faults: Vec<String>,
}

/// Runs the program under all its schedules, and returns the first run that is not as it must be.
pub(crate) fn check(program: &Program, tally: &mut Tally) -> Option<Divergence> {
    tally.programs += 1;
    program
        .orders()
        .find_map(|order| check_under(program, order, tally))
}

fn check_under(program: &Program, order: Option<u64>, tally: &mut Tally) -> Option<Divergence> {
    let expected = model::run(program, order);
    if expected.end == End::Abort {
        tally.skipped += 1;
        return None;
    }
    let leaves = expected.left + expected.open > 0;
    let outcome = if leaves || order.is_none() && program.selects() {
        run::run_apart(program, order)
    } else {
        run::run(program, order)
    };
    tally.add(program, &outcome.history);
    let mut faults = outcome.faults;
    faults.extend(laws::broken(program, &outcome.history));
    let agrees = outcome.history == expected && faults.is_empty();
    (!agrees).then_some(Divergence {
        order,
        seen: outcome.history,
        expected,
        faults,
    })
}

/// Both histories of a program, to be read.
pub(crate) fn show(program: &Program) {
    for order in program.orders() {
        let expected = model::run(program, order);
        println!("{}", Schedule(order));
        expected
            .events
            .iter()
            .for_each(|event| println!("  {event}"));
        println!("  {:?}", expected.end);
    }
}

/// Names a schedule.
struct Schedule(Option<u64>);

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => write!(f, "in the order of the line:"),
            Some(seed) => write!(f, "shuffled by {seed}:"),
        }
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", Schedule(self.order))?;
        for fault in &self.faults {
            writeln!(f, "  fault: {fault}")?;
        }
        let (seen, expected) = (&self.seen.events, &self.expected.events);
        let pairs = seen.iter().zip(expected);
        let same = pairs
            .take_while(|(seen, expected)| seen == expected)
            .count();
        for event in &seen[..same] {
            writeln!(f, "    both       {event}")?;
        }
        for event in &seen[same..] {
            writeln!(f, "    library    {event}")?;
        }
        for event in &expected[same..] {
            writeln!(f, "    model      {event}")?;
        }
        let (seen, expected) = (&self.seen, &self.expected);
        writeln!(
            f,
            "    library    {:?}, {} and {} left",
            seen.end, seen.left, seen.open
        )?;
        write!(
            f,
            "    model      {:?}, {} and {} left",
            expected.end, expected.left, expected.open
        )
    }
}
