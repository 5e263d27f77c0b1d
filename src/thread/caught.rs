//! For code that uses `catch_unwind`: what was caught, a panic or a request on its way out.

use std::any::Any;
use std::panic::resume_unwind;

use crate::sched::payload::Payload;

/// Tells whether what [`catch_unwind`](std::panic::catch_unwind) caught is a cancellation or the deadline of an outer [`timeout`](crate::timeout) on its way out,
/// and no panic.
///
/// Does not block. Code that keeps such a payload to itself does not consume the request: it is raised again at every later wait point. One that is raised
/// a hundred times out of the same green thread is reported on stderr, once. Pass it on, by [`resume_if_cancelled`], or consume
/// it by [`catch_cancel`](crate::catch_cancel).
///
/// # Examples
/// ```
/// let asked = greenthread::spawn(|| {
///     let caught = std::panic::catch_unwind(greenthread::park).unwrap_err();
///     greenthread::is_cancellation(&*caught)
/// });
/// greenthread::yield_now();
/// asked.cancel();
/// assert!(asked.join().unwrap());
/// ```
#[must_use]
pub fn is_cancellation(caught: &(dyn Any + Send)) -> bool {
    caught.is::<Payload>()
}

/// Goes on unwinding when `caught` is a cancellation or an outer timeout's deadline, as if it had never been caught; gives a panic back.
///
/// Does not block. For loops that must outlive a panic of what they call, but not their own cancellation.
///
/// # Examples
/// ```
/// use std::panic::catch_unwind;
/// let worker = greenthread::spawn(|| loop {
///     if let Err(caught) = catch_unwind(greenthread::park) {
///         let _panic = greenthread::resume_if_cancelled(caught); // ends the loop when cancelled
///     }
/// });
/// greenthread::yield_now();
/// worker.cancel();
/// assert!(worker.join().unwrap_err().is_cancelled());
/// ```
#[must_use = "what comes back is a panic that somebody should hear of"]
pub fn resume_if_cancelled(caught: Box<dyn Any + Send>) -> Box<dyn Any + Send> {
    if is_cancellation(&*caught) {
        resume_unwind(caught);
    }
    caught
}
