//! Channels of the model: with room, and with none (a rendezvous).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::wait::{Ask, Grant, Line, Outcome, Place, Stop};
use super::world::World;
use crate::history::Seen;
use crate::program::How;

/// A channel.
pub(super) struct Channel {
    /// How many messages it holds at most.
    pub(super) capacity: usize,

    /// Its messages.
    messages: RefCell<VecDeque<usize>>,

    /// How many senders there are, and whether the program's own is among them.
    pub(super) senders: Ends,

    /// The same for receivers.
    pub(super) receivers: Ends,

    /// Who waits for a message.
    pub(super) receiving: Line,

    /// Who waits for room.
    pub(super) sending: Line,
}

/// The ends of one kind.
pub(super) struct Ends {
    /// How many there are.
    count: Cell<usize>,

    /// Whether the program's own is among them.
    own: Cell<bool>,
}

impl Ends {
    pub(super) fn new() -> Self {
        Ends {
            count: Cell::new(1),
            own: Cell::new(true),
        }
    }

    /// One more, made from the program's own, if that is there.
    pub(super) fn clone_own(&self) -> bool {
        self.count
            .set(self.count.get() + usize::from(self.own.get()));
        self.own.get()
    }

    /// Gives the program's own up; false when it was before.
    pub(super) fn give_up(&self) -> bool {
        self.own.replace(false)
    }

    /// Whether there are none.
    pub(super) fn are_gone(&self) -> bool {
        self.count.get() == 0
    }

    /// One less; true when it was the last.
    pub(super) fn is_last(&self) -> bool {
        self.count.set(self.count.get() - 1);
        self.count.get() == 0
    }
}

impl Channel {
    pub(super) fn new(capacity: Option<usize>) -> Self {
        Channel {
            capacity: capacity.unwrap_or(usize::MAX),
            messages: RefCell::default(),
            senders: Ends::new(),
            receivers: Ends::new(),
            receiving: Line::default(),
            sending: Line::default(),
        }
    }

    fn has_room(&self) -> bool {
        self.messages.borrow().len() < self.capacity
    }

    /// Sends at once, if that can be; none when it would have to wait.
    pub(super) fn put(&self, world: &World, item: usize) -> Option<Seen> {
        if self.receivers.count.get() == 0 {
            return Some(Seen::Closed);
        }
        if self.has_room() {
            self.messages.borrow_mut().push_back(item);
            self.receiving.wake_first(world);
            return Some(Seen::Done);
        }
        if self.capacity > 0 {
            return None;
        }
        let receiver = self.receiving.wake_first(world)?;
        receiver.slot.set(Some(item));
        Some(Seen::Done)
    }

    /// Receives at once, if that can be.
    pub(super) fn take(&self, world: &World) -> Option<Seen> {
        let first = self.messages.borrow_mut().pop_front();
        if let Some(item) = first {
            self.pass_room_on(world);
            return Some(Seen::Got(item));
        }
        if self.senders.count.get() == 0 {
            return Some(Seen::Closed);
        }
        if self.capacity > 0 {
            return None;
        }
        let sender = self.sending.wake_first(world)?;
        sender.slot.take().map(Seen::Got)
    }

    pub(super) fn pass_room_on(&self, world: &World) {
        if self.has_room() {
            self.sending.wake_first(world);
        }
    }

    pub(super) fn pass_message_on(&self, world: &World) {
        if !self.messages.borrow().is_empty() {
            self.receiving.wake_first(world);
        }
    }

    pub(super) async fn send(&self, world: &World, item: usize, how: How) -> Result<Seen, Stop> {
        if let Some(seen) = self.put(world, item) {
            return Ok(seen);
        }
        if how == How::Try {
            return Ok(Seen::Refused);
        }
        let place = Rc::new(Place::default());
        if self.capacity == 0 {
            place.slot.set(Some(item));
        }
        let pass_on = || self.pass_room_on(world);
        let deadline = world.deadline(how);
        loop {
            let ask = Ask {
                line: Some((&self.sending, &place)),
                deadline,
                grant: self.grant(&pass_on),
                left: &|| (),
            };
            let outcome = world.park(ask).await?;
            if self.capacity == 0 {
                return Ok(match (place.slot.get(), outcome) {
                    (None, _) => Seen::Done,
                    (Some(_), Outcome::Granted) => Seen::Closed,
                    (Some(_), Outcome::TimedOut) => Seen::Elapsed,
                });
            }
            if outcome == Outcome::TimedOut {
                return Ok(Seen::Elapsed);
            }
            if let Some(seen) = self.put(world, item) {
                return Ok(seen);
            }
        }
    }

    pub(super) async fn recv(&self, world: &World, how: How) -> Result<Seen, Stop> {
        if let Some(seen) = self.take(world) {
            return Ok(seen);
        }
        if how == How::Try {
            return Ok(Seen::Refused);
        }
        let place = Rc::new(Place::default());
        let pass_on = || self.pass_message_on(world);
        let deadline = world.deadline(how);
        loop {
            let ask = Ask {
                line: Some((&self.receiving, &place)),
                deadline,
                grant: self.grant(&pass_on),
                left: &|| (),
            };
            let outcome = world.park(ask).await?;
            if self.capacity == 0 {
                return Ok(match (place.slot.get(), outcome) {
                    (Some(item), _) => Seen::Got(item),
                    (None, Outcome::Granted) => Seen::Closed,
                    (None, Outcome::TimedOut) => Seen::Elapsed,
                });
            }
            if outcome == Outcome::TimedOut {
                return Ok(Seen::Elapsed);
            }
            if let Some(seen) = self.take(world) {
                return Ok(seen);
            }
        }
    }

    /// What is handed over is delivered; a wake goes to the next.
    fn grant<'a>(&self, pass_on: &'a dyn Fn()) -> Grant<'a> {
        if self.capacity == 0 {
            Grant::Keep
        } else {
            Grant::GiveBack(pass_on)
        }
    }

    /// A sender goes.
    pub(super) fn sender_gone(&self, world: &World) {
        if self.senders.is_last() {
            self.receiving.wake_all(world);
        }
    }

    /// A receiver goes.
    pub(super) fn receiver_gone(&self, world: &World) {
        if self.receivers.is_last() {
            self.messages.take();
            self.sending.wake_all(world);
        }
    }
}
