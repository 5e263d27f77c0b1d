//! Frames and requests: what is asked of whom, and what a wait point raises.

use std::cell::{Cell, RefCell};
use std::collections::{HashSet, VecDeque};
use std::rc::{Rc, Weak};

use super::family::Family;
use super::thread::Thread;
use super::timers::{Key, Target};
use super::wait::{Ended, Stop};
use super::world::World;
use crate::history::Why;
use crate::program::Millis;

/// What was asked of a green thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    /// Why.
    pub(super) reason: Option<Why>,

    /// Whether it cannot be consumed.
    pub(super) forced: bool,

    /// Tells it from others.
    pub(super) number: u64,
}

/// What is raised.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// The cancellation of the green thread.
    Cancelled(Request),

    /// The deadline of the frame with this number.
    Timeout(u64),

    /// The failure of a scope.
    Scope,
}

/// What a frame does.
pub(super) enum Kind {
    /// Raises when its deadline has passed.
    Timeout,

    /// Lets nothing through.
    Shield,

    /// Passes requests on to its children.
    Scope(Rc<Family>),
}

/// What `timeout`, `shield` and `scope` set up.
pub(super) struct Frame {
    /// What it does.
    kind: Kind,

    /// Tells it from others.
    pub(super) number: u64,

    /// On which stack it stands.
    stack: Weak<Stack>,

    /// When it fires or fired.
    deadline: Cell<Millis>,

    /// Whether it has, and that was not consumed.
    fired: Cell<bool>,

    /// Its timer.
    timer: Cell<Option<Key>>,
}

/// The frames of one stack, from the outside in.
pub(super) struct Stack {
    /// The frames.
    frames: RefCell<Vec<Rc<Frame>>>,

    /// Whose chain it is part of.
    pub(super) owner: RefCell<Weak<Thread>>,
}

impl Stack {
    /// Of a generator that nobody drives.
    pub(super) fn of_nobody() -> Rc<Self> {
        Rc::new(Stack {
            frames: RefCell::default(),
            owner: RefCell::default(),
        })
    }

    pub(super) fn of(owner: &Rc<Thread>) -> Rc<Self> {
        Rc::new(Stack {
            frames: RefCell::default(),
            owner: RefCell::new(Rc::downgrade(owner)),
        })
    }
}

impl Frame {
    fn request(&self, world: &World) -> Request {
        match self.kind {
            Kind::Scope(_) => world.scope_failed(),
            _ => elapsed(self.number),
        }
    }

    pub(super) fn consume(&self) {
        self.fired.set(false);
    }

    pub(super) fn fire(&self) {
        self.fired.set(true);
    }
}

fn elapsed(number: u64) -> Request {
    Request {
        reason: Some(Why::Elapsed),
        forced: false,
        number,
    }
}

/// All frames of a chain, from the inside out.
fn outward(stacks: &[Rc<Stack>]) -> Vec<Rc<Frame>> {
    let inward = stacks
        .iter()
        .flat_map(|stack| stack.frames.borrow().clone());
    let mut frames: Vec<_> = inward.collect();
    frames.reverse();
    frames
}

/// A cancellation first, else the fired deadline that is earliest, the outer one of equals; nothing from outside a shield.
pub(super) fn due(stacks: &[Rc<Stack>], request: Option<&Request>) -> Option<What> {
    let frames = outward(stacks);
    let shield = frames
        .iter()
        .position(|frame| matches!(frame.kind, Kind::Shield));
    let inside = &frames[..shield.unwrap_or(frames.len())];
    if let (Some(request), None) = (request, shield) {
        return Some(What::Cancelled(*request));
    }
    let fired = inside.iter().rev().filter(|frame| frame.fired.get());
    let first = fired.min_by_key(|frame| frame.deadline.get())?;
    Some(match first.kind {
        Kind::Scope(_) => What::Scope,
        _ => What::Timeout(first.number),
    })
}

impl World {
    /// Enters a frame on the innermost stack of whoever runs.
    pub(super) fn enter(&self, kind: Kind) -> Rc<Frame> {
        let me = self.current();
        let stacks = me.stacks.borrow();
        let stack = stacks.last().expect("whoever runs has a stack");
        let frame = Rc::new(Frame {
            kind,
            number: self.next_number(),
            stack: Rc::downgrade(stack),
            deadline: Cell::new(Millis::MAX),
            fired: Cell::new(false),
            timer: Cell::new(None),
        });
        stack.frames.borrow_mut().push(Rc::clone(&frame));
        frame
    }

    /// Leaves it: the innermost of its stack.
    pub(super) fn leave(&self, frame: &Rc<Frame>) {
        let stack = frame
            .stack
            .upgrade()
            .expect("a frame is left while its stack is there");
        stack.frames.borrow_mut().pop();
        if let Some(timer) = frame.timer.take() {
            self.timers.remove(timer);
        }
        frame.consume();
    }

    /// Sets its deadline.
    pub(super) fn set_deadline(&self, frame: &Rc<Frame>, deadline: Millis) {
        frame.deadline.set(deadline);
        let target = Target::Frame(Rc::clone(frame));
        let timer = self.timers.set(&self.order, deadline, target);
        frame.timer.set(Some(timer));
    }

    /// Its deadline has passed.
    pub(super) fn fire_frame(&self, frame: &Rc<Frame>) {
        if let Some(timer) = frame.timer.take() {
            self.timers.remove(timer);
        }
        frame.fire();
        self.deliver(frame);
    }

    /// Fires the frames around whoever runs whose deadline has passed, although the loop has not come to that.
    pub(super) fn fire_what_has_come(&self) {
        let frames = outward(&self.current().stacks.borrow());
        let due = |frame: &Rc<Frame>| frame.timer.get().is_some_and(|key| key.0 <= self.now.get());
        let passed: Vec<_> = frames.into_iter().filter(due).collect();
        passed.iter().for_each(|frame| self.fire_frame(frame));
    }

    /// A child of its scope has failed.
    pub(super) fn fail_frame(&self, frame: &Rc<Frame>) {
        if !frame.fired.get() {
            frame.deadline.set(self.now.get());
            self.fire_frame(frame);
        }
    }

    fn deliver(&self, frame: &Rc<Frame>) {
        let stack = frame.stack.upgrade().expect("an entered frame has a stack");
        let owner = stack.owner.borrow().upgrade();
        if let Some(owner) = owner {
            self.pass_on(&owner, Some(frame), frame.request(self));
        }
    }

    /// Asks a green thread to end; false when it has.
    pub(super) fn cancel(&self, thread: &Rc<Thread>, request: Request) -> bool {
        let asked = ask(thread, request);
        if asked {
            let pending = *thread.request.borrow();
            self.pass_on(thread, None, pending.expect("it was just asked"));
        }
        asked
    }

    /// Tells the children of the scopes inside of `origin`, from the outside in, and theirs, and ends the waits of all. One who drives a generator with a scope may be a child of
    /// that, and stand below itself: each tells its own once.
    pub(super) fn pass_on(
        &self,
        thread: &Rc<Thread>,
        origin: Option<&Rc<Frame>>,
        request: Request,
    ) {
        let mut children = VecDeque::from(self.reach(thread, origin, request));
        let mut told = HashSet::new();
        while let Some(child) = children.pop_front() {
            if ask(&child, request) {
                let below = self.reach(&child, None, request);
                if !below.is_empty() && told.insert(Rc::as_ptr(&child)) {
                    children.extend(below);
                }
            }
        }
    }

    fn reach(
        &self,
        thread: &Thread,
        origin: Option<&Rc<Frame>>,
        request: Request,
    ) -> Vec<Rc<Thread>> {
        let frames = outward(&thread.stacks.borrow());
        let mut scopes = Vec::new();
        for frame in &frames {
            if origin.is_some_and(|origin| Rc::ptr_eq(origin, frame)) {
                break;
            }
            match &frame.kind {
                Kind::Shield => scopes.clear(),
                Kind::Scope(family) => scopes.push(Rc::clone(family)),
                Kind::Timeout => {}
            }
        }
        let children = scopes.iter().rev().flat_map(|family| family.close(request));
        let children = children.collect();
        if let Some(wait) = thread.wait()
            && wait.interruptible
            && thread.due().is_some()
        {
            wait.end(self, Ended::Interrupted);
        }
        children
    }

    /// Takes back what was raised in `me`, if it can be.
    pub(super) fn consume(&self, what: What) {
        let me = &self.current();
        match what {
            What::Cancelled(_) => {
                let mut request = me.request.borrow_mut();
                if request.is_some_and(|request| !request.forced) {
                    *request = None;
                }
            }
            What::Timeout(number) => find(me, number).iter().for_each(|frame| frame.consume()),
            What::Scope => {}
        }
    }

    /// Makes it as if it had not been taken back.
    pub(super) fn resume(&self, what: What) -> Stop {
        let me = &self.current();
        match what {
            What::Cancelled(request) => {
                let again = Request {
                    forced: false,
                    ..request
                };
                me.request.borrow_mut().get_or_insert(again);
            }
            What::Timeout(number) => find(me, number).iter().for_each(|frame| frame.fire()),
            What::Scope => {}
        }
        Stop::Request(what)
    }

    /// What this asks of children.
    pub(super) fn request_of(&self, what: What) -> Request {
        match what {
            What::Cancelled(request) => Request {
                forced: self
                    .current()
                    .request
                    .borrow()
                    .is_some_and(|pending| pending.forced),
                ..request
            },
            What::Timeout(number) => elapsed(number),
            What::Scope => self.scope_failed(),
        }
    }

    pub(super) fn scope_failed(&self) -> Request {
        self.request(Some(Why::ScopeFailed), true)
    }

    pub(super) fn request(&self, reason: Option<Why>, forced: bool) -> Request {
        Request {
            reason,
            forced,
            number: self.next_number(),
        }
    }
}

/// Notes the request; the first one's reason stays. False when it has ended already.
fn ask(thread: &Thread, request: Request) -> bool {
    if thread.has_ended() {
        return false;
    }
    match &mut *thread.request.borrow_mut() {
        Some(first) => first.forced |= request.forced,
        none => *none = Some(request),
    }
    true
}

fn find(me: &Thread, number: u64) -> Option<Rc<Frame>> {
    let frames = outward(&me.stacks.borrow());
    frames.into_iter().find(|frame| frame.number == number)
}
