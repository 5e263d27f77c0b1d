//! What was done, in numbers.

use std::collections::BTreeMap;
use std::fmt;

use crate::history::{History, Seen};
use crate::program::Program;

/// Numbers by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Programs that were run.
    pub(crate) programs: u64,

    /// Runs of them, each under its own schedule.
    pub(crate) runs: u64,

    /// Runs that were left out, because the model says that they would end the process.
    pub(crate) skipped: u64,

    /// Steps that were done, by what they do.
    done: BTreeMap<String, u64>,

    /// What came of them.
    seen: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts one run.
    pub(crate) fn add(&mut self, program: &Program, history: &History) {
        self.runs += 1;
        let mut names = vec![""; program.len() + 1];
        program.for_each(&mut |step| names[step.0] = step.1.name());
        for event in history
            .events
            .iter()
            .filter(|event| event.what != Seen::Began)
        {
            if event.step > 0 && event.what != Seen::Reported {
                *entry(&mut self.done, names[event.step]) += 1;
            }
            *entry(&mut self.seen, event.what.name()) += 1;
        }
        *entry(&mut self.seen, history.end.name()) += 1;
    }

    /// As lines for [`read`](Self::read).
    pub(crate) fn write(&self, mut line: impl FnMut(String)) {
        line(format!("programs {}", self.programs));
        line(format!("runs {}", self.runs));
        line(format!("skipped {}", self.skipped));
        for (name, count) in &self.done {
            line(format!("done {count} {name}"));
        }
        for (name, count) in &self.seen {
            line(format!("seen {count} {name}"));
        }
    }

    /// Adds what one such line says; false when it is none.
    pub(crate) fn read(&mut self, line: &str) -> bool {
        let mut words = line.splitn(3, ' ');
        let (kind, count, name) = (words.next(), words.next(), words.next().unwrap_or(""));
        let Some(count) = count.and_then(|count| count.parse::<u64>().ok()) else {
            return false;
        };
        match kind {
            Some("programs") => self.programs += count,
            Some("runs") => self.runs += count,
            Some("skipped") => self.skipped += count,
            Some("done") => *entry(&mut self.done, name) += count,
            Some("seen") => *entry(&mut self.seen, name) += count,
            _ => return false,
        }
        true
    }
}

fn entry<'a>(counts: &'a mut BTreeMap<String, u64>, name: &str) -> &'a mut u64 {
    if !counts.contains_key(name) {
        counts.insert(name.into(), 0);
    }
    counts.get_mut(name).expect("just put in")
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} programs, {} runs of them, {} left out because they would end the process",
            self.programs, self.runs, self.skipped
        )?;
        writeln!(f, "steps done: {}", Listed(&self.done))?;
        write!(f, "what came of them: {}", Listed(&self.seen))
    }
}

/// Names with their numbers.
struct Listed<'a>(&'a BTreeMap<String, u64>);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self
            .0
            .iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        f.write_str(&words.join(", "))
    }
}
