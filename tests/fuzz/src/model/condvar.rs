//! Condition variables of the model.

use std::cell::Cell;
use std::rc::Rc;

use super::sync::{Gate, Served};
use super::wait::{Ask, Grant, Line, Outcome, Place, Stop};
use super::world::World;
use crate::program::How;

/// A condition variable.
#[derive(Default)]
pub(super) struct Condvar {
    /// Who waits for it.
    waiters: Line,
}

impl Condvar {
    pub(super) fn notify_one(&self, world: &World) {
        self.waiters.wake_first(world);
    }

    pub(super) fn notify_all(&self, world: &World) {
        self.waiters.wake_all(world);
    }

    /// Leaves the gate and waits; it is inside again when it goes on, in whatever way. A notification that it does not use goes to the next.
    pub(super) async fn wait(&self, world: &World, gate: &Gate, how: How) -> Result<Served, Stop> {
        let place = Rc::new(Place::default());
        let ask = Ask {
            line: Some((&self.waiters, &place)),
            deadline: world.deadline(how),
            grant: Grant::GiveBack(&|| self.notify_one(world)),
            left: &|| (),
        };
        let left = Cell::new(false);
        let leave = || {
            left.set(true);
            gate.leave(world);
        };
        let waited = world.park_after(ask, leave).await;
        if left.get() {
            gate.enter_protected(world).await?;
        }
        let outcome = waited?;
        if let Err(stop) = world.checkpoint() {
            if outcome == Outcome::Granted {
                self.notify_one(world);
            }
            return Err(stop);
        }
        Ok(Served::from(outcome))
    }
}
