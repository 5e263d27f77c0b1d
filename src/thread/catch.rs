//! The one way to consume a request (L9).

#![expect(unsafe_code, reason = "looks for a frame of the running chain")]

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::sched::frame;
use crate::sched::payload::{self, Payload, What};
use crate::sched::scheduler::Scheduler;
use crate::stack::chain;

/// Runs `f`; a cancellation or an outer timeout that is delivered inside ends here and is consumed.
///
/// What asyncio writes as `except CancelledError`. A request by the end of [`run`](crate::run), by a shutdown or by a failing scope is caught too, but not
/// consumed: the next wait point raises it again. Panics pass through.
///
/// # Errors
/// [`Cancelled`] when a request was delivered inside `f`.
///
/// # Examples
/// ```
/// let stubborn = greenthread::spawn(|| {
///     let caught = greenthread::catch_cancel(greenthread::park);
///     caught.unwrap_err().reason().map(|reason| reason.to_string())
/// });
/// greenthread::yield_now();
/// stubborn.cancel_with("closing time");
/// assert_eq!(stubborn.join().unwrap().as_deref(), Some("closing time"));
/// ```
pub fn catch_cancel<T>(f: impl FnOnce() -> T) -> Result<T, Cancelled> {
    let payload = match catch_unwind(AssertUnwindSafe(f)) {
        Ok(value) => return Ok(value),
        Err(payload) => payload,
    };
    match payload::sort(payload) {
        Ok(request) => Err(Cancelled::consume(request)),
        Err(panic) => resume_unwind(panic),
    }
}

/// A request that [`catch_cancel`] has caught.
pub struct Cancelled {
    /// What was raised.
    payload: Box<Payload>,

    /// Belongs to the stack that caught it.
    not_send: PhantomData<*const ()>,
}

impl Cancelled {
    fn consume(payload: Box<Payload>) -> Self {
        match payload.what() {
            What::Cancelled(_) if Self::is_ours(&payload) => {
                payload::consume(payload.raised_in());
            }
            What::Timeout(id) => with_frame(*id, |scheduler, frame| {
                frame.consume(scheduler.deadlines());
            }),
            // Another's cancellation is not ours to take back, and the failure of a scope cannot be (L9).
            What::Cancelled(_) | What::Scope(_) => {}
        }
        Cancelled {
            payload,
            not_send: PhantomData,
        }
    }

    /// Whether it was raised in the running green thread. One that another has caught and handed over ends here all the same, but it is the other's request.
    fn is_ours(payload: &Payload) -> bool {
        std::ptr::eq(payload.raised_in(), Scheduler::get().current())
    }

    /// Returns why, if whoever cancelled said so.
    #[must_use]
    pub fn reason(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        match self.payload.what() {
            What::Cancelled(request) => request.reason.as_deref(),
            What::Timeout(_) | What::Scope(_) => None,
        }
    }

    /// Tells whether it was the deadline of an outer timeout.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.payload.what(), What::Timeout(_))
    }

    /// Goes on as if it had never been caught: Python's bare `raise`.
    pub fn resume(self) -> ! {
        match self.payload.what() {
            What::Cancelled(request) if Self::is_ours(&self.payload) => {
                payload::restore(self.payload.raised_in(), request.clone());
            }
            What::Timeout(id) => {
                with_frame(*id, |scheduler, frame| frame.fire(scheduler.deadlines()))
            }
            What::Cancelled(_) | What::Scope(_) => {}
        }
        resume_unwind(self.payload)
    }
}

/// Looks the frame up in the running chain; it may be gone.
fn with_frame(id: u64, f: impl FnOnce(&Scheduler, &frame::Frame)) {
    // SAFETY: the running chain is running.
    if let Some(frame) = unsafe { frame::find(chain::running(), id) } {
        f(Scheduler::get(), frame);
    }
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cancelled({self})")
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_timeout(), self.reason()) {
            (true, _) => f.write_str("an outer timeout passed"),
            (false, None) => f.write_str("cancelled"),
            (false, Some(reason)) => write!(f, "cancelled: {reason}"),
        }
    }
}

impl Error for Cancelled {}
