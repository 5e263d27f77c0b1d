//! Asking a green thread to end, from anywhere (D5, L9).

use super::header::Header;
use super::peer::mail;
use super::request::Request;
use super::scheduler::Scheduler;

/// Asks the green thread to end. False when it has ended already. From any OS thread.
pub(crate) fn cancel(header: &Header, request: Request) -> bool {
    header.ask(request) && announce(header)
}

/// Ends the wait of the target, if it stands in one that can be ended.
fn announce(header: &Header) -> bool {
    if let Some(attend) = header.vtable().attend {
        attend(&header.count());
        return true;
    }
    match Scheduler::of(header) {
        Some(scheduler) => {
            scheduler.deliver_cancellation(header);
            true
        }
        None => header.post(mail::REQUEST),
    }
}
