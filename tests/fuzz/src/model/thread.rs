//! A green thread of the model: a future, and what others may ask of it.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use super::family::Family;
use super::frames::{self, Frame, Request, Stack, What};
use super::tally::Tally;
use super::wait::{Line, Wait};
use crate::history::End;
use crate::program::Body;

/// A local: its place, and what is done at its end.
type Local = (usize, Body);

/// What it does.
type Life = Pin<Box<dyn Future<Output = ()>>>;

/// One green thread, or the root.
pub(super) struct Thread {
    /// Its number in the program.
    pub(super) number: usize,

    /// What was asked of it and not consumed.
    pub(super) request: RefCell<Option<Request>>,

    /// Its stacks from the outside in: its own, then those of the generators that it drives.
    pub(super) stacks: RefCell<Vec<Rc<Stack>>>,

    /// Whether it may pass the next `park`.
    pub(super) token: Cell<bool>,

    /// Whether it stands in a `park`.
    pub(super) parked: Cell<bool>,

    /// How many unwinds it is in the middle of.
    pub(super) unwinds: Cell<usize>,

    /// Where it is parked.
    wait: RefCell<Option<Rc<Wait>>>,

    /// What is left for it to do.
    life: RefCell<Option<Life>>,

    /// How it ended.
    end: Cell<Option<End>>,

    /// Whether nobody claims that.
    pub(super) detached: Cell<bool>,

    /// Its locals, oldest first.
    locals: RefCell<Vec<Local>>,

    /// Who waits for its end.
    pub(super) joiners: Line,

    /// Who is told of its end, among that of others, and its place there.
    pub(super) watcher: RefCell<Option<(Rc<Tally>, usize)>>,

    /// The scope that it is a child of, its place there, and that scope's frame.
    pub(super) member: Option<(Rc<Family>, usize, Rc<Frame>)>,
}

impl Thread {
    pub(super) fn new(number: usize, member: Option<(Rc<Family>, usize, Rc<Frame>)>) -> Rc<Self> {
        let thread = Rc::new(Thread {
            number,
            request: RefCell::default(),
            stacks: RefCell::default(),
            token: Cell::new(false),
            parked: Cell::new(false),
            unwinds: Cell::new(0),
            wait: RefCell::default(),
            life: RefCell::default(),
            end: Cell::new(None),
            detached: Cell::new(false),
            locals: RefCell::default(),
            joiners: Line::default(),
            watcher: RefCell::default(),
            member,
        });
        thread.stacks.borrow_mut().push(Stack::of(&thread));
        thread
    }

    pub(super) fn root() -> Rc<Self> {
        Thread::new(0, None)
    }

    /// What stood at its place before comes back.
    pub(super) fn keep_local(&self, new: Local) -> Option<Local> {
        let mut locals = self.locals.borrow_mut();
        if let Some(local) = locals.iter_mut().find(|local| local.0 == new.0) {
            return Some(std::mem::replace(local, new));
        }
        locals.push(new);
        None
    }

    pub(super) fn has_locals(&self) -> bool {
        !self.locals.borrow().is_empty()
    }

    pub(super) fn newest_local(&self) -> Option<Local> {
        self.locals.borrow_mut().pop()
    }

    pub(super) fn begin(&self, life: Life) {
        self.life.replace(Some(life));
    }

    /// Runs it until it waits or ends.
    pub(super) fn run(&self) {
        let life = self.life.take();
        let mut life = life.expect("whoever is ready has not ended");
        let mut context = Context::from_waker(Waker::noop());
        if life.as_mut().poll(&mut context).is_pending() {
            self.life.replace(Some(life));
        }
    }

    /// What is left of it is forgotten.
    pub(super) fn let_go(&self) {
        drop(self.life.take());
        self.wait.take();
        self.stacks.take();
    }

    pub(super) fn end(&self) -> Option<End> {
        self.end.get()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.end.get().is_some()
    }

    pub(super) fn finish(&self, end: End) {
        self.end.set(Some(end));
    }

    /// Whether a request may be raised in it: not while it unwinds.
    pub(super) fn may_be_raised_in(&self) -> bool {
        self.unwinds.get() == 0
    }

    pub(super) fn wait(&self) -> Option<Rc<Wait>> {
        self.wait.borrow().clone()
    }

    pub(super) fn set_wait(&self, wait: Option<Rc<Wait>>) {
        self.wait.replace(wait);
    }

    /// What a wait point must raise.
    pub(super) fn due(&self) -> Option<What> {
        frames::due(&self.stacks.borrow(), self.request.borrow().as_ref())
    }
}
