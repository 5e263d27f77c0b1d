//! The steps that wait for objects, as the model does them.

use super::steps::{Doer, Done};
use super::sync::{Semaphore, Served};
use super::wait::Stop;
use crate::history::Seen;
use crate::program::{Body, How, Step};

impl<'a> Doer<'a> {
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
