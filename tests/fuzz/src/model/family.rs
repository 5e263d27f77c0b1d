//! Scopes: who their children are, and what happens when one fails.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::frames::{Frame, Kind, Request};
use super::thread::Thread;
use super::wait::{Ask, Cause, Grant, Line, Place, Stop};
use super::world::World;
use crate::program::Body;

/// The children of one scope.
#[derive(Default)]
pub(super) struct Family {
    /// By their places; a place that was left is taken again, the last one first.
    members: RefCell<Vec<Option<Rc<Thread>>>>,

    /// Places that were left.
    free: RefCell<Vec<usize>>,

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
    fn is_empty(&self) -> bool {
        self.members.borrow().len() == self.free.borrow().len()
    }

    /// A place for a child to come.
    fn reserve(&self) -> usize {
        let free = self.free.borrow_mut().pop();
        free.unwrap_or_else(|| {
            self.members.borrow_mut().push(None);
            self.members.borrow().len() - 1
        })
    }

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
        self.members.borrow().iter().flatten().cloned().collect()
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

    /// A child has ended.
    pub(super) fn child_left(&self, thread: &Thread) {
        if let Some((family, place, _)) = &thread.member {
            family.members.borrow_mut()[*place] = None;
            family.free.borrow_mut().push(*place);
            if family.is_empty() {
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
    ) -> Rc<Thread> {
        let place = family.reserve();
        let member = Some((Rc::clone(family), place, Rc::clone(frame)));
        let child = self.spawn(number, body, member);
        family.members.borrow_mut()[place] = Some(Rc::clone(&child));
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
        let frame = self.enter(Kind::Scope(Rc::clone(&family)));
        let ended = body(&family, &frame).await;
        let ended = ended.map_err(|stop| self.fail_body(&family, stop));
        let some_left = !family.is_empty();
        if let Some(what) = self.current().due() {
            let request = self.request_of(what);
            self.cancel_family(&family, request);
        }
        let waited = self.wait_for_all(&family).await?;
        self.leave(&frame);
        if self.current().number == 0 && self.take_deadlock() {
            return Err(Stop::Panic(Cause::Deadlock));
        }
        if let Some(cause) = family.panic.take() {
            return Err(Stop::Panic(cause));
        }
        if ended.is_ok() && (waited || some_left) {
            self.checkpoint()?;
        }
        ended
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
        if family.is_empty() {
            return Ok(false);
        }
        let place = Rc::new(Place::default());
        while !family.is_empty() {
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
