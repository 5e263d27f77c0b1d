//! The steps that wait for objects.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use greenthread::channel::{Receiver, Select, Sender, after};
use greenthread::{park, park_timeout};

use super::steps::{Doer, Returned, duration};
use super::world::{WRITER, Way, World};
use crate::program::{Arm, Body, How, Op, Step};

/// One end of a channel, and its place.
enum End<'a> {
    /// Where it is sent.
    Send(usize, &'a Sender<usize>),

    /// Where it is received.
    Recv(usize, &'a Receiver<usize>),

    /// Where a moment is.
    After(Receiver<std::time::Instant>),
}

/// One is inside once more until this is dropped.
struct Deeper<'a>(&'a World, &'a AtomicUsize, usize);

impl<'a> Deeper<'a> {
    fn new(world: &'a World, depth: &'a AtomicUsize) -> Self {
        let before = depth.load(Ordering::Relaxed);
        depth.store(before + 1, Ordering::Relaxed);
        Deeper(world, depth, before)
    }
}

impl Drop for Deeper<'_> {
    fn drop(&mut self) {
        if self.1.swap(self.2, Ordering::Relaxed) != self.2 + 1 {
            self.0.fault("two are inside one mutex".into());
        }
    }
}

impl Doer<'_, '_, '_> {
    pub(super) fn wait(self, step: &Step) -> Returned {
        match &step.1 {
            Op::Lock(place, how, body) => self.lock(*place, *how, body),
            Op::Acquire(place, count, how, body) => self.acquire(*place, *count, *how, body),
            Op::Read(place, how, body) => self.read(*place, *how, body),
            Op::Write(place, how, body) => self.write(*place, *how, body),
            Op::Relock(place, how, body) => self.relock(*place, *how, body),
            Op::Init(place, body) => self.init(step, *place, body),
            Op::Modify(place, body) => self.modify(step, *place, body),
            _ => {
                self.wait_for_one(step);
                Ok(())
            }
        }
    }

    /// What cannot be done here is left out.
    fn wait_for_one(self, step: &Step) {
        let world = self.world;
        match &step.1 {
            Op::Send(place, how) => self.send(step, *place, *how),
            Op::Recv(place, how) => self.recv(*place, *how),
            Op::Select(arms, how) => self.select(step, arms, *how),
            Op::Set(place) => world.events[*place].set(),
            Op::Clear(place) => world.events[*place].clear(),
            Op::Await(place, how) => match self.limit(*how) {
                None => world.events[*place].wait(),
                Some(limit) => drop(world.events[*place].wait_timeout(limit)),
            },
            Op::Put(place, how) => self.put(step, *place, *how),
            Op::Get(place, how) => self.get(*place, *how),
            Op::WaitCond(place, mutex, how) => self.wait_cond(*place, *mutex, *how),
            Op::NotifyOne(place) => world.condvars[*place].notify_one(),
            Op::NotifyAll(place) => world.condvars[*place].notify_all(),
            Op::Meet(place, how) => match self.limit(*how) {
                None => drop(world.barriers[*place].wait()),
                Some(limit) => drop(world.barriers[*place].wait_timeout(limit)),
            },
            Op::SendOne(place) => self.send_one(step, *place),
            Op::RecvOne(place, how) => self.recv_one(*place, *how),
            Op::Tell(place) => drop(world.broadcasts[*place].0.send(step.0)),
            Op::Hear(place, which, how) => self.hear(*place, *which, *how),
            Op::Show(place) if !self.bounded => drop(world.watches[*place].0.send(step.0)),
            Op::Changed(place, which, how) => {
                let watcher = &world.watches[*place].1[*which];
                match self.limit(*how) {
                    None => drop(watcher.changed()),
                    Some(limit) => drop(watcher.changed_timeout(limit)),
                }
            }
            Op::WaitOnce(place, how) => match self.limit(*how) {
                None => drop(*world.onces[*place].0.wait()),
                Some(limit) => drop(world.onces[*place].0.wait_timeout(limit)),
            },
            Op::Park(how) => match self.limit(*how) {
                None => park(),
                Some(limit) => park_timeout(limit),
            },
            _ => {}
        }
    }

    fn lock(self, place: usize, how: How, body: &Body) -> Returned {
        let mutex = &self.world.mutexes[place];
        let _guard = match self.limit(how) {
            None => mutex.lock.lock(),
            Some(limit) => match mutex.lock.lock_timeout(limit) {
                Ok(guard) => guard,
                Err(_) => return Ok(()),
            },
        };
        let _inside = mutex.enter(self.world, 1);
        self.within(body)
    }

    fn acquire(self, place: usize, count: usize, how: How, body: &Body) -> Returned {
        let semaphore = &self.world.semaphores[place];
        let _permit = match self.limit(how) {
            None => semaphore.lock.acquire_many(count),
            Some(limit) => match semaphore.lock.acquire_many_timeout(count, limit) {
                Ok(permit) => permit,
                Err(_) => return Ok(()),
            },
        };
        let _inside = semaphore.enter(self.world, count as isize);
        self.within(body)
    }

    fn read(self, place: usize, how: How, body: &Body) -> Returned {
        let lock = &self.world.rw_locks[place];
        let _guard = match self.limit(how) {
            None => lock.lock.read(),
            Some(limit) => match lock.lock.read_timeout(limit) {
                Ok(guard) => guard,
                Err(_) => return Ok(()),
            },
        };
        let _inside = lock.enter(self.world, 1);
        self.within(body)
    }

    fn write(self, place: usize, how: How, body: &Body) -> Returned {
        let lock = &self.world.rw_locks[place];
        let _guard = match self.limit(how) {
            None => lock.lock.write(),
            Some(limit) => match lock.lock.write_timeout(limit) {
                Ok(guard) => guard,
                Err(_) => return Ok(()),
            },
        };
        let _inside = lock.enter(self.world, WRITER);
        self.within(body)
    }

    /// How deep its owner is inside stands in it; nobody else may change that meanwhile.
    fn relock(self, place: usize, how: How, body: &Body) -> Returned {
        let again = &self.world.agains[place];
        let depth = match self.limit(how) {
            None => again.lock(),
            Some(limit) => match again.lock_timeout(limit) {
                Ok(guard) => guard,
                Err(_) => return Ok(()),
            },
        };
        let _deeper = Deeper::new(self.world, &depth);
        self.within(body)
    }

    /// An initialiser that asks for its own value would be a misuse, so nothing is initialised inside of anything. And to wait for another's turn has no limit.
    fn init(self, step: &Step, place: usize, body: &Body) -> Returned {
        if self.holds || self.bounded {
            return self.all(body);
        }
        let (once, made) = &self.world.onces[place];
        let value = once.get_or_try_init(|| {
            self.within(body)?;
            made.fetch_add(1, Ordering::SeqCst);
            Ok(step.0)
        });
        value.map(drop)
    }

    /// Nothing is modified inside of anything: it might be modified there already, by whoever does it. And to wait for others has no limit.
    fn modify(self, step: &Step, place: usize, body: &Body) -> Returned {
        if self.holds || self.bounded {
            return self.all(body);
        }
        let mut returned = Ok(());
        self.world.watches[place].0.send_if_modified(|value| {
            returned = self.within(body);
            *value = step.0;
            returned.is_ok()
        });
        returned
    }

    fn send(self, step: &Step, place: usize, how: How) {
        let sender = &self.world.channels[place].0;
        let is_sent = match self.limit(how) {
            None => sender.send(step.0).is_ok(),
            Some(limit) => sender.send_timeout(step.0, limit).is_ok(),
        };
        if is_sent {
            self.world.sent(Way::Channel(place), step.0);
        }
    }

    fn recv(self, place: usize, how: How) {
        let receiver = &self.world.channels[place].1;
        let item = match self.limit(how) {
            None => receiver.recv().ok(),
            Some(limit) => receiver.recv_timeout(limit).ok(),
        };
        self.note(Way::Channel(place), item);
    }

    fn note(self, way: Way, item: Option<usize>) {
        item.into_iter().for_each(|item| self.world.got(way, item));
    }

    fn select(self, step: &Step, arms: &[Arm], how: How) {
        let ends = arms.iter().map(|arm| match arm {
            Arm::Send(place) => End::Send(*place, &self.world.channels[*place].0),
            Arm::Recv(place) => End::Recv(*place, &self.world.channels[*place].1),
            Arm::After(limit) => End::After(after(duration(*limit))),
        });
        let ends: Vec<_> = ends.collect();
        let mut select = Select::new();
        for end in &ends {
            match end {
                End::Send(_, sender) => select.send(sender, step.0),
                End::Recv(_, receiver) => select.recv(receiver),
                End::After(moment) => select.recv(moment),
            };
        }
        let selected = match self.limit(how) {
            None => select.select(),
            Some(limit) => match select.select_timeout(limit) {
                Ok(selected) => selected,
                Err(_) => return,
            },
        };
        match &ends[selected.index()] {
            End::Send(place, sender) => {
                if selected.send(sender).is_ok() {
                    self.world.sent(Way::Channel(*place), step.0);
                }
            }
            End::Recv(place, receiver) => {
                let item = selected.recv(receiver).ok();
                self.note(Way::Channel(*place), item);
            }
            End::After(moment) => drop(selected.recv(moment)),
        }
    }

    fn put(self, step: &Step, place: usize, how: How) {
        let queue = &self.world.queues[place];
        let is_put = match self.limit(how) {
            None => queue.put(step.0).is_ok(),
            Some(limit) => queue.put_timeout(step.0, limit).is_ok(),
        };
        if is_put {
            self.world.sent(Way::Queue(place), step.0);
        }
    }

    fn get(self, place: usize, how: How) {
        let queue = &self.world.queues[place];
        let item = match self.limit(how) {
            None => queue.get().ok(),
            Some(limit) => queue.get_timeout(limit).ok(),
        };
        self.note(Way::Queue(place), item);
    }

    /// To go in again is a wait that nothing ends: whoever is inside of something else, or waits within limits, does not wait here, or two might wait for each other for ever.
    fn wait_cond(self, place: usize, mutex: usize, how: How) {
        if self.holds || self.bounded {
            return;
        }
        let mutex = &self.world.mutexes[mutex];
        let mut guard = match self.limit(how) {
            None => mutex.lock.lock(),
            Some(limit) => match mutex.lock.lock_timeout(limit) {
                Ok(guard) => guard,
                Err(_) => return,
            },
        };
        let condvar = &self.world.condvars[place];
        match self.limit(how) {
            None => condvar.wait(&mut guard),
            Some(limit) => drop(condvar.wait_timeout(&mut guard, limit)),
        }
        let _inside = mutex.enter(self.world, 1);
    }

    fn send_one(self, step: &Step, place: usize) {
        let sender = &self.world.oneshots[place].0;
        let sender = sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        if sender.is_some_and(|sender| sender.send(step.0).is_ok()) {
            self.world.sent(Way::Oneshot(place), step.0);
        }
    }

    fn recv_one(self, place: usize, how: How) {
        let receiver = &self.world.oneshots[place].1;
        let item = match self.limit(how) {
            None => receiver.recv().ok(),
            Some(limit) => receiver.recv_timeout(limit).ok(),
        };
        self.note(Way::Oneshot(place), item);
    }

    fn hear(self, place: usize, which: usize, how: How) {
        let hearer = &self.world.broadcasts[place].1[which];
        let item = match self.limit(how) {
            None => hearer.recv().ok(),
            Some(limit) => hearer.recv_timeout(limit).ok(),
        };
        item.into_iter()
            .for_each(|item| self.world.heard(place, which, item));
    }
}
