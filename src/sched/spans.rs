//! `tracing` spans that stay right across switches (feature `tracing`): who switches away leaves the spans that it has entered, and enters them again when it is back.
//!
//! A subscriber keeps the entered spans of each OS thread as a stack. Without this, the next green thread would begin inside the spans of the one before, and leave them in another order. What is
//! left is kept on the parked stack, so that nothing has to be found again. The subscriber is called on the stack of whoever switches, not on the loop (L18).
//!
//! A subscriber that waits through this crate while it is told would park in the middle of parking: the process aborts then, and says why. One that panics there is not told again.

use std::cell::Cell;
use std::io::{self, Write as _};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::Span;

/// The most spans that are left and entered again.
const DEEPEST: usize = 256;

thread_local! {
    /// Whether the subscriber is being told.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}

/// Spans that were left, the innermost first.
#[derive(Debug)]
#[must_use = "they are entered again by `enter`"]
pub(super) struct Left(Vec<Span>);

/// Leaves every span that this OS thread is in.
#[inline]
pub(super) fn leave() -> Left {
    if TELLING.get() {
        abort();
    }
    let mut left = Left(Vec::new());
    tell(|| left.leave_all());
    left
}

/// Enters again what was left.
#[inline]
pub(super) fn enter(left: Left) {
    if !left.0.is_empty() {
        tell(move || left.enter_all());
    }
}

/// Leaves every span for good, at the end of a green thread.
pub(super) fn end() {
    let left = leave();
    tell(move || drop(left));
}

impl Left {
    fn leave_all(&mut self) {
        while self.0.len() < DEEPEST {
            let span = Span::current();
            if span.is_none() {
                return;
            }
            span.with_subscriber(|(id, dispatch)| dispatch.exit(id));
            self.0.push(span);
        }
    }

    fn enter_all(self) {
        for span in self.0.iter().rev() {
            span.with_subscriber(|(id, dispatch)| dispatch.enter(id));
        }
    }
}

/// Runs `f`, which calls the subscriber. Does not unwind: nodes are linked.
fn tell(f: impl FnOnce()) {
    TELLING.set(true);
    if let Err(panic) = catch_unwind(AssertUnwindSafe(f)) {
        mem::forget(panic);
    }
    TELLING.set(false);
}

#[cold]
fn abort() -> ! {
    // `eprintln` would panic when nobody can be told.
    let _ = writeln!(
        io::stderr(),
        "greenthread: the `tracing` subscriber waits through greenthread while it is told of a switch"
    );
    std::process::abort()
}
