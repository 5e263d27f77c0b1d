//! Panic payloads that nobody can receive, and other things that can only be told to stderr.

use std::any::Any;
use std::io::{self, Write};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a panic carries.
pub(super) type Payload = Box<dyn Any + Send>;

/// Drops a payload that nobody can receive. A second panic from its `Drop` leaks the second payload and is reported (L18).
pub(super) fn discard(payload: Payload) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(second);
        report("the drop of a panic's payload panicked in turn; the second payload is leaked");
    }
}

/// Tells stderr. One that is closed must not make things worse.
#[cold]
pub(super) fn report(text: &str) {
    let _ = writeln!(io::stderr(), "greenthread: {text}");
}

/// Ends the process, because going on would leave a generator with dangling borrows.
#[cold]
pub(super) fn abort(text: &str) -> ! {
    report(text);
    std::process::abort()
}
