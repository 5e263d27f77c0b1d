//! Generators of the model: a future that its driver polls. What it waits for, its driver waits for.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::Poll;

use super::frames::Stack;
use super::wait::{Cause, Stop, switch_away};
use super::world::World;
use crate::history::{End, Seen};

/// What it does.
type Life = Pin<Box<dyn Future<Output = Result<(), Stop>>>>;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nobody has driven it.
    Unstarted,

    /// It stands at a yield.
    Suspended,

    /// Somebody drives it.
    Running,

    /// It has ended.
    Finished,
}

/// What its driver brings.
#[derive(Clone, Copy, Debug)]
enum Mail {
    /// An item.
    Item(usize),

    /// It is to end.
    Close,

    /// What the step with this number throws.
    Thrown(usize),
}

/// A generator.
pub(super) struct Coroutine {
    /// How far it is.
    phase: Cell<Phase>,

    /// What is left for it to do.
    life: RefCell<Option<Life>>,

    /// Where its frames stand.
    stack: Rc<Stack>,

    /// What it gives.
    out: Cell<Option<usize>>,

    /// What it is brought.
    mail: Cell<Option<Mail>>,
}

impl Coroutine {
    pub(super) fn new(life: impl FnOnce(&Rc<Coroutine>) -> Life) -> Rc<Self> {
        let coroutine = Rc::new(Coroutine {
            phase: Cell::new(Phase::Unstarted),
            life: RefCell::default(),
            stack: Stack::of_nobody(),
            out: Cell::new(None),
            mail: Cell::new(None),
        });
        let life = life(&coroutine);
        coroutine.life.replace(Some(life));
        coroutine
    }

    /// Drives it until it yields or ends.
    pub(super) async fn drive(&self, world: &World, item: usize) -> Result<Seen, Stop> {
        match self.phase.get() {
            Phase::Running => return Ok(Seen::Refused),
            Phase::Finished => return Ok(Seen::Closed),
            Phase::Suspended | Phase::Unstarted => self.mail.set(Some(Mail::Item(item))),
        }
        self.go_on(world).await
    }

    /// Has it end, by a raise at its yield; nothing when it runs.
    pub(super) async fn close(&self, world: &World) -> Result<Seen, Stop> {
        match self.phase.get() {
            Phase::Running => return Ok(Seen::Refused),
            Phase::Unstarted | Phase::Finished => {
                self.end();
                return Ok(Seen::Done);
            }
            Phase::Suspended => self.mail.set(Some(Mail::Close)),
        }
        match self.go_on(world).await {
            Err(Stop::Panic(Cause::Close)) => Ok(Seen::Done),
            other => other,
        }
    }

    /// Raises the number of a step at its yield. Outside of it, that is a panic like any other.
    pub(super) async fn throw(&self, world: &World, step: usize) -> Result<Seen, Stop> {
        match self.phase.get() {
            Phase::Running => return Ok(Seen::Refused),
            Phase::Unstarted | Phase::Finished => {
                self.end();
                return Err(Stop::Panic(Cause::Step(step)));
            }
            Phase::Suspended => {}
        }
        match self.raise(world, step).await {
            Err(Stop::Panic(Cause::Thrown(step))) => Err(Stop::Panic(Cause::Step(step))),
            other => other,
        }
    }

    async fn raise(&self, world: &World, step: usize) -> Result<Seen, Stop> {
        self.mail.set(Some(Mail::Thrown(step)));
        self.go_on(world).await
    }

    pub(super) fn is_unstarted(&self) -> bool {
        self.phase.get() == Phase::Unstarted
    }

    /// Yields what the other one yields, until that has ended.
    pub(super) async fn stand_in_for(
        &self,
        world: &World,
        other: &Coroutine,
    ) -> Result<Seen, Stop> {
        let mut came = other.drive(world, 0).await?;
        while let Seen::Yielded(item) = came {
            came = match self.exchange(item).await {
                Mail::Item(item) => other.drive(world, item).await?,
                Mail::Thrown(step) => other.raise(world, step).await?,
                Mail::Close => {
                    other.close(world).await?;
                    return Err(Stop::Panic(Cause::Close));
                }
            };
        }
        Ok(came)
    }

    async fn go_on(&self, world: &World) -> Result<Seen, Stop> {
        let me = world.current();
        self.phase.set(Phase::Running);
        *self.stack.owner.borrow_mut() = Rc::downgrade(&me);
        me.stacks.borrow_mut().push(Rc::clone(&self.stack));
        let mut life = self.life.take().expect("it has not ended");
        let came = poll_fn(|context| match life.as_mut().poll(context) {
            Poll::Ready(ended) => Poll::Ready(Err(ended)),
            Poll::Pending => self
                .out
                .take()
                .map_or(Poll::Pending, |out| Poll::Ready(Ok(out))),
        });
        let came = came.await;
        me.stacks.borrow_mut().pop();
        *self.stack.owner.borrow_mut() = Weak::new();
        let ended = match came {
            Ok(out) => {
                self.life.replace(Some(life));
                self.phase.set(Phase::Suspended);
                return Ok(Seen::Yielded(out));
            }
            Err(ended) => ended,
        };
        self.end();
        match ended {
            Ok(()) => Ok(Seen::Ended(End::Done)),
            Err(Stop::Fail(step)) => Ok(Seen::Ended(End::Failed(step))),
            Err(stop) => Err(stop),
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.phase.get() == Phase::Finished
    }

    /// Nothing more of it is done.
    pub(super) fn end(&self) {
        self.phase.set(Phase::Finished);
        self.life.take();
    }

    /// Gives an item to its driver, and takes what it is brought.
    pub(super) async fn yield_out(&self, item: usize) -> Result<Seen, Stop> {
        match self.exchange(item).await {
            Mail::Item(item) => Ok(Seen::Sent(item)),
            Mail::Close => Err(Stop::Panic(Cause::Close)),
            Mail::Thrown(step) => Err(Stop::Panic(Cause::Thrown(step))),
        }
    }

    async fn exchange(&self, item: usize) -> Mail {
        self.out.set(Some(item));
        switch_away().await;
        self.mail.take().expect("a driver brings something")
    }
}
