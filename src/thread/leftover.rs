//! An orderly end for green threads that were left behind.

use super::join::wait_over;
use crate::sched::cancel;
use crate::sched::clock::Deadline;
use crate::sched::frame::{Frame, Kind};
use crate::sched::header::Counted;
use crate::sched::request::Request;
use crate::sched::scheduler::Scheduler;

/// How an end went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// Whether there was anybody to be ended.
    pub(crate) found: bool,

    /// Whether nobody is left.
    pub(crate) all: bool,
}

/// Cancels and waits for every green thread that `left` names, until it names none. A request does not end the wait.
pub(crate) fn end_what_was_left(scheduler: &Scheduler, left: fn(&Scheduler) -> Vec<Counted>) {
    end_until(scheduler, left, None);
}

/// The same, until `deadline` at most.
pub(crate) fn end_until(
    scheduler: &Scheduler,
    left: fn(&Scheduler) -> Vec<Counted>,
    deadline: Option<Deadline>,
) -> Ended {
    let mut found = false;
    Frame::enter(scheduler.deadlines(), Kind::Shield, |_| {
        loop {
            let left = left(scheduler);
            if left.is_empty() {
                return Ended { found, all: true };
            }
            found = true;
            for header in &left {
                cancel::cancel(header, Request::end_of_run());
            }
            if !left.iter().all(|header| wait_over(header, deadline)) {
                return Ended { found, all: false };
            }
            // What is over has still to leave its stack.
            scheduler.yield_now();
        }
    })
}
