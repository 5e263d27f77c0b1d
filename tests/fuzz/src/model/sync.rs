//! Mutexes, semaphores and events of the model.

use std::cell::Cell;
use std::rc::Rc;

use super::wait::{Ask, Grant, Line, Outcome, Place, Stop};
use super::world::World;
use crate::program::{How, Millis};

/// As many permits as a lock for readers and writers has: a writer takes all.
pub(super) const ALL: usize = usize::MAX >> 1;

/// How a try to be served ended without a raise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Served {
    /// It was.
    Yes,

    /// It would have had to wait.
    Refused,

    /// Its limit passed.
    Elapsed,
}

impl From<Outcome> for Served {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Granted => Served::Yes,
            Outcome::TimedOut => Served::Elapsed,
        }
    }
}

impl World {
    /// When this limit ends.
    pub(super) fn deadline(&self, how: How) -> Option<Millis> {
        match how {
            How::Within(limit) => Some(self.now.get() + limit),
            How::Wait | How::Try => None,
        }
    }
}

/// A mutex: handed over in the order of coming.
#[derive(Default)]
pub(super) struct Gate {
    /// Whether somebody is inside.
    held: Cell<bool>,

    /// Who waits to be.
    waiters: Line,
}

impl Gate {
    pub(super) async fn enter(&self, world: &World, how: How) -> Result<Served, Stop> {
        if !self.held.replace(true) {
            return Ok(Served::Yes);
        }
        if how == How::Try {
            return Ok(Served::Refused);
        }
        let place = Rc::new(Place::default());
        let ask = Ask {
            line: Some((&self.waiters, &place)),
            deadline: world.deadline(how),
            grant: Grant::GiveBack(&|| self.leave(world)),
            left: &|| (),
        };
        world.park(ask).await.map(Served::from)
    }

    /// The same for one whom nothing may keep from it.
    pub(super) async fn enter_protected(&self, world: &World) -> Result<(), Stop> {
        if !self.held.replace(true) {
            return Ok(());
        }
        let place = Rc::new(Place::default());
        let ask = Ask {
            line: Some((&self.waiters, &place)),
            deadline: None,
            grant: Grant::Protected,
            left: &|| (),
        };
        world.park(ask).await.map(drop)
    }

    pub(super) fn leave(&self, world: &World) {
        let next = self.waiters.wake_first(world);
        self.held.set(next.is_some());
    }
}

/// A semaphore: nobody is served before somebody who came earlier.
pub(super) struct Semaphore {
    /// Permits that are there.
    available: Cell<usize>,

    /// Who waits for some.
    waiters: Line,
}

impl Semaphore {
    pub(super) fn new(permits: usize) -> Self {
        Semaphore {
            available: Cell::new(permits),
            waiters: Line::default(),
        }
    }

    pub(super) async fn acquire(
        &self,
        world: &World,
        count: usize,
        how: How,
    ) -> Result<Served, Stop> {
        if self.waiters.is_empty() && count <= self.available.get() {
            self.available.set(self.available.get() - count);
            return Ok(Served::Yes);
        }
        if how == How::Try {
            return Ok(Served::Refused);
        }
        let place = Rc::new(Place::for_so_many(count));
        let ask = Ask {
            line: Some((&self.waiters, &place)),
            deadline: world.deadline(how),
            grant: Grant::GiveBack(&|| self.release(world, count)),
            left: &|| self.hand_out(world),
        };
        world.park(ask).await.map(Served::from)
    }

    pub(super) fn release(&self, world: &World, count: usize) {
        self.available.set(self.available.get() + count);
        self.hand_out(world);
    }

    fn hand_out(&self, world: &World) {
        while let Some(place) = self.waiters.wake_within(world, self.available.get()) {
            self.available.set(self.available.get() - place.weight);
        }
    }
}

/// An event.
#[derive(Default)]
pub(super) struct Event {
    /// Whether it is set.
    set: Cell<bool>,

    /// Who waits for that.
    waiters: Line,
}

impl Event {
    pub(super) fn set(&self, world: &World) {
        if !self.set.replace(true) {
            self.waiters.wake_all(world);
        }
    }

    pub(super) fn clear(&self) {
        self.set.set(false);
    }

    pub(super) fn is_set(&self) -> bool {
        self.set.get()
    }

    pub(super) async fn wait(&self, world: &World, how: How) -> Result<Served, Stop> {
        if self.is_set() {
            return Ok(Served::Yes);
        }
        let place = Rc::new(Place::default());
        let ask = Ask {
            line: Some((&self.waiters, &place)),
            deadline: world.deadline(how),
            grant: Grant::GiveBack(&|| ()),
            left: &|| (),
        };
        world.park(ask).await.map(Served::from)
    }
}
