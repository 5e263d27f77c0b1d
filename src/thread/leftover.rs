//! An orderly end for green threads that were left behind.

use std::sync::Arc;

use super::join::wait_over;
use crate::sched::cancel;
use crate::sched::frame::{Frame, Kind};
use crate::sched::header::Counted;
use crate::sched::request::Request;
use crate::sched::scheduler::Scheduler;

/// Cancels and waits for every green thread that `left` names, until it names none. A request does not end the wait.
pub(crate) fn end_what_was_left(scheduler: &Scheduler, left: fn(&Scheduler) -> Vec<Counted>) {
    Frame::enter(scheduler.deadlines(), Kind::Shield, |_| {
        loop {
            let left = left(scheduler);
            if left.is_empty() {
                return;
            }
            for header in &left {
                cancel::cancel(header, end_of_run());
            }
            for header in &left {
                wait_over(header, None);
            }
            // What is over has still to leave its stack.
            scheduler.yield_now();
        }
    });
}

fn end_of_run() -> Request {
    Request {
        reason: Some(Arc::from(Box::from("`run` has ended"))),
        forced: true,
    }
}
