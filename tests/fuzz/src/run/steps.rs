//! The steps, as calls of the library.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::time::Duration;

use greenthread::channel::{
    RecvTimeoutError, SendTimeoutError, TryRecvError, TrySendError,
};
use greenthread::{
    JoinHandle, Scope, ScopedJoinHandle, catch_cancel, checkpoint, is_cancellation, scope, shield,
    sleep, spawn, timeout, yield_now,
};

use super::objects::{Holding, Inside};
use super::world::{Asked, Returned, World, end_of, why};
use super::{Planned, panicked};
use crate::history::{End, Seen};
use crate::program::{Body, How, Millis, Op, Step, Then};

/// The scope in whose body something runs.
struct Nest<'scope, 'env> {
    /// The scope.
    scope: &'scope Scope<'scope, 'env>,

    /// Its children that nobody has joined, with their numbers.
    children: RefCell<Vec<(usize, ScopedJoinHandle<'scope, Returned>)>>,
}

/// Who does the steps, and where.
#[derive(Clone, Copy)]
struct Doer<'a, 'scope, 'env> {
    /// What all share.
    world: &'a Rc<World>,

    /// The number of the green thread.
    who: usize,

    /// The innermost scope, if there is one.
    nest: Option<&'a Nest<'scope, 'env>>,
}

/// Says that it unwinds, when it does.
struct Leaves<'a>(&'a World, usize);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.note(self.1, 0, Seen::Unwound);
    }
}

/// A whole green thread, or the root.
pub(super) fn thread(world: &Rc<World>, who: usize, body: &Body) -> Returned {
    let doer = Doer {
        world,
        who,
        nest: None,
    };
    world.note(who, 0, Seen::Began);
    let leaves = Leaves(world, who);
    let returned = doer.all(body);
    std::mem::forget(leaves);
    let end = returned.map_or_else(End::Failed, |()| End::Done);
    world.note(who, 0, Seen::Ended(end));
    returned
}

impl<'a, 'scope, 'env> Doer<'a, 'scope, 'env> {
    fn all(self, body: &[Step]) -> Returned {
        body.iter().try_for_each(|step| self.one(step))
    }

    fn see(self, step: &Step, what: Seen) {
        self.world.note(self.who, step.0, what);
    }

    fn one(self, step: &Step) -> Returned {
        match &step.1 {
            Op::Sleep(..) | Op::Yield | Op::Checkpoint | Op::Panic | Op::Fail => self.alone(step),
            Op::Lock(mutex, how, body) => self.lock(step, *mutex, *how, body),
            Op::Acquire(place, count, how, body) => self.acquire(step, *place, *count, *how, body),
            Op::Timeout(limit, body) => self.timeout(step, *limit, body),
            Op::Shield(body) => shield(|| self.all(body)),
            Op::Catch(then, body) => self.catch(step, *then, body),
            Op::CatchPanic(body) => self.catch_panic(step, body),
            Op::Scope(body) => self.scope(step, body),
            _ => {
                self.see(step, self.result(step));
                Ok(())
            }
        }
    }

    /// The steps without a body whose result is all there is to see.
    fn result(self, step: &Step) -> Seen {
        let objects = &self.world.objects;
        match &step.1 {
            Op::Send(place, how) => self.send(step, *place, *how),
            Op::Recv(place, how) => self.recv(step, *place, *how),
            Op::DropSender(place) => gone(objects.senders[*place].take()),
            Op::DropReceiver(place) => gone(objects.receivers[*place].take()),
            Op::Set(place) => done(objects.events[*place].set()),
            Op::Clear(place) => done(objects.events[*place].clear()),
            Op::Await(place, how) => self.await_event(step, *place, *how),
            Op::Spawn(number, body) => self.spawn(*number, body),
            Op::Child(number, body) => self.child(*number, body),
            Op::CancelScope => self.cancel_scope(step),
            Op::Join(number, how) => self.join(step, *number, *how),
            Op::Cancel(number) => self.cancel(step, *number),
            Op::IsFinished(number) => self.is_finished(*number),
            other => unreachable!("{} is done elsewhere", other.name()),
        }
    }

    fn alone(self, step: &Step) -> Returned {
        match step.1 {
            Op::Sleep(limit) => sleep(duration(limit)),
            Op::Yield => yield_now(),
            Op::Checkpoint => checkpoint(),
            Op::Panic => resume_unwind(Box::new(Planned(step.0))),
            _ => return Err(step.0),
        }
        self.see(step, Seen::Done);
        Ok(())
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

    fn not_served(self, step: &Step, what: Seen) -> Returned {
        self.see(step, what);
        Ok(())
    }

    /// Something with a limit begins.
    fn begun(self, step: &Step, limit: Millis) -> Duration {
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

    fn await_event(self, step: &Step, place: usize, how: How) -> Seen {
        let event = &self.world.objects.events[place];
        match how {
            How::Wait => done(event.wait()),
            How::Try => Seen::Says(event.is_set()),
            How::Within(limit) => {
                let waited = event.wait_timeout(self.begun(step, limit));
                waited.map_or(Seen::Elapsed, done)
            }
        }
    }

    fn timeout(self, step: &Step, limit: Millis, body: &Body) -> Returned {
        let returned = timeout(self.begun(step, limit), || self.all(body));
        let what = returned.as_ref().map_or(Seen::Elapsed, |_| Seen::Done);
        self.see(step, what);
        returned.unwrap_or(Ok(()))
    }

    fn catch(self, step: &Step, then: Then, body: &Body) -> Returned {
        let caught = match catch_cancel(|| self.all(body)) {
            Ok(returned) => return returned,
            Err(caught) => caught,
        };
        let reason = caught.reason().map(why);
        self.see(step, Seen::Caught(caught.is_timeout(), reason));
        match then {
            Then::GoOn => Ok(()),
            Then::Resume => caught.resume(),
        }
    }

    fn catch_panic(self, step: &Step, body: &Body) -> Returned {
        let payload = match catch_unwind(AssertUnwindSafe(|| self.all(body))) {
            Ok(returned) => return returned,
            Err(payload) => payload,
        };
        let end = panicked(&*payload);
        if is_cancellation(&*payload) || end == End::Deadlock {
            resume_unwind(payload);
        }
        self.see(step, Seen::Ended(end));
        Ok(())
    }

    fn scope(self, step: &Step, body: &Body) -> Returned {
        let returned = scope(|scope| {
            let nest = Nest {
                scope,
                children: RefCell::default(),
            };
            let doer = Doer {
                world: self.world,
                who: self.who,
                nest: Some(&nest),
            };
            doer.all(body)
        });
        self.see(step, Seen::Done);
        returned
    }

    fn spawn(self, number: usize, body: &Body) -> Seen {
        let handle = spawn(closure(self.world, number, body));
        self.world.started(number, handle.thread());
        self.world.keep(number, handle);
        Seen::Done
    }

    fn child(self, number: usize, body: &Body) -> Seen {
        let Some(nest) = self.nest else {
            return self.spawn(number, body);
        };
        let handle = nest.scope.spawn(closure(self.world, number, body));
        self.world.started(number, handle.thread());
        nest.children.borrow_mut().push((number, handle));
        Seen::Done
    }

    fn cancel_scope(self, step: &Step) -> Seen {
        match self.nest {
            Some(nest) => done(nest.scope.cancel_with(Asked(step.0))),
            None => Seen::Missing,
        }
    }

    fn join(self, step: &Step, number: usize, how: How) -> Seen {
        if number == self.who {
            return Seen::Missing;
        }
        if let Some(child) = self.nest.and_then(|nest| nest.take(number)) {
            return Seen::Ended(end_of(child.join()));
        }
        let Some(handle) = self.world.take(number) else {
            return Seen::Missing;
        };
        match how {
            How::Wait => Seen::Ended(end_of(handle.join())),
            How::Try => self.try_join(number, handle),
            How::Within(limit) => match handle.join_timeout(self.begun(step, limit)) {
                Ok(result) => Seen::Ended(end_of(result)),
                Err(handle) => {
                    self.world.keep(number, handle);
                    Seen::Elapsed
                }
            },
        }
    }

    fn try_join(self, number: usize, handle: JoinHandle<Returned>) -> Seen {
        if handle.is_finished() {
            return Seen::Ended(end_of(handle.join()));
        }
        self.world.keep(number, handle);
        Seen::Refused
    }

    fn cancel(self, step: &Step, number: usize) -> Seen {
        let thread = self.world.thread(number);
        thread.map_or(Seen::Missing, |thread| {
            Seen::Says(thread.cancel_with(Asked(step.0)))
        })
    }

    fn is_finished(self, number: usize) -> Seen {
        let thread = self.world.thread(number);
        thread.map_or(Seen::Missing, |thread| Seen::Says(thread.is_finished()))
    }
}

impl<'scope> Nest<'scope, '_> {
    fn take(&self, number: usize) -> Option<ScopedJoinHandle<'scope, Returned>> {
        let mut children = self.children.borrow_mut();
        let place = children.iter().position(|(child, _)| *child == number)?;
        Some(children.remove(place).1)
    }
}

/// What a green thread does; it owns all that it needs.
fn closure(world: &Rc<World>, number: usize, body: &Body) -> impl FnOnce() -> Returned + 'static {
    let (world, body) = (Rc::clone(world), Rc::clone(body));
    move || thread(&world, number, &body)
}

fn duration(limit: Millis) -> Duration {
    Duration::from_millis(limit)
}

fn done((): ()) -> Seen {
    Seen::Done
}

/// One end of a channel is given up.
fn gone<T>(end: Option<T>) -> Seen {
    end.map_or(Seen::Missing, |_| Seen::Done)
}
