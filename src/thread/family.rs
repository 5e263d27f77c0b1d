//! The children of a scope, counted outside the parent's frame (L11).
//!
//! The parent may return from its scope, and its frame may be gone, in the moment in which the last child says that it has ended: so what that child still touches
//! is counted by reference, not borrowed.
//!
//! Invariants:
//! - P1 `members` has one entry for every child that has not ended; a child leaves as the last thing it does.
//! - P2 Once `closing` is set, every child that is or comes in is asked to end.
//! - P3 A request that can be consumed is asked of nobody twice: it may come by the parent's frames, and again when it has ended the body.

#![expect(
    unsafe_code,
    reason = "children reach the frame of their scope by address"
)]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use slab::Slab;

use super::block::After;
use super::join_error::{JoinError, message};
use super::report;
use crate::base::lock::Lock;
use crate::sched::cancel;
use crate::sched::frame::Frame;
use crate::sched::header::{Counted, Header};
use crate::sched::list::WaitList;
use crate::sched::park::{Grant, Waiter};
use crate::sched::peer::mail;
use crate::sched::request::Request;
use crate::sched::scheduler::Scheduler;
use crate::sched::wait::{Holder, Operation};

static END_OF_SCOPE: Operation = Operation::new("end of scope");

/// A panic's payload.
type Panic = Box<dyn Any + Send>;

/// The children of one scope.
pub(super) struct Family(Lock<Members>);

/// Who is in it, and how it stands.
struct Members {
    /// P1; none for the moment between a child's making and its coming in.
    members: Slab<Option<Counted>>,

    /// P2.
    closing: Option<Request>,

    /// P3: the numbers of the requests that were passed on.
    told: Vec<u64>,

    /// Whether a child has failed.
    failed: bool,

    /// The first child's panic, which goes on when all have ended.
    panic: Option<Panic>,

    /// The parent, at the end of its scope.
    waiters: WaitList,
}

impl Members {
    /// For whom the parent waits.
    fn awaited(&self) -> Holder {
        let members = self.members.iter();
        Holder::Threads(
            members
                .filter_map(|(_, child)| Some(child.as_ref()?.id()))
                .collect(),
        )
    }
}

impl Family {
    pub(super) fn new() -> Arc<Family> {
        Arc::new(Family(Lock::new(Members {
            members: Slab::new(),
            closing: None,
            told: Vec::new(),
            failed: false,
            panic: None,
            waiters: WaitList::new(),
        })))
    }

    /// Makes a place for a child that is about to be made.
    fn reserve(&self) -> usize {
        self.0.lock().members.insert(None)
    }

    /// Takes the child in that `member` was made for; one that comes too late is asked to end at once (P2).
    pub(super) fn take_in(&self, place: usize, child: Counted) {
        let mut family = self.0.lock();
        family.members[place] = Some(child.clone());
        let closing = family.closing.clone();
        drop(family);
        if let Some(request) = closing {
            cancel::cancel(&child, request);
        }
    }

    /// Asks every child to end, and every one that will come (P2).
    pub(super) fn cancel(&self, request: &Request) {
        for child in self.close(request) {
            cancel::cancel(&child, request.clone());
        }
    }

    /// Will ask every child that comes to end (P2), and returns those that are in and have not heard of the request (P3).
    pub(super) fn close(&self, request: &Request) -> Vec<Counted> {
        let mut family = self.0.lock();
        match &mut family.closing {
            Some(first) => first.forced |= request.forced,
            None => family.closing = Some(request.clone()),
        }
        if !request.forced {
            if family.told.contains(&request.number) {
                return Vec::new();
            }
            family.told.push(request.number);
        }
        let members = family.members.iter();
        members.filter_map(|(_, child)| child.clone()).collect()
    }

    /// Whether every child has ended.
    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().members.is_empty()
    }

    /// Whether a child has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.0.lock().failed
    }

    /// Keeps the first panic for the parent. A later one is reported.
    pub(super) fn keep(&self, payload: Panic) {
        let mut family = self.0.lock();
        if family.panic.is_none() {
            family.panic = Some(payload);
            return;
        }
        drop(family);
        report::caught(payload);
    }

    /// The last that a child does (P1).
    fn leave(&self, place: usize) {
        let mut family = self.0.lock();
        let child = family.members.remove(place);
        let wake = if family.members.is_empty() {
            family.waiters.wake_first()
        } else {
            None
        };
        drop(family);
        drop(wake);
        drop(child);
    }

    /// Waits until no child is left; false when none was. No request ends this wait; one that comes is passed on to the children by the scope's frame.
    pub(super) fn wait_for_all(&self) -> bool {
        if self.is_empty() {
            return false;
        }
        let children = Grant::Awaited(Members::awaited);
        let waiter = Waiter::protected(&self.0, &END_OF_SCOPE, children);
        loop {
            let family = self.0.lock();
            if family.members.is_empty() {
                return true;
            }
            waiter.park(family, |family| &mut family.waiters, None);
        }
    }

    /// The panic that goes on, if there was one.
    pub(super) fn take_panic(&self) -> Option<Panic> {
        self.0.lock().panic.take()
    }
}

/// A child's place until the child is made: making it copies `green_local!`s, and such a copy may panic or raise.
pub(super) struct Reserved<'a>(pub(super) &'a Family, pub(super) usize);

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.0.leave(self.1);
    }
}

/// What every child does at its end.
#[derive(Clone)]
pub(super) struct Member {
    /// Where it is counted.
    family: Arc<Family>,

    /// P1.
    place: usize,

    /// How the parent is told of a failure.
    parent: Parent,
}

/// How a child reaches the scope's body.
#[derive(Clone)]
pub(super) enum Parent {
    /// By the scope's frame on the parent's stack, from the same OS thread: entered until every child has left (L11).
    Here(*const Frame),

    /// By a letter to the parent, from another OS thread.
    Elsewhere(Counted),
}

impl Member {
    /// For a child that is about to be made.
    pub(super) fn new(family: &Arc<Family>, parent: Parent) -> Self {
        Member {
            family: Arc::clone(family),
            place: family.reserve(),
            parent,
        }
    }

    pub(super) fn place(&self) -> usize {
        self.place
    }

    /// This child has failed: the siblings and the body are asked to end.
    pub(super) fn fail(&self) {
        self.family.0.lock().failed = true;
        self.family.cancel(&Request::scope_failed());
        match &self.parent {
            Parent::Here(frame) => {
                // SAFETY: L11: the scope waits for this child, so its frame is entered; and this is the parent's OS thread.
                let frame = unsafe { &**frame };
                Scheduler::get().fail_frame(frame);
            }
            Parent::Elsewhere(parent) => {
                parent.post(mail::CHILD_FAILED);
            }
        }
    }
}

impl After for Member {
    fn panicked(&self, header: &Header, payload: Panic) -> JoinError {
        let error = JoinError::panicked_in_scope(header, message(&*payload));
        self.family.keep(payload);
        self.fail();
        error
    }

    fn ended(self) {
        self.family.leave(self.place);
        // The parent may have gone on, and its scope: then what that was asked for, which is of the user's type, goes with this (L18).
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(self))) {
            report::caught(panic);
        }
    }
}
