//! Scopes: who their children are, and what happens when one fails.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::frames::{Frame, Kind, Request};
use super::groups::Role;
use super::places::Places;
use super::thread::Thread;
use super::wait::{Ask, Cause, Grant, Line, Place, Stop};
use super::world::World;
use crate::program::Body;

/// The children of one scope.
#[derive(Default)]
pub(super) struct Family {
    /// The children.
    members: Places,

    /// The errors, if one of them ends all.
    pub(super) errors: Option<RefCell<Vec<usize>>>,

    /// What children to come are asked too.
    closing: RefCell<Option<Request>>,

    /// The numbers of the requests that were passed on.
    told: RefCell<Vec<u64>>,

    /// The first panic of a part.
    panic: Cell<Option<Cause>>,

    /// The body, when it waits for the end of all.
    waiters: Line,
}

impl Family {
    /// Notes a request for children to come, and returns whom to tell: nobody twice, unless it cannot be consumed.
    pub(super) fn close(&self, request: Request) -> Vec<Rc<Thread>> {
        match &mut *self.closing.borrow_mut() {
            Some(first) => first.forced |= request.forced,
            none => *none = Some(request),
        }
        let mut told = self.told.borrow_mut();
        if !request.forced {
            if told.contains(&request.number) {
                return Vec::new();
            }
            told.push(request.number);
        }
        self.members.all()
    }
}

impl World {
    /// Asks all children to end.
    pub(super) fn cancel_family(&self, family: &Family, request: Request) {
        for child in family.close(request) {
            self.cancel(&child, request);
        }
    }

    /// Keeps the first panic; a later one is reported.
    fn keep(&self, family: &Family, cause: Cause) {
        if family.panic.get().is_none() {
            family.panic.set(Some(cause));
        } else {
            self.report(cause);
        }
    }

    /// A child has panicked.
    pub(super) fn child_panicked(&self, thread: &Thread, cause: Cause) {
        if let Some((family, _, frame)) = &thread.member {
            self.keep(family, cause);
            self.cancel_family(family, self.scope_failed());
            self.fail_frame(frame);
        }
    }

    /// A child has failed; false when that is nothing to its scope.
    pub(super) fn child_failed(&self, thread: &Thread, step: usize) -> bool {
        let Some((family, _, frame)) = &thread.member else {
            return false;
        };
        let Some(errors) = &family.errors else {
            return false;
        };
        errors.borrow_mut().push(step);
        self.cancel_family(family, self.scope_failed());
        self.fail_frame(frame);
        true
    }

    /// A child has ended.
    pub(super) fn child_left(&self, thread: &Thread) {
        if let Some((family, place, _)) = &thread.member {
            family.members.leave(*place);
            if family.members.is_empty() {
                family.waiters.wake_first(self);
            }
        }
    }

    /// Starts a child in a scope.
    pub(super) fn spawn_child(
        self: &Rc<Self>,
        family: &Rc<Family>,
        frame: &Rc<Frame>,
        number: usize,
        body: &Body,
        role: Role,
    ) -> Rc<Thread> {
        let place = family.members.reserve();
        let member = Some((Rc::clone(family), place, Rc::clone(frame)));
        let child = self.spawn(number, body, member, role);
        family.members.fill(place, &child);
        let closing = *family.closing.borrow();
        if let Some(request) = closing {
            self.cancel(&child, request);
        }
        child
    }

    /// A whole scope.
    pub(super) async fn scope<R>(
        &self,
        body: impl AsyncFnOnce(&Rc<Family>, &Rc<Frame>) -> Result<R, Stop>,
    ) -> Result<R, Stop> {
        let family = Rc::new(Family::default());
        let (ended, has_waited) = self.in_scope(&family, body).await?;
        if ended.is_ok() && has_waited {
            self.checkpoint()?;
        }
        ended
    }

    /// One in which an error ends all; the errors.
    pub(super) async fn try_scope(
        &self,
        body: impl AsyncFnOnce(&Rc<Family>, &Rc<Frame>) -> Result<(), Stop>,
    ) -> Result<Vec<usize>, Stop> {
        let family = Rc::new(Family {
            errors: Some(RefCell::default()),
            ..Family::default()
        });
        let failing = async |family: &Rc<Family>, frame: &Rc<Frame>| match body(family, frame).await
        {
            Err(Stop::Fail(step)) => {
                let errors = family.errors.as_ref().expect("it has some");
                errors.borrow_mut().push(step);
                self.cancel_family(family, self.scope_failed());
                Ok(())
            }
            ended => ended,
        };
        let (ended, has_waited) = self.in_scope(&family, failing).await?;
        let errors = family
            .errors
            .as_ref()
            .map(RefCell::take)
            .unwrap_or_default();
        if !errors.is_empty() {
            return Ok(errors);
        }
        if has_waited {
            self.checkpoint()?;
        }
        ended.map(|()| errors)
    }

    /// What both have in common: the body, the end of the children, the first panic. Tells whether it has waited.
    async fn in_scope<R>(
        &self,
        family: &Rc<Family>,
        body: impl AsyncFnOnce(&Rc<Family>, &Rc<Frame>) -> Result<R, Stop>,
    ) -> Result<(Result<R, Stop>, bool), Stop> {
        let frame = self.enter(Kind::Scope(Rc::clone(family)));
        let ended = body(family, &frame).await;
        let ended = ended.map_err(|stop| self.fail_body(family, stop));
        let some_left = !family.members.is_empty();
        if let Some(what) = self.current().due() {
            let request = self.request_of(what);
            self.cancel_family(family, request);
        }
        let waited = self.wait_for_all(family).await?;
        self.leave(&frame);
        if self.current().number == 0 && self.take_deadlock() {
            return Err(Stop::Panic(Cause::Deadlock));
        }
        match family.panic.take() {
            Some(cause) => Err(Stop::Panic(cause)),
            None => Ok((ended, waited || some_left)),
        }
    }

    fn fail_body(&self, family: &Family, stop: Stop) -> Stop {
        match stop {
            Stop::Request(what) => {
                self.cancel_family(family, self.request_of(what));
                stop
            }
            Stop::Panic(cause) => {
                self.keep(family, cause);
                self.cancel_family(family, self.scope_failed());
                Stop::Kept
            }
            Stop::Fail(_) | Stop::Kept => stop,
        }
    }

    async fn wait_for_all(&self, family: &Family) -> Result<bool, Stop> {
        if family.members.is_empty() {
            return Ok(false);
        }
        let place = Rc::new(Place::default());
        while !family.members.is_empty() {
            let ask = Ask {
                line: Some((&family.waiters, &place)),
                deadline: None,
                grant: Grant::Protected,
                left: &|| (),
            };
            self.park(ask).await?;
        }
        Ok(true)
    }
}
