//! Watched values of the model.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::sync::Gate;
use super::wait::{Ask, Grant, Line, Outcome, Place, Stop};
use super::world::World;
use crate::history::Seen;
use crate::program::How;

/// The newest version that a receiver has seen.
type Watcher = Rc<Cell<u64>>;

/// A watched value with one sender and two receivers that may be given up.
pub(super) struct Watch {
    /// The value.
    value: Cell<usize>,

    /// How often it has changed.
    version: Cell<u64>,

    /// Held while the next value is made of the present one.
    pub(super) writing: Gate,

    /// The sender, unless it was given up.
    sender: RefCell<Option<Rc<()>>>,

    /// Whether nobody has it any more.
    is_last: Cell<bool>,

    /// How many receivers there are, those included that were given up and still wait.
    receivers: Cell<usize>,

    /// The receivers that were not given up.
    watchers: RefCell<[Option<Watcher>; 2]>,

    /// Who waits for a change.
    changing: Line,

    /// Who waits for the end of the last receiver.
    closing: Line,
}

impl Default for Watch {
    fn default() -> Self {
        Watch {
            value: Cell::new(0),
            version: Cell::new(0),
            writing: Gate::default(),
            sender: RefCell::new(Some(Rc::default())),
            is_last: Cell::new(false),
            receivers: Cell::new(2),
            watchers: RefCell::new([Some(Watcher::default()), Some(Watcher::default())]),
            changing: Line::default(),
            closing: Line::default(),
        }
    }
}

impl Watch {
    /// A share in the sender.
    pub(super) fn sender(&self) -> Option<Rc<()>> {
        self.sender.borrow().clone()
    }

    /// Gives that back.
    pub(super) fn let_sender_go(&self, world: &World, sender: Rc<()>) {
        if Rc::strong_count(&sender) == 1 {
            self.is_last.set(true);
            self.changing.wake_all(world);
        }
    }

    pub(super) fn drop_sender(&self, world: &World) -> Seen {
        let sender = self.sender.take();
        sender.map_or(Seen::Missing, |sender| {
            self.let_sender_go(world, sender);
            Seen::Done
        })
    }

    /// A share in a receiver.
    pub(super) fn watcher(&self, which: usize) -> Option<Watcher> {
        self.watchers.borrow()[which].clone()
    }

    /// Gives that back.
    fn let_go(&self, world: &World, watcher: Watcher) {
        if Rc::strong_count(&watcher) == 1 {
            self.receivers.set(self.receivers.get() - 1);
            if self.receivers.get() == 0 {
                self.closing.wake_all(world);
            }
        }
    }

    pub(super) fn drop_watcher(&self, world: &World, which: usize) -> Seen {
        let watcher = self.watchers.borrow_mut()[which].take();
        watcher.map_or(Seen::Missing, |watcher| {
            self.let_go(world, watcher);
            Seen::Done
        })
    }

    pub(super) fn watch_anew(&self, world: &World, which: usize) -> Seen {
        if self.sender.borrow().is_none() {
            return Seen::Missing;
        }
        self.receivers.set(self.receivers.get() + 1);
        let new = Rc::new(Cell::new(self.version.get()));
        let old = self.watchers.borrow_mut()[which].replace(new);
        old.into_iter().for_each(|old| self.let_go(world, old));
        Seen::Done
    }

    pub(super) fn replace(&self, world: &World, value: usize) {
        self.value.set(value);
        self.version.set(self.version.get() + 1);
        self.changing.wake_all(world);
    }

    /// Sends through this share of the sender.
    pub(super) async fn show(&self, world: &World, value: usize) -> Result<Seen, Stop> {
        if self.receivers.get() == 0 {
            return Ok(Seen::Closed);
        }
        self.writing.enter(world, How::Wait).await?;
        self.replace(world, value);
        self.writing.leave(world);
        Ok(Seen::Done)
    }

    pub(super) fn look(&self, which: usize) -> Seen {
        let watchers = self.watchers.borrow();
        watchers[which].as_ref().map_or(Seen::Missing, |watcher| {
            watcher.set(self.version.get());
            Seen::Heard(self.value.get())
        })
    }

    pub(super) async fn changed(
        &self,
        world: &World,
        watcher: Watcher,
        how: How,
    ) -> Result<Seen, Stop> {
        let changed = match how {
            How::Try => Ok(self.has_changed(&watcher)),
            _ => self.wait_for_change(world, &watcher, how).await,
        };
        self.let_go(world, watcher);
        changed
    }

    fn has_changed(&self, watcher: &Cell<u64>) -> Seen {
        let changed = self.version.get() > watcher.get();
        if !changed && self.is_last.get() {
            return Seen::Closed;
        }
        Seen::Says(changed)
    }

    async fn wait_for_change(
        &self,
        world: &World,
        watcher: &Cell<u64>,
        how: How,
    ) -> Result<Seen, Stop> {
        let attempt = || match self.has_changed(watcher) {
            Seen::Says(true) => {
                watcher.set(self.version.get());
                Some(Seen::Done)
            }
            Seen::Closed => Some(Seen::Closed),
            _ => None,
        };
        wait(world, &self.changing, how, attempt).await
    }

    pub(super) async fn unwatched(&self, world: &World, how: How) -> Result<Seen, Stop> {
        let is_closed = || self.receivers.get() == 0;
        if how == How::Try {
            return Ok(Seen::Says(is_closed()));
        }
        let attempt = || is_closed().then_some(Seen::Done);
        wait(world, &self.closing, how, attempt).await
    }
}

/// Waits in this line after each attempt that came to nothing.
async fn wait(
    world: &World,
    line: &Line,
    how: How,
    attempt: impl Fn() -> Option<Seen>,
) -> Result<Seen, Stop> {
    let place = Rc::new(Place::default());
    let deadline = world.deadline(how);
    loop {
        if let Some(seen) = attempt() {
            return Ok(seen);
        }
        let ask = Ask {
            line: Some((line, &place)),
            deadline,
            grant: Grant::GiveBack(&|| ()),
            left: &|| (),
        };
        if world.park(ask).await? == Outcome::TimedOut {
            return Ok(Seen::Elapsed);
        }
    }
}
