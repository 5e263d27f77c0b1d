//! Broadcast channels of the model.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::wait::{Ask, Grant, Line, Outcome, Place, Stop};
use super::world::World;
use crate::history::Seen;
use crate::program::How;

/// The number of the message that a receiver gets next.
type Hearer = Rc<Cell<u64>>;

/// A broadcast channel with two receivers that may be given up.
pub(super) struct Broadcast {
    /// The newest messages, oldest first.
    kept: RefCell<VecDeque<usize>>,

    /// How many it keeps at most.
    capacity: usize,

    /// The number of the next message.
    next: Cell<u64>,

    /// Whether its sender is there.
    sender: Cell<bool>,

    /// How many receivers there are, those included that were given up and still wait.
    receivers: Cell<usize>,

    /// The receivers that were not given up.
    hearers: RefCell<[Option<Hearer>; 2]>,

    /// Who waits for a message.
    receiving: Line,
}

impl Broadcast {
    pub(super) fn new(capacity: usize) -> Self {
        Broadcast {
            kept: RefCell::default(),
            capacity,
            next: Cell::new(0),
            sender: Cell::new(true),
            receivers: Cell::new(2),
            hearers: RefCell::new([Some(Hearer::default()), Some(Hearer::default())]),
            receiving: Line::default(),
        }
    }

    pub(super) fn tell(&self, world: &World, item: usize) -> Seen {
        match (self.sender.get(), self.receivers.get()) {
            (false, _) => Seen::Missing,
            (true, 0) => Seen::Closed,
            (true, receivers) => {
                let mut kept = self.kept.borrow_mut();
                if kept.len() == self.capacity {
                    kept.pop_front();
                }
                kept.push_back(item);
                self.next.set(self.next.get() + 1);
                self.receiving.wake_all(world);
                Seen::Told(receivers)
            }
        }
    }

    pub(super) fn subscribe(&self, which: usize) -> Seen {
        if !self.sender.get() {
            return Seen::Missing;
        }
        self.receivers.set(self.receivers.get() + 1);
        let new = Rc::new(Cell::new(self.next.get()));
        let old = self.hearers.borrow_mut()[which].replace(new);
        old.into_iter().for_each(|old| self.let_go(old));
        Seen::Done
    }

    pub(super) fn drop_sender(&self, world: &World) -> Seen {
        if !self.sender.replace(false) {
            return Seen::Missing;
        }
        self.receiving.wake_all(world);
        Seen::Done
    }

    pub(super) fn drop_hearer(&self, which: usize) -> Seen {
        let hearer = self.hearers.borrow_mut()[which].take();
        hearer.map_or(Seen::Missing, |hearer| {
            self.let_go(hearer);
            Seen::Done
        })
    }

    /// One who has had this receiver has it no more.
    fn let_go(&self, hearer: Hearer) {
        if Rc::strong_count(&hearer) == 1 {
            self.receivers.set(self.receivers.get() - 1);
            if self.receivers.get() == 0 {
                self.kept.take();
            }
        }
    }

    pub(super) fn hearer(&self, which: usize) -> Option<Hearer> {
        self.hearers.borrow()[which].clone()
    }

    pub(super) async fn hear(&self, world: &World, hearer: Hearer, how: How) -> Result<Seen, Stop> {
        let heard = self.recv(world, &hearer, how).await;
        self.let_go(hearer);
        heard
    }

    fn take(&self, hearer: &Cell<u64>) -> Option<Seen> {
        let kept = self.kept.borrow();
        let (wanted, oldest) = (hearer.get(), self.next.get() - kept.len() as u64);
        if wanted < oldest {
            hearer.set(oldest);
            return Some(Seen::Missed(oldest - wanted));
        }
        match kept.get((wanted - oldest) as usize) {
            Some(item) => {
                hearer.set(wanted + 1);
                Some(Seen::Heard(*item))
            }
            None => (!self.sender.get()).then_some(Seen::Closed),
        }
    }

    async fn recv(&self, world: &World, hearer: &Cell<u64>, how: How) -> Result<Seen, Stop> {
        let place = Rc::new(Place::default());
        let deadline = world.deadline(how);
        loop {
            if let Some(seen) = self.take(hearer) {
                return Ok(seen);
            }
            if how == How::Try {
                return Ok(Seen::Refused);
            }
            let ask = Ask {
                line: Some((&self.receiving, &place)),
                deadline,
                grant: Grant::GiveBack(&|| ()),
                left: &|| (),
            };
            if world.park(ask).await? == Outcome::TimedOut {
                return Ok(Seen::Elapsed);
            }
        }
    }
}
