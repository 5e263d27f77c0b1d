//! Requests: asked for by anybody, raised at the target's wait points by unwinding (D5, L9, L10).
//!
//! A request stays on the green thread until it ends or `catch_cancel` consumes it: it is level-triggered. Raising it means `resume_unwind` with a
//! [`Payload`], so that no panic hook runs and nothing is printed.

use std::any::Any;
use std::error::Error;
use std::panic;
use std::sync::Arc;

use super::frame::Due;
use super::header::{Counted, Header, mail};
use super::scheduler::Scheduler;
use crate::base::atomic::Ordering;

/// Why somebody asked.
pub(crate) type Reason = Arc<dyn Error + Send + Sync>;

/// A cancellation that has been asked for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Why; the first one wins.
    pub(crate) reason: Option<Reason>,

    /// Whether it can not be consumed: by the end of `run`, by a shutdown, by a failing scope.
    pub(crate) forced: bool,
}

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

    /// That of the frame with this number: its deadline, or the failure of its scope.
    Frame(u64),
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
    let what = match due {
        Due::Frame(frame) => What::Frame(frame),
        Due::Cancel => What::Cancelled(pending_reason(header)),
    };
    panic::resume_unwind(Box::new(Payload::new(what, header)))
}

/// Ends the running green thread as if it had been cancelled.
pub(crate) fn raise_cancellation(reason: Option<Reason>) -> ! {
    let header = Scheduler::get().current_header();
    panic::resume_unwind(Box::new(Payload::new(What::Cancelled(reason), header)))
}

/// Why it is to end, if it was told.
pub(crate) fn pending_reason(header: &Header) -> Option<Reason> {
    let request = header.request().lock();
    request.as_ref().and_then(|request| request.reason.clone())
}

/// Asks the green thread to end. False when it has ended already. From any OS thread.
pub(crate) fn cancel(header: &Header, request: Request) -> bool {
    // What the first request makes superfluous is dropped after the lock was given back: its reason is of the user's type.
    let accepted = match accept(header, request) {
        Ok(accepted) => accepted,
        Err(superfluous) => {
            drop(superfluous);
            true
        }
    };
    accepted && announce(header)
}

/// Puts the request where wait points look; what is not needed comes back.
fn accept(header: &Header, request: Request) -> Result<bool, Request> {
    let mut pending = header.request().lock();
    if header.is_over() {
        drop(pending);
        drop(request);
        return Ok(false);
    }
    match &mut *pending {
        Some(first) => {
            first.forced |= request.forced;
            Err(request)
        }
        None => {
            *pending = Some(request);
            header.set_requested(true);
            Ok(true)
        }
    }
}

/// Ends the wait of the target, if it stands in one that can be ended.
fn announce(header: &Header) -> bool {
    match Scheduler::of(header) {
        Some(scheduler) => {
            scheduler.deliver_cancellation(header);
            true
        }
        None => header.post(mail::REQUEST).is_ok(),
    }
}

/// Takes a request back that a `catch_cancel` has caught. False when it can not be consumed.
pub(crate) fn consume(header: &Header) -> bool {
    let mut pending = header.request().lock();
    if pending.as_ref().is_some_and(|request| request.forced) {
        return false;
    }
    let consumed = pending.take();
    header.set_requested(false);
    drop(pending);
    drop(consumed);
    true
}

/// Puts a consumed request back, as if it had never been caught.
pub(crate) fn restore(header: &Header, reason: Option<Reason>) {
    let mut pending = header.request().lock();
    if pending.is_none() && !header.is_over() {
        *pending = Some(Request {
            reason,
            forced: false,
        });
        header.set_requested(true);
    }
}
