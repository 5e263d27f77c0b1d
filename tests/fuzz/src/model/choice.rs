//! Selections of the model: one wait with a place in several lines.

use std::cell::Cell;
use std::rc::Rc;

use super::wait::{Cause, Ended, Line, Place, Stop, Wait};
use super::world::World;
use crate::history::Seen;
use crate::program::{Arm, How, Millis};

/// An arm, and its place in line.
pub(super) struct Choice {
    /// What it does.
    arm: Arm,

    /// Its place.
    place: Rc<Place>,

    /// When there is something, if the clock says so.
    due: Cell<Option<Millis>>,

    /// Where it waits, if it waits for a moment: nobody wakes it there.
    alone: Line,
}

impl Choice {
    /// The arm with this number, which would send `item`.
    pub(super) fn new(world: &World, case: usize, arm: Arm, item: usize) -> Self {
        let place = Place::of_case(case);
        if let Arm::Send(_) = arm {
            place.slot.set(Some(item));
        }
        let due = match arm {
            Arm::After(limit) => Some(world.now.get() + limit),
            Arm::Send(_) | Arm::Recv(_) => None,
        };
        Choice {
            arm,
            place: Rc::new(place),
            due: Cell::new(due),
            alone: Line::default(),
        }
    }

    fn line<'a>(&'a self, world: &'a World) -> &'a Line {
        match self.arm {
            Arm::Send(place) => &world.channels[place].sending,
            Arm::Recv(place) => &world.channels[place].receiving,
            Arm::After(_) => &self.alone,
        }
    }

    /// The message of a moment that has come.
    fn moment(&self, world: &World) -> Option<Seen> {
        let due = self.due.get().filter(|due| *due <= world.now.get())?;
        self.due.set(None);
        Some(Seen::Ticked(due))
    }

    /// Does it, if that can be done without waiting.
    fn attempt(&self, world: &World) -> Option<Seen> {
        let (Arm::Send(place) | Arm::Recv(place)) = self.arm else {
            return self.moment(world);
        };
        let channel = &world.channels[place];
        let in_slot = self.place.slot.take();
        match (self.arm, in_slot) {
            (Arm::Recv(_), Some(item)) => Some(Seen::Got(item)),
            (Arm::Recv(_), None) => channel.take(world),
            // A receiver has taken it.
            (_, None) => Some(Seen::Done),
            (_, Some(item)) => {
                let sent = channel.put(world, item);
                if sent.is_none() {
                    self.place.slot.set(Some(item));
                }
                sent
            }
        }
    }

    /// A wake that is not used goes to the next; false when it is used all the same, because something was handed over.
    fn give_back(&self, world: &World) -> bool {
        let (Arm::Send(place) | Arm::Recv(place)) = self.arm else {
            return true;
        };
        let channel = &world.channels[place];
        match self.arm {
            _ if channel.capacity == 0 => return false,
            Arm::Send(_) => channel.pass_room_on(world),
            _ => channel.pass_message_on(world),
        }
        true
    }
}

impl World {
    /// Does one of these, from an arm that is chosen round; its number among them, and what came of it.
    pub(super) async fn select(
        &self,
        choices: &[Choice],
        how: How,
    ) -> Result<Result<(usize, Seen), Seen>, Stop> {
        let mut first = self.order.first_arm(choices.len());
        let mut deadline = None;
        loop {
            let mut round = (first..choices.len()).chain(0..first);
            let done = round.find_map(|number| Some((number, choices[number].attempt(self)?)));
            if let Some(done) = done {
                return Ok(Ok(done));
            }
            if how == How::Try {
                return Ok(Err(Seen::Refused));
            }
            deadline = deadline.or(self.deadline(how));
            let due = choices.iter().filter_map(|choice| choice.due.get());
            let until = due.chain(deadline).min();
            if let Some(number) = self.wait_for_any(choices, first, until).await? {
                first = number;
                continue;
            }
            let mut round = (first..choices.len()).chain(0..first);
            let done = round.find_map(|number| Some((number, choices[number].moment(self)?)));
            if let Some(done) = done {
                return Ok(Ok(done));
            }
            if deadline.is_some_and(|deadline| deadline <= self.now.get()) {
                return Ok(Err(Seen::Elapsed));
            }
        }
    }

    /// Waits until one of them may be done; its number, or none when the deadline came first.
    async fn wait_for_any(
        &self,
        choices: &[Choice],
        first: usize,
        deadline: Option<u64>,
    ) -> Result<Option<usize>, Stop> {
        let me = self.current();
        self.checkpoint()?;
        let wait = Wait::new(&me);
        for choice in choices[first..].iter().chain(&choices[..first]) {
            choice.line(self).link(&choice.place, &wait);
        }
        let ended = self.suspend(&me, &wait, deadline).await;
        for choice in choices {
            choice.line(self).unlink(&wait);
        }
        let number = wait.case.get();
        match ended {
            Ended::Granted if !wait.interruptible => {
                if me.number == 0 {
                    self.take_deadlock();
                }
                Ok(Some(number))
            }
            Ended::Granted => match me.due() {
                Some(what) if choices[number].give_back(self) => Err(Stop::Request(what)),
                _ => Ok(Some(number)),
            },
            Ended::TimedOut => self.checkpoint().map(|()| None),
            Ended::Interrupted => {
                self.checkpoint()?;
                assert!(
                    self.take_deadlock(),
                    "a selection was interrupted with nothing to raise"
                );
                Err(Stop::Panic(Cause::Deadlock))
            }
        }
    }
}
