//! Failures that nobody asks about are said once (L13, L18).

use std::any::Any;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::join_error::{JoinError, message};
use crate::sched::header::{Counted, Header};
use crate::sched::scheduler::Scheduler;

/// Somebody panicked or found no stack, and nobody joins.
#[inline]
pub(super) fn unjoined<T>(header: &Header, result: &Result<T, JoinError>) {
    if let Err(error) = result {
        unjoined_error(&header.count(), error);
    }
}

#[cold]
fn unjoined_error(header: &Counted, error: &JoinError) {
    if error.is_panic() {
        error.with_panic(|payload| panicked(header, payload));
    } else if error.is_refused() {
        say(
            header,
            &format!("did not run, and nobody joined it: {error}"),
        );
    }
}

/// A panic that nobody joins: to `on_panic`, else to stderr.
pub(crate) fn panicked(header: &Counted, payload: &(dyn Any + Send)) {
    // In a thread-local's destructor the scheduler may have gone.
    let hook = Scheduler::if_made().and_then(|here| here.hooks().on_panic.borrow().clone());
    match hook {
        Some(hook) => {
            if let Err(second) = catch_unwind(AssertUnwindSafe(|| hook(header, payload))) {
                say(header, "made the `on_panic` function panic");
                std::mem::forget(second);
            }
        }
        None => say(
            header,
            &format!("panicked and nobody joined it: {}", message(payload)),
        ),
    }
}

/// The running green thread caught a panic that nobody will hear of otherwise, and goes on.
#[cold]
pub(crate) fn caught(payload: Box<dyn Any + Send>) {
    let header = Scheduler::get().current_header().count();
    panicked(&header, &*payload);
    forget_quietly(&header, payload);
}

/// A callback panicked.
#[cold]
pub(super) fn callback(header: &Header, payload: Box<dyn Any + Send>) {
    say(
        header,
        &format!("has a callback that panicked: {}", message(&*payload)),
    );
    forget_quietly(header, payload);
}

/// A value panicked while it was dropped.
#[cold]
pub(super) fn dropped(header: &Header, payload: Box<dyn Any + Send>) {
    say(
        header,
        &format!(
            "left a value that panicked in its `Drop`: {}",
            message(&*payload)
        ),
    );
    forget_quietly(header, payload);
}

/// Drops a payload; one whose own `Drop` panics has its second payload leaked (L18).
pub(super) fn forget_quietly(header: &Header, payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        say(header, "left a panic payload that panicked in its `Drop`");
        std::mem::forget(second);
    }
}

fn say(header: &Header, what: &str) {
    let name = header.name().unwrap_or("unnamed");
    let (id, site) = (header.id(), header.site());
    // `eprintln` would panic when nobody can be told.
    let _ = writeln!(
        io::stderr(),
        "greenthread: green thread \"{name}\" (id {id}, spawned at {site}) {what}"
    );
}
