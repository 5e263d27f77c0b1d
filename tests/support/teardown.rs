//! What a test must not leave behind on an OS thread: green threads, stacks, timers, sources. Whoever waits is a green thread, so this finds waiters too.
//!
//! It compares how the OS thread stood before with how it stands after. Who only needs his turn, or is being ended by another OS thread, is given both first.

use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::time::{Duration, Instant};

use greenthread::{Dump, current, dump, stats, yield_now};

/// How long what another OS thread is to end has for that.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Stacks of an event loop's own.
const OF_THE_LOOP: usize = 2;

thread_local! {
    /// What is left here on purpose.
    static ON_PURPOSE: Cell<Kept> = const { Cell::new(Kept::NOTHING) };
}

/// What this OS thread keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Green threads that have not ended.
    green_threads: usize,

    /// Stacks in use, without those of the event loop.
    stacks: usize,

    /// Timers that are set.
    timers: usize,

    /// Sources that the event loop watches.
    sources: usize,
}

impl Kept {
    const NOTHING: Kept = Kept {
        green_threads: 0,
        stacks: 0,
        timers: 0,
        sources: 0,
    };

    /// Now, here.
    pub(crate) fn here() -> Self {
        let stats = stats();
        let has_a_loop = stats.here.stacks > 0;
        let own = if has_a_loop { OF_THE_LOOP } else { 0 };
        Kept {
            green_threads: stats.here.alive,
            stacks: stats.stacks.live.saturating_sub(own),
            timers: stats.here.timers,
            sources: stats.here.sources,
        }
    }

    fn and(self, more: Kept) -> Self {
        Kept {
            green_threads: self.green_threads + more.green_threads,
            stacks: self.stacks + more.stacks,
            timers: self.timers + more.timers,
            sources: self.sources + more.sources,
        }
    }

    /// What there is more than there was `before`.
    fn more_than(self, before: Kept) -> Self {
        Kept {
            green_threads: self.green_threads.saturating_sub(before.green_threads),
            stacks: self.stacks.saturating_sub(before.stacks),
            timers: self.timers.saturating_sub(before.timers),
            sources: self.sources.saturating_sub(before.sources),
        }
    }
}

/// `1 green thread, 2 stacks`.
impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            (self.green_threads, "green thread"),
            (self.stacks, "stack"),
            (self.timers, "timer"),
            (self.sources, "source"),
        ];
        let mut comma = "";
        for (count, kind) in kinds.into_iter().filter(|(count, _)| *count > 0) {
            let plural = if count == 1 { "" } else { "s" };
            write!(f, "{comma}{count} {kind}{plural}")?;
            comma = ", ";
        }
        Ok(())
    }
}

/// Says that the test that calls leaves so many green threads on this OS thread on purpose, each with all that one may have: for the end of its run to end them, or for nobody.
pub(crate) fn leaves(green_threads: usize) {
    let kept = Kept {
        green_threads,
        stacks: green_threads,
        timers: green_threads,
        sources: green_threads,
    };
    ON_PURPOSE.set(ON_PURPOSE.get().and(kept));
}

/// The same of stacks alone: those of generators that are forgotten.
pub(crate) fn leaves_stacks(stacks: usize) {
    let kept = Kept {
        stacks,
        ..Kept::NOTHING
    };
    ON_PURPOSE.set(ON_PURPOSE.get().and(kept));
}

/// Runs `body`, then panics with the name of what it left behind on this OS thread, if it left anything. A panic of its own goes on as it is.
pub(crate) fn held<T>(body: impl FnOnce() -> T) -> T {
    held_for(PATIENCE, body)
}

/// The same, with as much time for what another OS thread is to end.
pub(crate) fn held_for<T>(patience: Duration, body: impl FnOnce() -> T) -> T {
    let outer = ON_PURPOSE.replace(Kept::NOTHING);
    let before = Kept::here();
    let value = body();
    if let Err(text) = nothing_more_than(before, patience) {
        panic!("{text}");
    }
    ON_PURPOSE.set(ON_PURPOSE.get().and(outer));
    value
}

/// Whether this OS thread keeps no more than `before`; else a sentence that says what, and who.
pub(crate) fn nothing_more_than(before: Kept, patience: Duration) -> Result<(), String> {
    let left = settled(before.and(ON_PURPOSE.get()), patience);
    if left == Kept::NOTHING {
        return Ok(());
    }
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("without a name");
    let mut text = format!("the test left behind on the OS thread {name}: {left}");
    if left.green_threads > 0 {
        name_them(&dump(), &mut text);
    }
    Err(text)
}

/// What is left when all who can go have gone.
fn settled(before: Kept, patience: Duration) -> Kept {
    let begin = Instant::now();
    loop {
        let left = Kept::here().more_than(before);
        let nobody_is_in_line = stats().here.ready == 0;
        let enough = nobody_is_in_line && begin.elapsed() >= patience;
        if left == Kept::NOTHING || enough || begin.elapsed() > patience + PATIENCE {
            return left;
        }
        yield_now();
        if nobody_is_in_line {
            // Only another OS thread can end something here now.
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Adds a line for each green thread of this OS thread but the one that asks.
fn name_them(dump: &Dump, text: &mut String) {
    let own = current().id();
    let here = dump.get(own).map(|seen| seen.os_thread);
    let others = dump.green_threads.iter();
    let others = others.filter(|seen| Some(seen.os_thread) == here && !seen.is_root);
    for seen in others.filter(|seen| seen.id != own) {
        let name = seen.name.as_deref().unwrap_or("without a name");
        let waits = seen.operation.unwrap_or("nothing");
        let _ = write!(
            text,
            "\n  green thread {} {name}, spawned at {}, {:?}, waits in {waits}",
            seen.id, seen.spawned_at, seen.state
        );
    }
}
