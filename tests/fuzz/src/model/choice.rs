//! Selections of the model: one wait with a place in several lines.

use std::rc::Rc;

use super::channel::Channel;
use super::wait::{Cause, Ended, Line, Place, Stop, Wait};
use super::world::World;
use crate::history::Seen;
use crate::program::{Arm, How};

/// An arm, and its place in line.
pub(super) struct Choice {
    /// What it does.
    arm: Arm,

    /// Its place.
    place: Rc<Place>,
}

impl Choice {
    /// The arm with this number, which would send `item`.
    pub(super) fn new(case: usize, arm: Arm, item: usize) -> Self {
        let place = Place::of_case(case);
        if let Arm::Send(_) = arm {
            place.slot.set(Some(item));
        }
        let place = Rc::new(place);
        Choice { arm, place }
    }

    fn channel<'a>(&self, world: &'a World) -> &'a Channel {
        let (Arm::Send(place) | Arm::Recv(place)) = self.arm;
        &world.channels[place]
    }

    fn line<'a>(&self, world: &'a World) -> &'a Line {
        match self.arm {
            Arm::Send(_) => &self.channel(world).sending,
            Arm::Recv(_) => &self.channel(world).receiving,
        }
    }

    /// Does it, if that can be done without waiting.
    fn attempt(&self, world: &World) -> Option<Seen> {
        let channel = self.channel(world);
        let in_slot = self.place.slot.take();
        match (self.arm, in_slot) {
            (Arm::Recv(_), Some(item)) => Some(Seen::Got(item)),
            (Arm::Recv(_), None) => channel.take(world),
            // A receiver has taken it.
            (Arm::Send(_), None) => Some(Seen::Done),
            (Arm::Send(_), Some(item)) => {
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
        let channel = self.channel(world);
        match self.arm {
            _ if channel.capacity == 0 => return false,
            Arm::Send(_) => channel.pass_room_on(world),
            Arm::Recv(_) => channel.pass_message_on(world),
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
            match self.wait_for_any(choices, first, deadline).await? {
                Some(number) => first = number,
                None => return Ok(Err(Seen::Elapsed)),
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
