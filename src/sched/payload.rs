//! Raising a request: unwinding with a payload of our own (D5, L9, L10).
//!
//! A request stays on the green thread until it ends or `catch_cancel` consumes it: it is level-triggered. Raising it means `resume_unwind` with a
//! [`Payload`], so that no panic hook runs and nothing is printed.

use std::any::Any;
use std::panic;

use super::frame::Due;
use super::header::{Counted, Header};
use super::raises::BOUND;
use super::request::{Reason, Request};
use crate::base::atomic::Ordering;

/// What a wait point raises.
#[derive(Debug)]
pub(crate) struct Payload {
    /// Which request it carries.
    what: What,

    /// Where it was raised. Its count of payloads tells whether a request unwinds there; atomic, because a caught payload may be dropped anywhere.
    raised_in: Counted,
}

/// Which request a payload carries.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// The cancellation of the green thread.
    Cancelled(Option<Reason>),

    /// The deadline of the timeout with this number.
    Timeout(u64),

    /// The failure of the scope whose frame has this number.
    Scope(u64),
}

impl What {
    /// What raises this in the running chain of `header`.
    pub(crate) fn of(due: Due, header: &Header) -> Self {
        match due {
            Due::Cancel => What::Cancelled(pending_reason(header)),
            Due::Timeout(frame) => What::Timeout(frame),
            Due::Scope(frame) => What::Scope(frame),
        }
    }

    /// Why, if whoever asked said so; the passing of a deadline and the failure of a scope are reasons too.
    pub(crate) fn reason(&self) -> Option<Reason> {
        match self {
            What::Cancelled(reason) => reason.clone(),
            What::Timeout(_) => Request::elapsed().reason,
            What::Scope(_) => Request::scope_failed().reason,
        }
    }

    /// The request that this was raised for in `header`: what a scope passes on to its children.
    pub(crate) fn request(&self, header: &Header) -> Request {
        match self {
            What::Cancelled(reason) => Request {
                reason: reason.clone(),
                forced: header.finish().lock().is_forced(),
            },
            What::Timeout(_) => Request::elapsed(),
            What::Scope(_) => Request::scope_failed(),
        }
    }

    /// Tells requests of one green thread apart, by the low bits of the frame's number.
    fn number(&self) -> usize {
        match self {
            What::Cancelled(_) => 0,
            What::Timeout(frame) | What::Scope(frame) => *frame as usize,
        }
    }

    /// As a report calls it.
    fn name(&self) -> &'static str {
        match self {
            What::Cancelled(_) => "its cancellation",
            What::Timeout(_) => "the deadline of a timeout around it",
            What::Scope(_) => "the failure of the scope around it",
        }
    }
}

impl Payload {
    fn new(what: What, header: &Header) -> Self {
        header.payloads().fetch_add(1, Ordering::Relaxed);
        Payload {
            what,
            raised_in: header.count(),
        }
    }

    pub(crate) fn what(&self) -> &What {
        &self.what
    }

    /// Where it was raised.
    pub(crate) fn raised_in(&self) -> &Header {
        &self.raised_in
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.raised_in.payloads().fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sorts what was caught: ours, or somebody's panic.
pub(crate) fn sort(caught: Box<dyn Any + Send>) -> Result<Box<Payload>, Box<dyn Any + Send>> {
    caught.downcast::<Payload>()
}

/// Raises what is due in the running green thread or root.
#[cold]
pub(crate) fn raise(header: &Header, due: Due) -> ! {
    let what = What::of(due, header);
    if header.raises().count(what.number()) {
        report_swallower(header, what.name());
    }
    panic::resume_unwind(Box::new(Payload::new(what, header)))
}

/// Says that somebody catches a request again and again, and keeps waiting (L9).
#[cold]
fn report_swallower(header: &Header, what: &str) {
    let name = header.name().unwrap_or("unnamed");
    let (id, site) = (header.id(), header.site());
    eprintln!(
        "greenthread: green thread \"{name}\" (id {id}, spawned at {site}) has swallowed {what} {BOUND} times, and waits again: what \
         `catch_unwind` catches can be passed on with `greenthread::resume_if_cancelled`"
    );
}

/// Ends the running green thread as if it had been cancelled.
pub(crate) fn raise_cancellation(header: &Header, reason: Option<Reason>) -> ! {
    panic::resume_unwind(Box::new(Payload::new(What::Cancelled(reason), header)))
}

/// Why it is to end, if it was told.
pub(crate) fn pending_reason(header: &Header) -> Option<Reason> {
    let finish = header.finish().lock();
    finish
        .request
        .as_ref()
        .and_then(|request| request.reason.clone())
}

/// Takes a request back that a `catch_cancel` has caught. False when it can not be consumed.
pub(crate) fn consume(header: &Header) -> bool {
    let mut finish = header.finish().lock();
    if finish.is_forced() {
        return false;
    }
    let consumed = finish.request.take();
    header.raises().forget();
    header.set_requested(false);
    drop(finish);
    drop(consumed);
    true
}

/// Puts a consumed request back, as if it had never been caught.
pub(crate) fn restore(header: &Header, reason: Option<Reason>) {
    let mut finish = header.finish().lock();
    if finish.request.is_none() && !header.has_ended() {
        finish.request = Some(Request {
            reason,
            forced: false,
        });
        header.set_requested(true);
    }
}
