//! Who of many has ended, for one who waits for them.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::thread::Thread;
use super::wait::{Ask, Grant, Line, Outcome, Place, Stop};
use super::world::World;
use crate::program::Millis;

/// The list of those who have ended.
#[derive(Default)]
pub(super) struct Tally {
    /// Their places, in the order of their ends.
    ended: RefCell<VecDeque<usize>>,

    /// How many were taken from the list.
    taken: Cell<usize>,

    /// With how many whoever waits goes on.
    wanted: Cell<usize>,

    /// Who waits.
    waiters: Line,
}

impl Tally {
    /// From now on the end of this one is noted, or at once.
    pub(super) fn watch(self: &Rc<Self>, world: &World, thread: &Thread, place: usize) {
        if thread.has_ended() {
            self.note(world, place);
        } else {
            thread.watcher.replace(Some((Rc::clone(self), place)));
        }
    }

    pub(super) fn note(&self, world: &World, place: usize) {
        self.ended.borrow_mut().push_back(place);
        if self.count() >= self.wanted.get() {
            self.waiters.wake_first(world);
        }
    }

    fn count(&self) -> usize {
        self.taken.get() + self.ended.borrow().len()
    }

    /// The place of the next one, if it has ended in time.
    pub(super) async fn next(
        &self,
        world: &World,
        deadline: Option<Millis>,
    ) -> Result<Option<usize>, Stop> {
        let grant = || Grant::Keep;
        self.wait_for(world, self.taken.get() + 1, deadline, grant)
            .await?;
        let next = self.ended.borrow_mut().pop_front();
        self.taken
            .set(self.taken.get() + usize::from(next.is_some()));
        Ok(next)
    }

    /// Waits until so many have ended.
    pub(super) async fn wait_for(
        &self,
        world: &World,
        wanted: usize,
        deadline: Option<Millis>,
        grant: impl Fn() -> Grant<'static>,
    ) -> Result<(), Stop> {
        let place = Rc::new(Place::default());
        while self.count() < wanted {
            self.wanted.set(wanted);
            let ask = Ask {
                line: Some((&self.waiters, &place)),
                deadline,
                grant: grant(),
                left: &|| (),
            };
            if world.park(ask).await? == Outcome::TimedOut {
                break;
            }
        }
        Ok(())
    }
}
