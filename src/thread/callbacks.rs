//! What runs at the end of a green thread before its joiners go on.

#![expect(unsafe_code, reason = "reads the typed result behind a header")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::outcome::{Outcome, drop_quietly};
use super::report;
use crate::sched::finish::{Callback, Finish, Next};
use crate::sched::frame::{Frame, Kind};
use crate::sched::header::{Counted, Header, state};
use crate::sched::scheduler::Scheduler;

/// Names a callback, so that it can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallbackId(pub(super) u64);

/// The result stands: from here on requests are refused (H3), callbacks run, and at last the joiners go on.
#[inline(always)]
pub(super) fn end<T>(header: &Header) {
    let mut finish = header.finish().lock();
    if !finish.is_plain() {
        drop(finish);
        return end_with_more::<T>(header);
    }
    header.set_state(state::OVER);
    let told = finish.end();
    drop(finish);
    told.tell(header.finish());
}

/// The same where there is more to do than to tell the joiners.
#[cold]
fn end_with_more<T>(header: &Header) {
    let mut finish = header.finish().lock();
    header.set_state(state::ENDED);
    let request = finish.request.take();
    drop(finish);
    if let Some(request) = request {
        // Its reason is of the user's type: dropped outside of the lock, and before anybody goes on.
        header.set_requested(false);
        drop_quietly(header, request);
    }
    bring_over::<T>(header);
}

/// Runs the callbacks that are left, drops a result that nobody will claim, and lets the joiners go on.
pub(super) fn bring_over<T>(header: &Header) {
    loop {
        let next = go_on(header, &mut header.finish().lock());
        match next {
            Next::Call(callback) => call(header, callback),
            // SAFETY: B2 of `outcome`: until it is over the result is ours, and this is said once.
            Next::DropResult => unsafe { drop_result::<T>(header) },
            Next::Over(told) => return told.tell(header.finish()),
        }
    }
}

/// What to do next; the state follows under the same lock.
fn go_on(header: &Header, finish: &mut Finish) -> Next {
    let next = finish.next();
    if matches!(next, Next::Over(_)) {
        header.set_state(state::OVER);
    }
    next
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
    // SAFETY: the vtable that leads here was made for this result type.
    let outcome = unsafe { Outcome::<T>::of(header) };
    // SAFETY: the caller's duty.
    let result = unsafe { outcome.take() };
    report::unjoined(header, &result);
    drop_quietly(header, result);
}

/// Adds a callback, from any OS thread.
pub(super) fn add(header: &Counted, callback: Callback) -> CallbackId {
    let id = crate::sched::ids::next();
    let mut finish = header.finish().lock();
    let late = finish.add(id, callback);
    if late && header.state() == state::OVER {
        header.set_state(state::ENDED);
    }
    drop(finish);
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
