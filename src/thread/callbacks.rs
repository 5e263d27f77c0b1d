//! What runs at the end of a green thread before its joiners go on.

#![expect(unsafe_code, reason = "reads the typed result behind a header")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::outcome::{Outcome, drop_quietly};
use super::report;
use crate::sched::finish::{Callback, Finish, Next, release};
use crate::sched::frame::{Frame, Kind};
use crate::sched::header::{Counted, Header, state};
use crate::sched::scheduler::Scheduler;

/// Names a callback, so that it can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallbackId(pub(super) u64);

/// The result stands: from here on requests are refused (H3), callbacks run, and at last the joiners go on.
#[inline]
pub(super) fn end<T>(header: &Header) {
    let mut finish = header.finish().lock();
    header.set_state(state::ENDED);
    if let Some(request) = finish.request.take() {
        // Its reason is of the user's type: dropped outside of the lock, and before anybody goes on.
        drop(finish);
        header.set_requested(false);
        drop_quietly(header, request);
        finish = header.finish().lock();
    }
    let next = go_on(header, &mut finish);
    drop(finish);
    follow::<T>(header, next);
}

/// Runs the callbacks that were added late, and lets the joiners go on.
pub(super) fn bring_over<T>(header: &Header) {
    let next = go_on(header, &mut header.finish().lock());
    follow::<T>(header, next);
}

/// What to do next; the state follows under the same lock.
#[inline]
fn go_on(header: &Header, finish: &mut Finish) -> Next {
    let next = finish.next();
    if matches!(next, Next::Over { .. }) {
        header.set_state(state::OVER);
    }
    next
}

/// Runs callbacks, drops a result that nobody will claim, and lets the joiners go on.
#[inline]
fn follow<T>(header: &Header, mut next: Next) {
    loop {
        match next {
            Next::Call(callback) => call(header, callback),
            // SAFETY: B2 of `outcome`: until it is over the result is ours, and this is said once.
            Next::DropResult => unsafe { drop_result::<T>(header) },
            Next::Over { more: false, .. } => return,
            Next::Over { _first, .. } => {
                // The one who came first is told first (D8).
                drop(_first);
                return release(header.finish());
            }
        }
        next = go_on(header, &mut header.finish().lock());
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
