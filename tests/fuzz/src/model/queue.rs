//! Queues of the model.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::sync::Served;
use super::wait::{Ask, Grant, Line, Outcome, Place, Stop};
use super::world::World;
use crate::history::Seen;
use crate::program::{self, How};

/// A queue.
pub(super) struct Queue {
    /// Which item comes first, and how many it holds.
    kind: program::Queue,

    /// Its items, in the order of coming.
    items: RefCell<Vec<usize>>,

    /// Whether it is closed.
    closed: Cell<bool>,

    /// How many items were put and not dealt with.
    unfinished: Cell<usize>,

    /// Who waits for an item.
    getters: Line,

    /// Who waits for room.
    putters: Line,

    /// Who waits until all are dealt with.
    joiners: Line,
}

impl Queue {
    pub(super) fn new(kind: program::Queue) -> Self {
        Queue {
            kind,
            items: RefCell::default(),
            closed: Cell::new(false),
            unfinished: Cell::new(0),
            getters: Line::default(),
            putters: Line::default(),
            joiners: Line::default(),
        }
    }

    fn has_room(&self) -> bool {
        let (program::Queue::Line(most) | program::Queue::Pile(most) | program::Queue::Order(most)) =
            self.kind;
        most.is_none_or(|most| self.items.borrow().len() < most)
    }

    fn put_now(&self, world: &World, item: usize) -> Option<Seen> {
        if self.closed.get() {
            return Some(Seen::Closed);
        }
        if !self.has_room() {
            return None;
        }
        self.items.borrow_mut().push(item);
        self.unfinished.set(self.unfinished.get() + 1);
        self.getters.wake_first(world);
        Some(Seen::Done)
    }

    fn get_now(&self, world: &World) -> Option<Seen> {
        let item = self.pop();
        if let Some(item) = item {
            self.putters.wake_first(world);
            return Some(Seen::Got(item));
        }
        self.closed.get().then_some(Seen::Closed)
    }

    fn pop(&self) -> Option<usize> {
        let mut items = self.items.borrow_mut();
        let place = match self.kind {
            program::Queue::Line(_) => 0,
            program::Queue::Pile(_) => items.len().checked_sub(1)?,
            program::Queue::Order(_) => {
                let least = items.iter().min()?;
                items.iter().position(|item| item == least)?
            }
        };
        (place < items.len()).then(|| items.remove(place))
    }

    pub(super) async fn put(&self, world: &World, item: usize, how: How) -> Result<Seen, Stop> {
        let pass_on = || {
            if self.has_room() {
                self.putters.wake_first(world);
            }
        };
        self.again(world, &self.putters, &pass_on, how, || {
            self.put_now(world, item)
        })
        .await
    }

    pub(super) async fn get(&self, world: &World, how: How) -> Result<Seen, Stop> {
        let pass_on = || {
            if !self.items.borrow().is_empty() {
                self.getters.wake_first(world);
            }
        };
        self.again(world, &self.getters, &pass_on, how, || self.get_now(world))
            .await
    }

    /// Tries, and waits in this line after each try that came to nothing.
    async fn again(
        &self,
        world: &World,
        line: &Line,
        pass_on: &dyn Fn(),
        how: How,
        attempt: impl Fn() -> Option<Seen>,
    ) -> Result<Seen, Stop> {
        let place = Rc::new(Place::default());
        let deadline = world.deadline(how);
        loop {
            if let Some(seen) = attempt() {
                return Ok(seen);
            }
            if how == How::Try {
                return Ok(Seen::Refused);
            }
            let ask = Ask {
                line: Some((line, &place)),
                deadline,
                grant: Grant::GiveBack(pass_on),
                left: &|| (),
            };
            if world.park(ask).await? == Outcome::TimedOut {
                return Ok(Seen::Elapsed);
            }
        }
    }

    pub(super) fn close(&self, world: &World) {
        if !self.closed.replace(true) {
            self.getters.wake_all(world);
            self.putters.wake_all(world);
        }
    }

    /// One item less to deal with; false when there is none.
    pub(super) fn task_done(&self, world: &World) -> bool {
        let Some(left) = self.unfinished.get().checked_sub(1) else {
            return false;
        };
        self.unfinished.set(left);
        if left == 0 {
            self.joiners.wake_all(world);
        }
        true
    }

    pub(super) async fn join(&self, world: &World, how: How) -> Result<Served, Stop> {
        if self.unfinished.get() == 0 {
            return Ok(Served::Yes);
        }
        let place = Rc::new(Place::default());
        let ask = Ask {
            line: Some((&self.joiners, &place)),
            deadline: world.deadline(how),
            grant: Grant::GiveBack(&|| ()),
            left: &|| (),
        };
        world.park(ask).await.map(Served::from)
    }
}
