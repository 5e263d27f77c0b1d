//! When memory that nobody uses goes back: a little after it was used last.
//!
//! The loop asks now and then, when it has looked at the clock anyway or is about to sleep. What was not needed in a span of [`SPAN`] goes back at its end, so a burst's
//! memory is gone after two of them. A layer above that keeps memory of its own takes part through [`Keeper`].

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::Duration;

use super::pool::trim;

/// How long something must lie idle.
const SPAN: Duration = Duration::from_millis(200);

/// How much longer while there is always somebody in line, or stacks still come back: a burst that ends takes its time, and leaves whole slabs free only at its end, which go
/// for a tenth of what single stacks cost.
const WHILE_BUSY: Duration = Duration::from_secs(2);

/// What the loop does otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Load {
    /// It is about to sleep.
    Quiet,

    /// Somebody is in line.
    Busy,
}

thread_local! {
    /// The span that is under way on this OS thread.
    static SPAN_NOW: Cell<Option<Span>> = const { Cell::new(None) };
}

/// A time at whose end it is known what was not used in it.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// When to look next.
    ends: Duration,

    /// When it ends even if stacks still come back.
    at_last: Duration,

    /// How many stacks were in use at the last look.
    live: usize,
}

impl Span {
    fn begin(now: Duration, live: usize) -> Self {
        let ends = now + SPAN;
        let at_last = ends + WHILE_BUSY;
        Span {
            ends,
            at_last,
            live,
        }
    }

    /// It goes on while a burst is ending, if that does not take too long.
    fn continued(self, now: Duration, live: usize) -> Option<Self> {
        let ends = now + SPAN;
        let is_ending = trim::is_falling(self.live, live);
        (is_ending && now < self.at_last).then_some(Span { ends, live, ..self })
    }
}

/// What keeps memory besides the stacks.
static KEEPER: OnceLock<Keeper> = OnceLock::new();

/// Memory that is kept for another use, by each OS thread.
#[derive(Debug)]
pub(crate) struct Keeper {
    /// Whether this OS thread has more than it needs.
    pub(crate) has_idle: fn() -> bool,

    /// Begins a span of time.
    pub(crate) begin_span: fn(),

    /// Gives back what was not used since the span began; all that can be spared when told so.
    pub(crate) trim: fn(all: bool),
}

/// Lets something take part that keeps memory.
pub(crate) fn take_part(keeper: Keeper) {
    // A second OS thread sets the same functions again.
    let _ = KEEPER.set(keeper);
}

/// Whether there may be something to give back, now or later.
#[inline]
pub(crate) fn has_idle() -> bool {
    SPAN_NOW.get().is_some() || trim::was_used()
}

/// Gives back what has lain idle for long enough. `now` counts from any moment, always the same. Returns how long from now it wants to be called again, if at all.
pub(crate) fn look(now: Duration, load: Load) -> Option<Duration> {
    let late = match load {
        Load::Quiet => Duration::ZERO,
        Load::Busy => WHILE_BUSY,
    };
    if let Some(span) = SPAN_NOW.get() {
        if now < span.ends + late {
            return Some((span.ends + late) - now);
        }
        if let Some(span) = span.continued(now, trim::live()) {
            SPAN_NOW.set(Some(span));
            return Some(SPAN);
        }
        trim::trim_idle();
        if let Some(keeper) = KEEPER.get() {
            (keeper.trim)(false);
        }
    }
    begin_span(now)
}

fn begin_span(now: Duration) -> Option<Duration> {
    trim::begin_span();
    if let Some(keeper) = KEEPER.get() {
        (keeper.begin_span)();
    }
    let more = trim::has_idle() || KEEPER.get().is_some_and(|keeper| (keeper.has_idle)());
    SPAN_NOW.set(more.then(|| Span::begin(now, trim::live())));
    more.then_some(SPAN)
}

/// Gives back all that this OS thread can spare now.
pub(crate) fn release() {
    trim::trim_all();
    if let Some(keeper) = KEEPER.get() {
        (keeper.trim)(true);
    }
}

#[cfg(test)]
#[path = "idle_tests.rs"]
mod tests;
