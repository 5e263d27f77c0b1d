//! Requests reach their targets: passed on to scopes, and ending waits (L9, L11, L12).

#![expect(
    unsafe_code,
    reason = "looks at the wait and the chain of another green thread of this OS thread"
)]

use std::collections::{HashSet, VecDeque};
use std::ptr;

use super::frame::{self, Frame};
use super::header::{Counted, Header};
use super::peer::{Held, mail};
use super::request::{Reason, Request};
use super::scheduler::Scheduler;
use crate::stack::chain::{self, Link};

impl Scheduler {
    /// Passes the pending cancellation of `header`, which belongs here, on to its children and ends its wait.
    pub(crate) fn deliver_cancellation(&self, header: &Header) {
        let request = header.finish().lock().request.clone();
        if let Some(request) = request {
            self.pass_on(header, ptr::null(), &request);
        }
    }

    /// The same for a frame that has fired, if its stack is driven by anybody.
    fn deliver(&self, frame: &Frame) {
        let owner = frame.owner().cast::<Header>();
        // SAFETY: S3 of `scheduler`: the owner of a running or parked chain has not ended.
        if let Some(owner) = unsafe { owner.as_ref() } {
            self.pass_on(owner, frame, &frame.request());
        }
    }

    /// Tells the scopes of `header` up to `origin`, and the scopes of their children, and so on: in a loop, because they may nest deeper than calls fit on a
    /// small stack. One who drives a generator may be a child of a scope in there, and so stand below itself: the scopes of each are told once.
    fn pass_on(&self, header: &Header, origin: *const Frame, request: &Request) {
        let mut children = VecDeque::from(self.reach(header, origin, request));
        let mut told = HashSet::new();
        while let Some(child) = children.pop_front() {
            let child = Counted::from_held(child);
            if !child.ask(request.clone()) {
                continue;
            }
            if child.home().is_some_and(|home| home.ptr_eq(self.home())) {
                let below = self.reach(&child, ptr::null(), request);
                if !below.is_empty() && told.insert(child.as_ptr()) {
                    children.extend(below);
                }
            } else {
                child.post(mail::REQUEST);
            }
        }
    }

    /// Ends the wait of `header`, if it is one that can be ended, and returns the children of its scopes up to `origin`.
    fn reach(&self, header: &Header, origin: *const Frame, request: &Request) -> Vec<Held> {
        let innermost = self.innermost_of(header);
        // SAFETY: the chain runs, or is parked as a whole.
        let children = unsafe { frame::forward(innermost, origin, request) };
        self.end_wait(header, innermost);
        children
    }

    fn end_wait(&self, header: &Header, innermost: *const Link) {
        // SAFETY: H2: this is its OS thread.
        let local = unsafe { header.local() };
        // SAFETY: W1: a wait stays until its owner has left it.
        let Some(wait) = (unsafe { local.wait.get().as_ref() }) else {
            return;
        };
        // SAFETY: the chain runs, or is parked as a whole.
        let due = unsafe { frame::due(innermost, header.is_requested()) };
        if local.interruptible.get() && due.is_some() {
            wait.interrupt();
        }
    }

    /// Fires a frame, by its timer, and tells whoever drives its stack.
    pub(super) fn fire_frame(&self, frame: &Frame) {
        frame.fire(self.deadlines());
        self.deliver(frame);
    }

    /// Fires what has come for the running chain: deadlines that have passed, and scopes in which a child has failed on another OS thread. The loop, which does so for
    /// all, does not run as long as nobody waits.
    pub(crate) fn fire_what_has_come(&self) {
        // SAFETY: the chain runs. Firing runs nothing of it, so no frame is left meanwhile.
        for frame in unsafe { frame::passed(chain::running(), || self.clock().now()) } {
            frame.fire_early(self.deadlines());
            self.deliver(frame);
        }
        // SAFETY: as above.
        for frame in unsafe { frame::failed(chain::running()) } {
            self.fail_frame(frame);
        }
    }

    /// Fires the frames of those scopes of `header`, which belongs here, in which a child has failed on another OS thread. The message may come when the scope, or
    /// its parent, has ended.
    pub(super) fn fail_scopes(&self, header: &Header) {
        if header.has_ended() {
            return;
        }
        let innermost = self.innermost_of(header);
        // SAFETY: the chain is parked as a whole: the loop reads messages while nobody runs. Firing runs nothing, so no frame is left meanwhile.
        for frame in unsafe { frame::failed(innermost) } {
            self.fail_frame(frame);
        }
    }

    /// Whose stack `frame`, which was entered on this OS thread, stands on, if what is there may be lent to other OS threads for as long as the frame is entered.
    ///
    /// It may be when this OS thread cannot end before the frame is left, for that destroys thread-locals that may be lent out too: on the root, on a worker, and inside
    /// `run`. A generator may be forgotten, and another green thread abandoned, with the frame entered.
    pub(crate) fn lender(&self, frame: &Frame) -> Option<Counted> {
        let owner = frame.owner().cast::<Header>();
        // SAFETY: S3 of `scheduler`: the owner of a running or parked chain has not ended.
        let owner = unsafe { owner.as_ref() }?;
        // SAFETY: H2: frames are entered by those of this OS thread.
        let local = unsafe { owner.local() };
        let may_lend = frame.stands_on(local.base.get()) && self.is_waited_for(owner);
        may_lend.then(|| owner.count())
    }

    /// Whether the end of this OS thread waits for `header`, which belongs here: then what a thread-local lends to it is there for as long as it waits.
    pub(crate) fn is_waited_for(&self, header: &Header) -> bool {
        let run = self.run_number();
        // SAFETY: H2: it belongs here.
        let in_run = run != 0 && unsafe { header.local() }.run.get() == run;
        self.is_root(header) || self.is_worker() || in_run && self.hooks().run_ends.get()
    }

    /// Passes a request of the root's on to its scopes (L8).
    pub(super) fn pass_on_from_root(&self, reason: Reason) {
        let request = Request::new(Some(reason), true);
        self.pass_on(&self.root, ptr::null(), &request);
    }

    /// Fires the frame of a scope in which a child has failed.
    pub(crate) fn fail_frame(&self, frame: &Frame) {
        if !frame.has_fired() {
            frame.fail(self.deadlines());
            self.deliver(frame);
        }
    }
}
