//! `park` and `unpark`: one token, kept on the OS thread of its green thread.
//!
//! An `unpark` from another OS thread is a message: the token and the wait are touched here alone, so it needs no lock.

#![expect(
    unsafe_code,
    reason = "reads the part of a header that belongs to this OS thread"
)]

use super::clock::Deadline;
use super::header::Header;
use super::park::{Outcome, park_alone};
use super::peer::mail;
use super::scheduler::Scheduler;
use super::wait::{Operation, Wait};

/// The one operation that `unpark` ends.
static PARK: Operation = Operation::new("park");

/// Takes the token of the running green thread, or parks until somebody gives it, at most until `deadline`.
pub(crate) fn park(deadline: Option<Deadline>) -> Outcome {
    let scheduler = Scheduler::get();
    // SAFETY: H2: the current one belongs to this OS thread.
    let token = &unsafe { scheduler.current_header().local() }.token;
    if token.replace(false) {
        return Outcome::Granted;
    }
    park_alone(&PARK, deadline, || token.set(true))
}

/// Whether it is a wait that only `unpark` ends.
pub(super) fn is_park(wait: &Wait) -> bool {
    std::ptr::eq(wait.operation(), &PARK)
}

/// Takes the token of the running green thread or root away, if it has one.
pub(crate) fn forget() {
    // SAFETY: H2: the current one belongs to this OS thread.
    unsafe { Scheduler::get().current_header().local() }
        .token
        .set(false);
}

/// Gives `header` its token, from any OS thread.
pub(crate) fn unpark(header: &Header) {
    match Scheduler::of(header) {
        Some(scheduler) => scheduler.unpark(header),
        // When its OS thread has gone there is nobody to wake.
        None => {
            header.post(mail::UNPARK);
        }
    }
}

impl Scheduler {
    /// Ends the `park` of `header`, which belongs here, or leaves it the token.
    pub(super) fn unpark(&self, header: &Header) {
        let parked = self
            .wait_of(header)
            .is_some_and(|wait| is_park(wait) && wait.grant_here());
        if !parked {
            // SAFETY: H2: it belongs to this OS thread.
            unsafe { header.local() }.token.set(true);
        }
    }
}
