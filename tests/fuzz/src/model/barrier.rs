//! Barriers of the model.

use std::cell::Cell;
use std::rc::Rc;

use super::wait::{Ask, Grant, Line, Outcome, Place, Stop};
use super::world::World;
use crate::history::Seen;
use crate::program::How;

/// A barrier.
pub(super) struct Barrier {
    /// How many must meet.
    parties: usize,

    /// Whether it is broken.
    broken: Cell<bool>,

    /// The ticket of the last who came in an earlier round.
    round: Cell<u64>,

    /// Who has come in this one, and those of earlier ones who have not gone on yet.
    waiters: Line,
}

impl Barrier {
    pub(super) fn new(parties: usize) -> Self {
        Barrier {
            parties,
            broken: Cell::new(false),
            round: Cell::new(0),
            waiters: Line::default(),
        }
    }

    pub(super) async fn meet(&self, world: &World, how: How) -> Result<Seen, Stop> {
        if self.broken.get() {
            return Ok(Seen::Broken);
        }
        let others = self.parties - 1;
        let there = self.waiters.open_after(self.round.get());
        if there.len() >= others {
            for (number, place) in there.iter().enumerate() {
                place.slot.set(Some(number));
            }
            self.next_round(world);
            return Ok(Seen::Met(others));
        }
        if how == How::Try {
            return Ok(Seen::Refused);
        }
        let place = Rc::new(Place::default());
        let ask = Ask {
            line: Some((&self.waiters, &place)),
            deadline: world.deadline(how),
            grant: Grant::GiveBack(&|| ()),
            left: &|| (),
        };
        Ok(match world.park(ask).await? {
            Outcome::TimedOut => Seen::Elapsed,
            Outcome::Granted => place.slot.get().map_or(Seen::Broken, Seen::Met),
        })
    }

    fn next_round(&self, world: &World) {
        self.round.set(self.waiters.last());
        self.waiters.wake_all(world);
    }

    /// Sends everybody away; from now on it is broken, or as new.
    pub(super) fn send_away(&self, world: &World, broken: bool) {
        self.broken.set(broken);
        self.next_round(world);
    }
}
