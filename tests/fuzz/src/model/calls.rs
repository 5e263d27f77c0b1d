//! The steps that wait for objects, as the model does them.

use super::choice::Choice;
use super::steps::{Doer, Done};
use super::sync::{Semaphore, Served};
use super::wait::Stop;
use crate::history::Seen;
use crate::program::{Arm, Body, How, Op, Step};

impl<'a> Doer<'a> {
    /// The steps that ask one object for one thing.
    pub(super) async fn call(self, step: &Step) -> Result<Seen, Stop> {
        let world = self.world;
        Ok(match &step.1 {
            Op::Send(place, how) => self.send(step, *place, *how).await?,
            Op::Recv(place, how) => self.recv(step, *place, *how).await?,
            Op::Select(arms, how) => self.select(step, arms, *how).await?,
            Op::DropSender(place) => {
                let channel = &world.channels[*place];
                gone(channel.senders.give_up(), || channel.sender_gone(world))
            }
            Op::DropReceiver(place) => {
                let channel = &world.channels[*place];
                gone(channel.receivers.give_up(), || channel.receiver_gone(world))
            }
            Op::Set(place) => after(|| world.signals[*place].set(world)),
            Op::Clear(place) => after(|| world.signals[*place].clear()),
            Op::Await(place, how) => self.await_signal(step, *place, *how).await?,
            Op::Put(place, how) => {
                self.begins(step, *how);
                world.queues[*place].put(world, step.0, *how).await?
            }
            Op::Get(place, how) => {
                self.begins(step, *how);
                world.queues[*place].get(world, *how).await?
            }
            Op::CloseQueue(place) => after(|| world.queues[*place].close(world)),
            Op::TaskDone(place) => Seen::Says(world.queues[*place].task_done(world)),
            Op::JoinQueue(place, how) => self.join_queue(step, *place, *how).await?,
            Op::NotifyOne(place) => after(|| world.condvars[*place].notify_one(world)),
            Op::NotifyAll(place) => after(|| world.condvars[*place].notify_all(world)),
            Op::Meet(place, how) => {
                self.begins(step, *how);
                world.barriers[*place].meet(world, *how).await?
            }
            Op::AbortBarrier(place) => after(|| world.barriers[*place].send_away(world, true)),
            Op::ResetBarrier(place) => after(|| world.barriers[*place].send_away(world, false)),
            Op::SendOne(place) => world.oneshots[*place].send(world, step.0),
            Op::RecvOne(place, how) => self.recv_one(step, *place, *how).await?,
            Op::DropOneSender(place) => {
                let there = world.oneshots[*place].drop_sender(world);
                gone(there, || ())
            }
            Op::DropOneReceiver(place) => {
                let oneshot = &world.oneshots[*place];
                gone(oneshot.receivers.give_up(), || oneshot.receiver_gone())
            }
            Op::Park(how) => {
                self.begins(step, *how);
                world.park_alone(world.deadline(*how)).await.map(done)?
            }
            _ => self.own(step).await?,
        })
    }

    pub(super) async fn lock(self, step: &'a Step, mutex: usize, how: How, body: &'a Body) -> Done {
        let mutex = &self.world.mutexes[mutex];
        let tried = mutex.enter(self.world, how);
        self.begins(step, how);
        let served = tried.await?;
        if served != Served::Yes {
            return self.not_served(step, served);
        }
        let _ = self.see(step, Seen::Done);
        let done = self.all(body).await;
        mutex.leave(self.world);
        done
    }

    pub(super) async fn acquire(
        self,
        step: &'a Step,
        semaphore: &Semaphore,
        count: usize,
        how: How,
        body: &'a Body,
    ) -> Done {
        self.begins(step, how);
        let served = semaphore.acquire(self.world, count, how).await?;
        if served != Served::Yes {
            return self.not_served(step, served);
        }
        let _ = self.see(step, Seen::Done);
        let done = self.all(body).await;
        semaphore.release(self.world, count);
        done
    }

    pub(super) fn not_served(self, step: &Step, served: Served) -> Done {
        match served {
            Served::Refused => self.see(step, Seen::Refused),
            _ => self.see(step, Seen::Elapsed),
        }
    }

    pub(super) async fn send(self, step: &Step, place: usize, how: How) -> Result<Seen, Stop> {
        let channel = &self.world.channels[place];
        if !channel.senders.clone_own() {
            return Ok(Seen::Missing);
        }
        self.begins(step, how);
        let sent = channel.send(self.world, step.0, how).await;
        channel.sender_gone(self.world);
        sent
    }

    pub(super) async fn recv(self, step: &Step, place: usize, how: How) -> Result<Seen, Stop> {
        let channel = &self.world.channels[place];
        if !channel.receivers.clone_own() {
            return Ok(Seen::Missing);
        }
        self.begins(step, how);
        let received = channel.recv(self.world, how).await;
        channel.receiver_gone(self.world);
        received
    }

    async fn select(self, step: &Step, arms: &[Arm], how: How) -> Result<Seen, Stop> {
        let world = self.world;
        let there: Vec<_> = arms
            .iter()
            .enumerate()
            .filter(|(_, arm)| self.takes_end(**arm))
            .collect();
        if there.is_empty() {
            return Ok(Seen::Missing);
        }
        self.begins(step, how);
        let choices = there.iter().enumerate();
        let choices: Vec<_> = choices
            .map(|(case, (_, arm))| Choice::new(world, case, **arm, step.0))
            .collect();
        let selected = world.select(&choices, how).await;
        let seen = selected.map(|selected| match selected {
            Ok((case, seen)) => {
                let _ = self.see(step, Seen::Chose(there[case].0));
                seen
            }
            Err(nothing) => nothing,
        });
        there.iter().for_each(|(_, arm)| self.gives_end(**arm));
        seen
    }

    /// Takes a share in the end of the channel that this arm needs, if it is there.
    fn takes_end(self, arm: Arm) -> bool {
        match arm {
            Arm::Send(place) => self.world.channels[place].senders.clone_own(),
            Arm::Recv(place) => self.world.channels[place].receivers.clone_own(),
            Arm::After(_) => true,
        }
    }

    /// Gives that back.
    fn gives_end(self, arm: Arm) {
        match arm {
            Arm::Send(place) => self.world.channels[place].sender_gone(self.world),
            Arm::Recv(place) => self.world.channels[place].receiver_gone(self.world),
            Arm::After(_) => {}
        }
    }

    pub(super) async fn await_signal(
        self,
        step: &Step,
        place: usize,
        how: How,
    ) -> Result<Seen, Stop> {
        let signal = &self.world.signals[place];
        if how == How::Try {
            return Ok(Seen::Says(signal.is_set()));
        }
        self.begins(step, how);
        Ok(match signal.wait(self.world, how).await? {
            Served::Yes => Seen::Done,
            _ => Seen::Elapsed,
        })
    }

    pub(super) async fn wait_cond(self, step: &Step, place: usize, mutex: usize, how: How) -> Done {
        let (world, mutex) = (self.world, &self.world.mutexes[mutex]);
        mutex.enter(world, How::Wait).await?;
        let _ = self.see(step, Seen::Began);
        let served = world.condvars[place].wait(world, mutex, how).await;
        let seen = served.map(|served| match served {
            Served::Yes => self.see(step, Seen::Done),
            _ => self.see(step, Seen::Elapsed),
        });
        mutex.leave(world);
        seen?
    }

    pub(super) async fn join_queue(
        self,
        step: &Step,
        place: usize,
        how: How,
    ) -> Result<Seen, Stop> {
        self.begins(step, how);
        Ok(
            match self.world.queues[place].join(self.world, how).await? {
                Served::Yes => Seen::Done,
                _ => Seen::Elapsed,
            },
        )
    }

    pub(super) async fn recv_one(self, step: &Step, place: usize, how: How) -> Result<Seen, Stop> {
        let oneshot = &self.world.oneshots[place];
        if !oneshot.receivers.clone_own() {
            return Ok(Seen::Missing);
        }
        self.begins(step, how);
        let received = oneshot.recv(self.world, how).await;
        oneshot.receiver_gone();
        received
    }
}

/// What comes of something that cannot fail.
pub(super) fn after(call: impl FnOnce()) -> Seen {
    call();
    Seen::Done
}

fn done((): ()) -> Seen {
    Seen::Done
}

/// One end of a channel is given up, if it was there.
fn gone(was_there: bool, go: impl FnOnce()) -> Seen {
    if was_there {
        go();
        Seen::Done
    } else {
        Seen::Missing
    }
}
