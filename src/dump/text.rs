//! A dump as Go writes one.

use std::fmt;

use super::seen::{Cancel, Dump, OsThread, Running, Seen, State};
use crate::symbols::text;

/// One paragraph for each: who and what in the first line, then the backtrace, innermost first, then where it was spawned.
impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} green threads and roots on {} OS threads",
            self.green_threads.len(),
            self.os_threads.len()
        )?;
        for thread in self.os_threads.iter().filter(|thread| !thread.answered) {
            write!(f, "\n{thread}")?;
        }
        for circle in &self.circles {
            write!(f, "\na circle, each waits for the next:")?;
            circle.iter().try_for_each(|id| write!(f, " {id}"))?;
            writeln!(f)?;
        }
        self.green_threads
            .iter()
            .try_for_each(|seen| write!(f, "\n{seen}"))
    }
}

impl fmt::Display for OsThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OS thread {}", self.number)?;
        if let Some(name) = &self.name {
            write!(f, " {name:?}")?;
        }
        let text = if self.answered {
            ""
        } else {
            " [running: it reached no wait point in time; its green threads are not listed]"
        };
        writeln!(f, "{text}")?;
        match &self.running {
            Some(running) => write!(f, "{running}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} [running]:", self.label)?;
        text::show(self.frames(), f)?;
        writeln!(f, "spawned at {}", self.spawned_at)
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_root { "root" } else { "green thread" };
        write!(f, "{kind} {}", self.id)?;
        if let Some(name) = &self.name {
            write!(f, " {name:?}")?;
        }
        self.bracket(f)?;
        self.object(f)?;
        text::show(self.frames(), f)?;
        if self.is_cut {
            writeln!(f, "... (further frames are not shown)")?;
        }
        if !self.is_root {
            writeln!(f, "spawned at {}", self.spawned_at)?;
        }
        Ok(())
    }
}

impl Seen {
    /// What it does, for how long, on which OS thread.
    fn bracket(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::NotStarted => "not started",
            State::Ready => "ready",
            State::Running => "running",
            State::Parked => self.operation.unwrap_or("parked"),
        };
        write!(f, " [{state}")?;
        if let Some(waited) = self.waited.filter(|waited| !waited.is_zero()) {
            write!(f, ", {waited:.1?}")?;
        }
        match self.cancel {
            Cancel::No => {}
            Cancel::Pending => write!(f, ", cancellation pending")?,
            Cancel::Raised => write!(f, ", being cancelled")?,
        }
        if let Some(used) = self.stack_used {
            write!(f, ", {used} of {} bytes of stack", self.stack_size)?;
        }
        writeln!(f, ", OS thread {}]:", self.os_thread)
    }

    /// What it waits for.
    fn object(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.objects.is_empty() {
            return Ok(());
        }
        write!(f, "waits for")?;
        for object in &self.objects {
            write!(f, " {object:#x}")?;
        }
        let lead = if self.waits_for.is_empty() {
            ""
        } else {
            ", that is for"
        };
        write!(f, "{lead}")?;
        self.waits_for
            .iter()
            .try_for_each(|id| write!(f, " {id}"))?;
        writeln!(f)
    }
}
