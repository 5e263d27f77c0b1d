//! Oneshot channels of the model.

use std::cell::Cell;
use std::rc::Rc;

use super::channel::Ends;
use super::wait::{Ask, Grant, Line, Outcome, Place, Stop};
use super::world::World;
use crate::history::Seen;
use crate::program::How;

/// A oneshot channel.
pub(super) struct Oneshot {
    /// Its message.
    message: Cell<Option<usize>>,

    /// Whether its sender is there.
    sender: Cell<bool>,

    /// Whoever has its receiver.
    pub(super) receivers: Ends,

    /// Who waits for the message.
    receiving: Line,
}

impl Default for Oneshot {
    fn default() -> Self {
        Oneshot {
            message: Cell::new(None),
            sender: Cell::new(true),
            receivers: Ends::new(),
            receiving: Line::default(),
        }
    }
}

impl Oneshot {
    pub(super) fn send(&self, world: &World, item: usize) -> Seen {
        if !self.sender.get() {
            return Seen::Missing;
        }
        let closed = self.receivers.are_gone();
        if !closed {
            self.message.set(Some(item));
        }
        self.drop_sender(world);
        if closed { Seen::Closed } else { Seen::Done }
    }

    /// The sender goes; false when it had.
    pub(super) fn drop_sender(&self, world: &World) -> bool {
        let there = self.sender.replace(false);
        if there {
            self.receiving.wake_all(world);
        }
        there
    }

    /// A receiver goes.
    pub(super) fn receiver_gone(&self) {
        if self.receivers.is_last() {
            self.message.take();
        }
    }

    pub(super) async fn recv(&self, world: &World, how: How) -> Result<Seen, Stop> {
        let place = Rc::new(Place::default());
        let deadline = world.deadline(how);
        loop {
            if let Some(item) = self.message.take() {
                return Ok(Seen::Got(item));
            }
            if !self.sender.get() {
                return Ok(Seen::Closed);
            }
            if how == How::Try {
                return Ok(Seen::Refused);
            }
            let ask = Ask {
                line: Some((&self.receiving, &place)),
                deadline,
                grant: Grant::Keep,
                left: &|| (),
            };
            if world.park(ask).await? == Outcome::TimedOut {
                return Ok(Seen::Elapsed);
            }
        }
    }
}
