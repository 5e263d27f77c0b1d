//! What is seen of one green thread or root; `look` sees it.

use std::fmt;
use std::ops::Range;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::wait::Sought;
use crate::stack::backtrace::Backtrace;

/// What a green thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its closure has not begun.
    NotStarted,

    /// It stands in line.
    Ready,

    /// It waits.
    Parked,

    /// It has asked for all this.
    Running,
}

/// How far its cancellation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Nobody has asked for its end.
    No,

    /// Somebody has, and nothing has been raised.
    Pending,

    /// A request unwinds it, or was caught and kept.
    Raised,
}

/// What is seen of one.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    /// Its number.
    pub(crate) id: u64,

    /// Its name.
    pub(crate) name: Option<Arc<str>>,

    /// Where it was spawned.
    pub(crate) site: &'static Location<'static>,

    /// Whether it is an OS thread's own stack.
    pub(crate) is_root: bool,

    /// What it does.
    pub(crate) standing: Standing,

    /// What it waits in.
    pub(crate) operation: Option<&'static str>,

    /// What it waits for.
    pub(crate) sought: Sought,

    /// For how long, by the clock of its OS thread.
    pub(crate) waited: Option<Duration>,

    /// Whether somebody wants its end.
    pub(crate) asked: Asked,

    /// Bytes of its stack; zero before it has one, and for a root.
    pub(crate) stack_size: usize,

    /// How many of them are in use; zero when that is not known.
    pub(crate) stack_used: usize,

    /// The addresses of its own stack.
    pub(crate) stack: Range<usize>,

    /// Those of the generators that it drives, and of what `grow` gave.
    pub(crate) more_stacks: Vec<Range<usize>>,

    /// Where its joiners stand in line, by address.
    pub(crate) end: usize,

    /// Where one stands who waits for it among others, by address; zero for nowhere.
    pub(crate) tally: usize,

    /// Where it stands, innermost first; empty when that was not asked for, or is not known.
    pub(crate) trace: Box<[usize]>,

    /// Whether the outer end of the trace is missing.
    pub(crate) is_cut: bool,
}

impl Sight {
    /// Adds where it stands.
    pub(super) fn add_trace(&mut self, trace: &Backtrace) {
        self.trace = trace.addresses().into();
        self.is_cut = trace.is_cut();
        if self.stack.contains(&trace.lowest_on_base()) {
            self.stack_used = self.stack.end - trace.lowest_on_base();
        }
    }

    /// What to call it.
    pub(crate) fn label(&self) -> impl fmt::Display {
        let kind = if self.is_root { "root" } else { "green thread" };
        let name = self.name.as_deref().unwrap_or("unnamed");
        format!("{kind} {} \"{name}\"", self.id)
    }
}

/// A line of a report: who it is, what it does, and where it was spawned.
impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.label())?;
        match (self.standing, self.operation) {
            (Standing::NotStarted, _) => write!(f, "has not begun")?,
            (Standing::Running, _) => write!(f, "runs")?,
            (_, Some(operation)) => write!(f, "waits in {operation}")?,
            (_, None) => write!(f, "is ready")?,
        }
        // Nobody spawned the root.
        if !self.is_root {
            write!(f, ", spawned at {}", self.site)?;
        }
        if self.sought.object != 0 {
            write!(f, " (for {:#x})", self.sought.object)?;
        }
        Ok(())
    }
}
