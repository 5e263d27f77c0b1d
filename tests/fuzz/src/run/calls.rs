//! The steps that wait for objects, as calls of the library.

use std::time::{Duration, Instant};

use greenthread::channel::{
    Receiver, RecvTimeoutError, Select, SendTimeoutError, Sender, TryRecvError, TrySendError,
    after as moment_after,
};
use greenthread::sync::{
    BarrierTimeoutError, GetTimeoutError, PutTimeoutError, TryGetError, TryPutError,
};
use greenthread::{park, park_timeout};

use super::objects::{Among, Holding, Inside};
use super::steps::Doer;
use super::world::Returned;
use crate::history::Seen;
use crate::program::{Arm, Body, How, Millis, Op, Step};

/// One end of a channel.
enum End {
    /// Where it is sent.
    Send(Sender<usize>),

    /// Where it is received.
    Recv(Receiver<usize>),

    /// Where a moment is.
    After(Receiver<Instant>),
}

impl Doer<'_, '_, '_> {
    /// The steps with a body inside of something.
    pub(super) fn inside(self, step: &Step) -> Returned {
        match &step.1 {
            Op::Lock(place, how, body) => self.lock(step, *place, *how, body),
            Op::Acquire(place, count, how, body) => self.acquire(step, *place, *count, *how, body),
            Op::Read(place, how, body) => self.read(step, *place, *how, body),
            Op::Write(place, how, body) => self.write(step, *place, *how, body),
            Op::Relock(place, how, body) => self.relock(step, *place, *how, body),
            Op::Modify(place, body) => self.modify(step, *place, body),
            Op::Init(place, body) => self.init(step, *place, body),
            other => unreachable!("{} has no inside", other.name()),
        }
    }

    /// The steps that ask one object for one thing.
    pub(super) fn call(self, step: &Step) -> Seen {
        let objects = &self.world.objects;
        match &step.1 {
            Op::Send(place, how) => self.send(step, *place, *how),
            Op::Recv(place, how) => self.recv(step, *place, *how),
            Op::Select(arms, how) => self.select(step, arms, *how),
            Op::DropSender(place) => gone(objects.senders[*place].take()),
            Op::DropReceiver(place) => gone(objects.receivers[*place].take()),
            Op::Set(place) => after(|| objects.events[*place].set()),
            Op::Clear(place) => after(|| objects.events[*place].clear()),
            Op::Await(place, how) => self.await_event(step, *place, *how),
            Op::Put(place, how) => self.put(step, *place, *how),
            Op::Get(place, how) => self.get(step, *place, *how),
            Op::CloseQueue(place) => after(|| objects.queues[*place].queue.close()),
            Op::TaskDone(place) => Seen::Says(objects.queues[*place].task_done()),
            Op::JoinQueue(place, how) => self.join_queue(step, *place, *how),
            Op::NotifyOne(place) => after(|| objects.condvars[*place].notify_one()),
            Op::NotifyAll(place) => after(|| objects.condvars[*place].notify_all()),
            Op::Meet(place, how) => self.meet(step, *place, *how),
            Op::AbortBarrier(place) => after(|| objects.barriers[*place].abort()),
            Op::ResetBarrier(place) => after(|| objects.barriers[*place].reset()),
            Op::SendOne(place) => self.send_one(step, *place),
            Op::RecvOne(place, how) => self.recv_one(step, *place, *how),
            Op::DropOneSender(place) => gone(objects.oneshots[*place].sender.take()),
            Op::DropOneReceiver(place) => gone(objects.oneshots[*place].receiver.take()),
            Op::Park(how) => self.park(step, *how),
            Op::SetOnce(place) => self.set_once(step, *place),
            Op::WaitOnce(place, how) => self.wait_once(step, *place, *how),
            Op::Tick(place) => self.tick(*place),
            _ => self.spread(step),
        }
    }

    fn lock(self, step: &Step, mutex: usize, how: How, body: &Body) -> Returned {
        let mutex = &self.world.objects.mutexes[mutex];
        let guard = match how {
            How::Wait => mutex.lock(),
            How::Try => match mutex.try_lock() {
                Some(guard) => guard,
                None => return self.not_served(step, Seen::Refused),
            },
            How::Within(limit) => match mutex.lock_timeout(self.begun(step, limit)) {
                Ok(guard) => guard,
                Err(_) => return self.not_served(step, Seen::Elapsed),
            },
        };
        let _inside = Inside::new(self.world, &guard);
        self.see(step, Seen::Done);
        self.all(body)
    }

    fn read(self, step: &Step, place: usize, how: How, body: &Body) -> Returned {
        let lock = &self.world.objects.rw_locks[place];
        let guard = match how {
            How::Wait => lock.read(),
            How::Try => match lock.try_read() {
                Some(guard) => guard,
                None => return self.not_served(step, Seen::Refused),
            },
            How::Within(limit) => match lock.read_timeout(self.begun(step, limit)) {
                Ok(guard) => guard,
                Err(_) => return self.not_served(step, Seen::Elapsed),
            },
        };
        let _among = Among::reader(self.world, &guard);
        self.see(step, Seen::Done);
        self.all(body)
    }

    fn write(self, step: &Step, place: usize, how: How, body: &Body) -> Returned {
        let lock = &self.world.objects.rw_locks[place];
        let guard = match how {
            How::Wait => lock.write(),
            How::Try => match lock.try_write() {
                Some(guard) => guard,
                None => return self.not_served(step, Seen::Refused),
            },
            How::Within(limit) => match lock.write_timeout(self.begun(step, limit)) {
                Ok(guard) => guard,
                Err(_) => return self.not_served(step, Seen::Elapsed),
            },
        };
        let _among = Among::writer(self.world, &guard);
        self.see(step, Seen::Done);
        self.all(body)
    }

    fn acquire(self, step: &Step, place: usize, count: usize, how: How, body: &Body) -> Returned {
        let permits = &self.world.objects.semaphores[place];
        let semaphore = &permits.semaphore;
        let _permit = match how {
            How::Wait => semaphore.acquire_many(count),
            How::Try => match semaphore.try_acquire_many(count) {
                Some(permit) => permit,
                None => return self.not_served(step, Seen::Refused),
            },
            How::Within(limit) => {
                match semaphore.acquire_many_timeout(count, self.begun(step, limit)) {
                    Ok(permit) => permit,
                    Err(_) => return self.not_served(step, Seen::Elapsed),
                }
            }
        };
        let _holding = Holding::new(self.world, permits, count);
        self.see(step, Seen::Done);
        self.all(body)
    }

    pub(super) fn not_served(self, step: &Step, what: Seen) -> Returned {
        self.see(step, what);
        Ok(())
    }

    /// Something with a limit begins.
    pub(super) fn begun(self, step: &Step, limit: Millis) -> Duration {
        self.see(step, Seen::Began);
        duration(limit)
    }

    fn send(self, step: &Step, place: usize, how: How) -> Seen {
        let sender = self.world.objects.senders[place].borrow().clone();
        let Some(sender) = sender else {
            return Seen::Missing;
        };
        match how {
            How::Wait => sender.send(step.0).map_or(Seen::Closed, done),
            How::Try => match sender.try_send(step.0) {
                Ok(()) => Seen::Done,
                Err(TrySendError::Full(item)) => self.back(step, item, Seen::Refused),
                Err(TrySendError::Disconnected(item)) => self.back(step, item, Seen::Closed),
            },
            How::Within(limit) => match sender.send_timeout(step.0, self.begun(step, limit)) {
                Ok(()) => Seen::Done,
                Err(SendTimeoutError::Timeout(item)) => self.back(step, item, Seen::Elapsed),
                Err(SendTimeoutError::Disconnected(item)) => self.back(step, item, Seen::Closed),
            },
        }
    }

    /// An item comes back to its sender.
    fn back(self, step: &Step, item: usize, what: Seen) -> Seen {
        if item != step.0 {
            let fault = format!("step {} gets {item} back, which it did not send", step.0);
            self.world.fault(fault);
        }
        what
    }

    fn recv(self, step: &Step, place: usize, how: How) -> Seen {
        let receiver = self.world.objects.receivers[place].borrow().clone();
        let Some(receiver) = receiver else {
            return Seen::Missing;
        };
        match how {
            How::Wait => receiver.recv().map_or(Seen::Closed, Seen::Got),
            How::Try => match receiver.try_recv() {
                Ok(item) => Seen::Got(item),
                Err(TryRecvError::Empty) => Seen::Refused,
                Err(TryRecvError::Disconnected) => Seen::Closed,
            },
            How::Within(limit) => match receiver.recv_timeout(self.begun(step, limit)) {
                Ok(item) => Seen::Got(item),
                Err(RecvTimeoutError::Timeout) => Seen::Elapsed,
                Err(RecvTimeoutError::Disconnected) => Seen::Closed,
            },
        }
    }

    fn select(self, step: &Step, arms: &[Arm], how: How) -> Seen {
        let arms = arms.iter().enumerate();
        let ends: Vec<_> = arms
            .filter_map(|(number, arm)| Some((number, self.end(*arm)?)))
            .collect();
        if ends.is_empty() {
            return Seen::Missing;
        }
        let mut select = Select::new();
        for (_, end) in &ends {
            match end {
                End::Send(sender) => select.send(sender, step.0),
                End::Recv(receiver) => select.recv(receiver),
                End::After(moment) => select.recv(moment),
            };
        }
        let selected = match how {
            How::Wait => select.select(),
            How::Try => match select.try_select() {
                Ok(selected) => selected,
                Err(_) => return Seen::Refused,
            },
            How::Within(limit) => match select.select_timeout(self.begun(step, limit)) {
                Ok(selected) => selected,
                Err(_) => return Seen::Elapsed,
            },
        };
        let (number, end) = &ends[selected.index()];
        self.see(step, Seen::Chose(*number));
        match end {
            End::Send(sender) => selected.send(sender).map_or(Seen::Closed, done),
            End::Recv(receiver) => selected.recv(receiver).map_or(Seen::Closed, Seen::Got),
            End::After(moment) => {
                let due = selected.recv(moment);
                due.map_or(Seen::Closed, |due| Seen::Ticked(self.world.since(due)))
            }
        }
    }

    /// The end of the channel that this arm needs, if it is there.
    fn end(self, arm: Arm) -> Option<End> {
        let objects = &self.world.objects;
        match arm {
            Arm::Send(place) => objects.senders[place].borrow().clone().map(End::Send),
            Arm::Recv(place) => objects.receivers[place].borrow().clone().map(End::Recv),
            Arm::After(limit) => Some(End::After(moment_after(duration(limit)))),
        }
    }

    fn await_event(self, step: &Step, place: usize, how: How) -> Seen {
        let event = &self.world.objects.events[place];
        match how {
            How::Wait => after(|| event.wait()),
            How::Try => Seen::Says(event.is_set()),
            How::Within(limit) => {
                let waited = event.wait_timeout(self.begun(step, limit));
                waited.map_or(Seen::Elapsed, done)
            }
        }
    }

    fn put(self, step: &Step, place: usize, how: How) -> Seen {
        let queue = &self.world.objects.queues[place];
        let seen = match how {
            How::Wait => queue.queue.put(step.0).map_or(Seen::Closed, done),
            How::Try => match queue.queue.try_put(step.0) {
                Ok(()) => Seen::Done,
                Err(TryPutError::Full(item)) => self.back(step, item, Seen::Refused),
                Err(TryPutError::Closed(item)) => self.back(step, item, Seen::Closed),
            },
            How::Within(limit) => match queue.queue.put_timeout(step.0, self.begun(step, limit)) {
                Ok(()) => Seen::Done,
                Err(PutTimeoutError::Elapsed(item)) => self.back(step, item, Seen::Elapsed),
                Err(PutTimeoutError::Closed(item)) => self.back(step, item, Seen::Closed),
            },
        };
        if seen == Seen::Done {
            queue.put();
        }
        seen
    }

    fn get(self, step: &Step, place: usize, how: How) -> Seen {
        let queue = &self.world.objects.queues[place].queue;
        match how {
            How::Wait => queue.get().map_or(Seen::Closed, Seen::Got),
            How::Try => match queue.try_get() {
                Ok(item) => Seen::Got(item),
                Err(TryGetError::Empty) => Seen::Refused,
                Err(TryGetError::Closed) => Seen::Closed,
            },
            How::Within(limit) => match queue.get_timeout(self.begun(step, limit)) {
                Ok(item) => Seen::Got(item),
                Err(GetTimeoutError::Elapsed) => Seen::Elapsed,
                Err(GetTimeoutError::Closed) => Seen::Closed,
            },
        }
    }

    fn join_queue(self, step: &Step, place: usize, how: How) -> Seen {
        let queue = &self.world.objects.queues[place].queue;
        match how {
            How::Within(limit) => {
                let joined = queue.join_timeout(self.begun(step, limit));
                joined.map_or(Seen::Elapsed, done)
            }
            How::Wait | How::Try => after(|| queue.join()),
        }
    }

    pub(super) fn wait_cond(self, step: &Step, place: usize, mutex: usize, how: How) -> Returned {
        let objects = &self.world.objects;
        let mut guard = objects.mutexes[mutex].lock();
        self.see(step, Seen::Began);
        let woken = match how {
            How::Within(limit) => objects.condvars[place].wait_timeout(&mut guard, duration(limit)),
            How::Wait | How::Try => {
                objects.condvars[place].wait(&mut guard);
                true
            }
        };
        let _inside = Inside::new(self.world, &guard);
        self.see(step, if woken { Seen::Done } else { Seen::Elapsed });
        Ok(())
    }

    fn meet(self, step: &Step, place: usize, how: How) -> Seen {
        let barrier = &self.world.objects.barriers[place];
        match how {
            How::Wait => barrier
                .wait()
                .map_or(Seen::Broken, |wait| Seen::Met(wait.position())),
            How::Try => match barrier.try_wait() {
                Ok(Some(wait)) => Seen::Met(wait.position()),
                Ok(None) => Seen::Refused,
                Err(_) => Seen::Broken,
            },
            How::Within(limit) => match barrier.wait_timeout(self.begun(step, limit)) {
                Ok(wait) => Seen::Met(wait.position()),
                Err(BarrierTimeoutError::Broken) => Seen::Broken,
                Err(BarrierTimeoutError::Elapsed) => Seen::Elapsed,
            },
        }
    }

    fn send_one(self, step: &Step, place: usize) -> Seen {
        let sender = self.world.objects.oneshots[place].sender.take();
        let Some(sender) = sender else {
            return Seen::Missing;
        };
        sender.send(step.0).map_or(Seen::Closed, done)
    }

    fn recv_one(self, step: &Step, place: usize, how: How) -> Seen {
        let receiver = self.world.objects.oneshots[place].receiver.borrow().clone();
        let Some(receiver) = receiver else {
            return Seen::Missing;
        };
        match how {
            How::Wait => receiver.recv().map_or(Seen::Closed, Seen::Got),
            How::Try => match receiver.try_recv() {
                Ok(item) => Seen::Got(item),
                Err(TryRecvError::Empty) => Seen::Refused,
                Err(TryRecvError::Disconnected) => Seen::Closed,
            },
            How::Within(limit) => match receiver.recv_timeout(self.begun(step, limit)) {
                Ok(item) => Seen::Got(item),
                Err(RecvTimeoutError::Timeout) => Seen::Elapsed,
                Err(RecvTimeoutError::Disconnected) => Seen::Closed,
            },
        }
    }

    fn park(self, step: &Step, how: How) -> Seen {
        match how {
            How::Within(limit) => park_timeout(self.begun(step, limit)),
            How::Wait | How::Try => park(),
        }
        Seen::Done
    }
}

pub(super) fn duration(limit: Millis) -> Duration {
    Duration::from_millis(limit)
}

/// What comes of something that cannot fail.
pub(super) fn after(call: impl FnOnce()) -> Seen {
    call();
    Seen::Done
}

fn done((): ()) -> Seen {
    Seen::Done
}

/// One end of a channel is given up.
fn gone<T>(end: Option<T>) -> Seen {
    end.map_or(Seen::Missing, |_| Seen::Done)
}
