//! Asking a green thread to end, from anywhere (D5, L9).

use super::header::Header;
use super::peer::mail;
use super::request::Request;
use super::scheduler::Scheduler;

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
    let mut finish = header.finish().lock();
    if header.has_ended() {
        drop(finish);
        drop(request);
        return Ok(false);
    }
    match &mut finish.request {
        Some(first) => {
            first.forced |= request.forced;
            Err(request)
        }
        None => {
            finish.request = Some(request);
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
        None => header.post(mail::REQUEST),
    }
}
