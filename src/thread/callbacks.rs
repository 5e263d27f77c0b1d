//! What runs at the end of a green thread before its joiners go on.

#![expect(unsafe_code, reason = "reads the typed result behind a header")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::outcome::{Outcome, drop_quietly};
use super::report;
use crate::sched::finish::{Callback, Next};
use crate::sched::frame::{Frame, Kind};
use crate::sched::header::{Counted, Header};
use crate::sched::scheduler::Scheduler;

/// Names a callback, so that it can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallbackId(pub(super) u64);

/// Runs the callbacks that are left, drops a result that nobody will claim, and lets the joiners go on.
#[inline]
pub(super) fn bring_over<T>(header: &Header) {
    loop {
        let next = header.finish().lock().next();
        match next {
            Next::Call(callback) => call(header, callback),
            // SAFETY: B2 of `outcome`: until it is over the result is ours, and this is said once.
            Next::DropResult => unsafe { drop_result::<T>(header) },
            Next::Over => break,
        }
    }
    loop {
        let wake = header.finish().lock().wake();
        if wake.is_none() {
            return;
        }
    }
}

#[cold]
fn call(header: &Header, callback: Callback) {
    let shielded = || {
        Frame::enter(Scheduler::get().deadlines(), Kind::Shield, |_| {
            callback(header.peer())
        })
    };
    if let Err(payload) = catch_unwind(AssertUnwindSafe(shielded)) {
        report::callback(header, payload);
    }
}

/// # Safety
/// The result is the caller's to drop.
unsafe fn drop_result<T>(header: &Header) {
    // SAFETY: the caller's duty.
    let result = unsafe { Outcome::<T>::of(header).take() };
    report::unjoined(header, &result);
    drop_quietly(header, result);
}

/// Adds a callback, from any OS thread.
pub(super) fn add(header: &Counted, callback: Callback) -> CallbackId {
    let id = crate::sched::ids::next();
    let late = header.finish().lock().add(id, callback);
    if late {
        (header.vtable().late)(header);
    }
    CallbackId(id)
}

/// Takes a callback back; false when it was called already, or never added.
pub(super) fn remove(header: &Header, id: CallbackId) -> bool {
    let removed = header.finish().lock().remove(id.0);
    removed.is_some()
}
