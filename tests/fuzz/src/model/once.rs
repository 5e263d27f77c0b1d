//! Values of the model that are written once, and mutexes that their owner may take again.

use std::cell::Cell;
use std::rc::Rc;

use super::sync::{Gate, Served};
use super::wait::{Ask, Grant, Line, Outcome, Place, Stop};
use super::world::World;
use crate::history::Seen;
use crate::program::How;

/// A value that is written once.
#[derive(Default)]
pub(super) struct Once {
    /// The value.
    pub(super) value: Cell<Option<usize>>,

    /// The number of whoever makes it.
    maker: Cell<Option<usize>>,

    /// Who waits to make it.
    makers: Line,

    /// Who waits for it.
    readers: Line,
}

impl Once {
    /// Whether whoever runs makes it already.
    pub(super) fn is_made_by(&self, number: usize) -> bool {
        self.maker.get() == Some(number)
    }

    /// Waits for its turn to make it; false when it is made.
    pub(super) async fn begin(&self, world: &World) -> Result<bool, Stop> {
        let place = Rc::new(Place::default());
        let pass_on = || self.wake_next(world);
        while self.value.get().is_none() {
            if self.maker.get().is_none() {
                self.maker.set(Some(world.current().number));
                return Ok(true);
            }
            let ask = Ask {
                line: Some((&self.makers, &place)),
                deadline: None,
                grant: Grant::GiveBack(&pass_on),
                left: &|| (),
            };
            world.park(ask).await?;
        }
        Ok(false)
    }

    /// Whoever makes it has, or gives the turn up.
    pub(super) fn finish(&self, world: &World, value: Option<usize>) {
        self.maker.set(None);
        self.value.set(value);
        if value.is_some() {
            self.makers.wake_all(world);
            self.readers.wake_all(world);
        } else {
            self.wake_next(world);
        }
    }

    fn wake_next(&self, world: &World) {
        if self.value.get().is_none() && self.maker.get().is_none() {
            self.makers.wake_first(world);
        }
    }

    pub(super) async fn wait(&self, world: &World, how: How) -> Result<Seen, Stop> {
        if self.value.get().is_none() && how == How::Try {
            return Ok(Seen::Refused);
        }
        if self.value.get().is_none() {
            let place = Rc::new(Place::default());
            let ask = Ask {
                line: Some((&self.readers, &place)),
                deadline: world.deadline(how),
                grant: Grant::GiveBack(&|| ()),
                left: &|| (),
            };
            if world.park(ask).await? == Outcome::TimedOut {
                return Ok(Seen::Elapsed);
            }
        }
        Ok(Seen::Heard(self.value.get().expect("it was waited for")))
    }
}

/// A mutex whose owner may take it again.
#[derive(Default)]
pub(super) struct Again {
    /// Who may be inside.
    gate: Gate,

    /// The number of whoever is.
    owner: Cell<Option<usize>>,

    /// How often.
    depth: Cell<usize>,
}

impl Again {
    pub(super) async fn enter(&self, world: &World, how: How) -> Result<Served, Stop> {
        let me = world.current().number;
        if self.owner.get() != Some(me) {
            let served = self.gate.enter(world, how).await?;
            if served != Served::Yes {
                return Ok(served);
            }
        }
        self.owner.set(Some(me));
        self.depth.set(self.depth.get() + 1);
        Ok(Served::Yes)
    }

    pub(super) fn leave(&self, world: &World) {
        self.depth.set(self.depth.get() - 1);
        if self.depth.get() == 0 {
            self.owner.set(None);
            self.gate.leave(world);
        }
    }
}
