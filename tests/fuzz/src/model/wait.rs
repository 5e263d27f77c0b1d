//! Waiting: who stands in which line, and how a wait ends.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Poll;

use super::frames::What;
use super::thread::Thread;
use super::timers::Target;
use super::world::World;
use crate::history::End;
use crate::program::Millis;

/// Why steps were left.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// The step with this number failed.
    Fail(usize),

    /// A request was raised.
    Request(What),

    /// A panic.
    Panic(Cause),

    /// A panic that its scope has kept.
    Kept,
}

/// What panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The step with this number.
    Step(usize),

    /// The root, because of a deadlock.
    Deadlock,

    /// The body of a generator that is closed.
    Close,

    /// The body of one into which the step with this number has thrown, as long as that is inside of it.
    Thrown(usize),

    /// A race that nobody won.
    NobodyWon,
}

impl Cause {
    /// How whoever it ends has ended.
    pub(super) fn end(self) -> End {
        match self {
            Cause::Step(step) => End::Panicked(Some(step)),
            Cause::Deadlock => End::Deadlock,
            Cause::Close | Cause::Thrown(_) | Cause::NobodyWon => End::Panicked(None),
        }
    }
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// A waker came.
    Granted,

    /// Its own deadline came.
    TimedOut,

    /// A request or a deadlock came.
    Interrupted,
}

/// What whoever waited is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was served.
    Granted,

    /// Its own deadline came.
    TimedOut,
}

/// One wait: the first to end it wins.
pub(super) struct Wait {
    /// Whose.
    owner: Rc<Thread>,

    /// How it ended.
    ended: Cell<Option<Ended>>,

    /// At which of its places it was granted.
    pub(super) case: Cell<usize>,

    /// Whether a request may end it.
    pub(super) interruptible: bool,
}

impl Wait {
    /// One of whoever runs, which a request may end.
    pub(super) fn new(owner: &Rc<Thread>) -> Rc<Self> {
        Rc::new(Wait {
            owner: Rc::clone(owner),
            ended: Cell::new(None),
            case: Cell::new(0),
            interruptible: owner.may_be_raised_in(),
        })
    }

    /// Ends it, if nothing else has: the owner is ready.
    pub(super) fn end(&self, world: &World, how: Ended) -> bool {
        let first = self.ended.get().is_none();
        if first {
            self.ended.set(Some(how));
            world.make_ready(&self.owner);
        }
        first
    }
}

/// A place in line, which is kept by one who was woken in vain.
#[derive(Default)]
pub(super) struct Place {
    /// When it came; 0 before.
    ticket: Cell<u64>,

    /// How much it waits for.
    pub(super) weight: usize,

    /// What is handed over.
    pub(super) slot: Cell<Option<usize>>,

    /// Which of several places of one wait it is.
    pub(super) case: usize,
}

impl Place {
    /// One of several of one wait.
    pub(super) fn of_case(case: usize) -> Self {
        Place {
            case,
            ..Place::default()
        }
    }

    /// For one who waits for so many.
    pub(super) fn for_so_many(weight: usize) -> Self {
        Place {
            weight,
            ..Place::default()
        }
    }
}

/// Those who wait for one thing.
#[derive(Default)]
pub(super) struct Line {
    /// From front to back.
    waiters: RefCell<Vec<(Rc<Place>, Rc<Wait>)>>,

    /// The ticket of the last to come.
    last: Cell<u64>,
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.waiters.borrow().is_empty()
    }

    pub(super) fn link(&self, place: &Rc<Place>, wait: &Rc<Wait>) {
        if place.ticket.get() == 0 {
            self.last.set(self.last.get() + 1);
            place.ticket.set(self.last.get());
        }
        let mut waiters = self.waiters.borrow_mut();
        let ticket = place.ticket.get();
        let at = waiters
            .iter()
            .position(|(other, _)| other.ticket.get() > ticket);
        let at = at.unwrap_or(waiters.len());
        waiters.insert(at, (Rc::clone(place), Rc::clone(wait)));
    }

    pub(super) fn unlink(&self, wait: &Rc<Wait>) {
        self.waiters
            .borrow_mut()
            .retain(|(_, other)| !Rc::ptr_eq(other, wait));
    }

    /// Wakes the first one whose wait has not ended otherwise, if the first in line waits for at most `most`.
    pub(super) fn wake_within(&self, world: &World, most: usize) -> Option<Rc<Place>> {
        loop {
            let mut waiters = self.waiters.borrow_mut();
            let first = waiters.first().filter(|(place, _)| place.weight <= most);
            first?;
            let (place, wait) = waiters.remove(0);
            drop(waiters);
            if wait.end(world, Ended::Granted) {
                wait.case.set(place.case);
                return Some(place);
            }
        }
    }

    /// The same, whatever it waits for.
    pub(super) fn wake_first(&self, world: &World) -> Option<Rc<Place>> {
        self.wake_within(world, usize::MAX)
    }

    /// Those who came after `from`, the ticket of somebody, and whose wait has not ended.
    pub(super) fn open_after(&self, from: u64) -> Vec<Rc<Place>> {
        let waiters = self.waiters.borrow();
        let open = waiters
            .iter()
            .filter(|(_, wait)| wait.ended.get().is_none());
        let places = open.map(|(place, _)| Rc::clone(place));
        places.filter(|place| place.ticket.get() > from).collect()
    }

    /// The ticket of the last to come.
    pub(super) fn last(&self) -> u64 {
        self.last.get()
    }

    /// Wakes everybody.
    pub(super) fn wake_all(&self, world: &World) {
        while self.wake_first(world).is_some() {}
    }
}

/// What becomes of a grant of one who is also requested.
pub(super) enum Grant<'a> {
    /// It is given back by this call.
    GiveBack(&'a dyn Fn()),

    /// It is kept, and the request is raised at the next wait point.
    Keep,

    /// No request ends this wait.
    Protected,
}

/// Everything about one wait.
pub(super) struct Ask<'a> {
    /// Where it stands; in no line when it waits for a moment alone.
    pub(super) line: Option<(&'a Line, &'a Rc<Place>)>,

    /// Until when.
    pub(super) deadline: Option<Millis>,

    /// What becomes of an unused grant.
    pub(super) grant: Grant<'a>,

    /// Called after leaving the line without a grant.
    pub(super) left: &'a dyn Fn(),
}

impl World {
    /// The one door: waits, and raises what is due before and after.
    pub(super) async fn park(&self, ask: Ask<'_>) -> Result<Outcome, Stop> {
        self.park_after(ask, || ()).await
    }

    /// The same; `last` is done when nothing is raised any more before waiting.
    pub(super) async fn park_after(
        &self,
        ask: Ask<'_>,
        last: impl FnOnce(),
    ) -> Result<Outcome, Stop> {
        let me = self.current();
        let protected = matches!(ask.grant, Grant::Protected);
        let interruptible = !protected && me.may_be_raised_in();
        if interruptible {
            self.checkpoint()?;
        }
        let wait = Rc::new(Wait {
            owner: Rc::clone(&me),
            ended: Cell::new(None),
            case: Cell::new(0),
            interruptible,
        });
        if let Some((line, place)) = ask.line {
            line.link(place, &wait);
        }
        last();
        let ended = self.suspend(&me, &wait, ask.deadline).await;
        if ended == Ended::Granted {
            return self.granted(&me, ask.grant, interruptible);
        }
        if let Some((line, _)) = ask.line {
            line.unlink(&wait);
            (ask.left)();
        }
        self.checkpoint()?;
        if ended == Ended::TimedOut {
            return Ok(Outcome::TimedOut);
        }
        assert!(
            self.take_deadlock(),
            "the model was interrupted with nothing to raise"
        );
        Err(Stop::Panic(Cause::Deadlock))
    }

    /// One who was served, and may also be requested.
    fn granted(&self, me: &Thread, grant: Grant<'_>, interruptible: bool) -> Result<Outcome, Stop> {
        match (grant, me.due()) {
            (Grant::GiveBack(give_back), Some(what)) if interruptible => {
                give_back();
                return Err(Stop::Request(what));
            }
            (Grant::Protected, _) => {}
            // The root unwinds: it is told on stderr.
            _ if !interruptible && me.number == 0 => drop(self.take_deadlock()),
            _ => {}
        }
        Ok(Outcome::Granted)
    }

    pub(super) async fn suspend(
        &self,
        me: &Thread,
        wait: &Rc<Wait>,
        deadline: Option<Millis>,
    ) -> Ended {
        let timer = deadline.map(|deadline| {
            let target = Target::Wait(Rc::clone(wait));
            self.timers.set(&self.order, deadline, target)
        });
        me.set_wait(Some(Rc::clone(wait)));
        switch_away().await;
        me.set_wait(None);
        if let Some(timer) = timer {
            self.timers.remove(timer);
        }
        wait.ended
            .get()
            .expect("nobody runs again before its wait has ended")
    }

    /// Lets the others go first, then raises what is due.
    pub(super) async fn yield_now(&self) -> Result<(), Stop> {
        self.make_ready(&self.current());
        switch_away().await;
        self.checkpoint()
    }

    /// Raises what is due, unless the running one unwinds.
    pub(super) fn checkpoint(&self) -> Result<(), Stop> {
        let me = self.current();
        let due = me.due().filter(|_| me.may_be_raised_in());
        due.map_or(Ok(()), |what| Err(Stop::Request(what)))
    }

    /// Waits for a moment.
    pub(super) async fn sleep(&self, limit: Millis) -> Result<(), Stop> {
        self.sleep_until(self.now.get() + limit).await
    }

    /// Waits until this moment; when it has passed, only lets the others go first.
    pub(super) async fn sleep_until(&self, moment: Millis) -> Result<(), Stop> {
        if moment <= self.now.get() {
            return self.yield_now().await;
        }
        let ask = Ask {
            line: None,
            deadline: Some(moment),
            grant: Grant::Keep,
            left: &|| (),
        };
        self.park(ask).await.map(drop)
    }

    /// Waits until somebody calls, or until then.
    pub(super) async fn park_alone(&self, deadline: Option<Millis>) -> Result<(), Stop> {
        let me = self.current();
        if me.token.take() {
            return Ok(());
        }
        let ask = Ask {
            line: None,
            deadline,
            grant: Grant::GiveBack(&|| me.token.set(true)),
            left: &|| (),
        };
        me.parked.set(true);
        let parked = self.park(ask).await;
        me.parked.set(false);
        parked.map(drop)
    }

    /// Calls one who parks, or lets it pass the next time.
    pub(super) fn unpark(&self, thread: &Thread) {
        let wait = thread.wait().filter(|_| thread.parked.get());
        if !wait.is_some_and(|wait| wait.end(self, Ended::Granted)) {
            thread.token.set(true);
        }
    }
}

/// Back to the loop, once; or to whoever drives a generator.
pub(super) async fn switch_away() {
    let mut has_been = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut has_been, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}
