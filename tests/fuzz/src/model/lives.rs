//! The steps that start green threads and generators, wait for their ends, or ask for those, as the model does them.

use std::rc::{Rc, Weak};

use super::coroutine::Coroutine;
use super::groups::Role;
use super::steps::{Doer, Done, Nest};
use super::thread::Thread;
use super::wait::{Cause, Stop};
use super::world::World;
use crate::history::{Seen, Why};
use crate::program::{Body, GENERATORS, How, Millis, Op, Step, Until};

impl Doer<'_> {
    pub(super) async fn race(self, step: &Step, body: &Body) -> Done {
        let runners: Vec<_> = body.iter().filter_map(runner).collect();
        if runners.is_empty() {
            return self.see(step, Seen::Missing);
        }
        match self.world.race(&runners).await? {
            Some(end) => self.see(step, Seen::Ended(end)),
            None => Err(Stop::Panic(Cause::NobodyWon)),
        }
    }

    /// Takes the handles of so many from this number on, as far as they are there; nobody waits for himself.
    pub(super) fn take_some(self, first: usize, count: usize) -> Vec<Rc<Thread>> {
        let most = self.world.known();
        let me = self.world.current().number;
        let numbers = (first..most.min(first + count)).filter(|number| *number != me);
        numbers
            .filter_map(|number| self.world.take_handle(number))
            .collect()
    }

    pub(super) async fn gather(self, step: &Step, first: usize, count: usize) -> Done {
        let threads = self.take_some(first, count);
        let gathered = self.world.gather(&threads).await;
        if gathered.is_err() {
            threads.iter().for_each(|thread| self.world.detach(thread));
        }
        gathered?;
        threads
            .iter()
            .for_each(|thread| self.tell_end(step, thread));
        self.see(step, Seen::Done)
    }

    pub(super) async fn as_completed(self, step: &Step, first: usize, count: usize) -> Done {
        let threads = self.take_some(first, count);
        let tally = self.world.watched(&threads);
        let mut left: Vec<_> = threads.iter().map(Some).collect();
        for _ in &threads {
            let next = tally.next(self.world, None).await;
            if next.is_err() {
                let left = left.iter().flatten();
                left.for_each(|thread| self.world.detach(thread));
            }
            let place = next?.expect("it has no deadline");
            let thread = left[place].take().expect("it ends once");
            self.tell_end(step, thread);
        }
        self.see(step, Seen::Done)
    }

    pub(super) async fn wait_many(
        self,
        step: &Step,
        (first, count): (usize, usize),
        until: Until,
        limit: Option<Millis>,
    ) -> Done {
        let threads = self.take_some(first, count);
        if threads.is_empty() {
            return self.see(step, Seen::Missing);
        }
        let waited = self.world.wait_many(&threads, until, limit).await;
        if waited.is_err() {
            threads.iter().for_each(|thread| self.world.detach(thread));
        }
        waited?;
        for thread in &threads {
            if thread.has_ended() {
                self.tell_end(step, thread);
            } else {
                self.world.keep_handle(thread);
            }
        }
        self.see(step, Seen::Done)
    }

    pub(super) fn tell_end(self, step: &Step, thread: &Thread) {
        let end = thread.end().expect("it was waited for");
        let _ = self.see(step, Seen::Ended(end));
    }

    pub(super) fn set_spawn(self, number: usize, body: &Body) -> Seen {
        let set = self.world.set.borrow();
        let Some(set) = &*set else {
            return Seen::Missing;
        };
        let thread = self.world.spawn(number, body, None, Role::Member);
        let place = set.members.reserve();
        set.members.fill(place, &thread);
        set.tally.watch(self.world, &thread, place);
        Seen::Done
    }

    /// Whoever waits for the next has the set meanwhile, and drops it when raised out of that.
    pub(super) async fn set_next(self) -> Result<Seen, Stop> {
        let set = self.world.set.take();
        let Some(set) = set else {
            return Ok(Seen::Missing);
        };
        if set.members.is_empty() {
            self.world.set.replace(Some(set));
            return Ok(Seen::Refused);
        }
        let next = set.tally.next(self.world, None).await;
        if next.is_err() {
            self.world.drop_set(set);
            return Err(next.expect_err("it was looked at"));
        }
        let place = next?.expect("it has no deadline");
        let thread = set.members.leave(place).expect("it was a member");
        if self.world.is_closed() {
            self.world.drop_set(set);
        } else {
            self.world.set.replace(Some(set));
        }
        Ok(Seen::Ended(thread.end().expect("it was waited for")))
    }

    pub(super) fn spawn(self, number: usize, body: &Body) -> Seen {
        let thread = self.world.spawn(number, body, None, Role::Plain);
        self.world.keep_handle(&thread);
        Seen::Done
    }

    pub(super) fn child(self, number: usize, body: &Body) -> Seen {
        let Some(nest) = self.nest else {
            return self.spawn(number, body);
        };
        let child = self
            .world
            .spawn_child(&nest.family, &nest.frame, number, body, Role::Plain);
        nest.children.borrow_mut().push(child);
        Seen::Done
    }

    pub(super) fn cancel_scope(self, step: &Step) -> Seen {
        let Some(nest) = self.nest else {
            return Seen::Missing;
        };
        let request = self.world.request(Some(Why::Step(step.0)), false);
        self.world.cancel_family(&nest.family, request);
        Seen::Done
    }

    pub(super) async fn join(self, step: &Step, number: usize, how: How) -> Result<Seen, Stop> {
        let world = self.world;
        if number == world.current().number {
            return Ok(Seen::Missing);
        }
        if let Some(child) = self.nest.and_then(|nest| nest.take(number)) {
            return self.joined(&child, None).await;
        }
        let Some(thread) = world.take_handle(number) else {
            return Ok(Seen::Missing);
        };
        if how == How::Try && !thread.has_ended() {
            world.keep_handle(&thread);
            return Ok(Seen::Refused);
        }
        self.begins(step, how);
        let seen = self.joined(&thread, world.deadline(how)).await?;
        if seen == Seen::Elapsed {
            world.keep_handle(&thread);
        }
        Ok(seen)
    }

    /// Waits for the end of this one; whoever is raised out of that drops the handle.
    pub(super) async fn joined(
        self,
        thread: &Rc<Thread>,
        deadline: Option<Millis>,
    ) -> Result<Seen, Stop> {
        let waited = self.world.wait_over(thread, deadline).await;
        if waited.is_err() {
            self.world.detach(thread);
        }
        Ok(match waited? {
            true => Seen::Ended(thread.end().expect("it was waited for")),
            false => Seen::Elapsed,
        })
    }

    pub(super) fn generator(self, number: usize, body: &Body) -> Seen {
        if self.world.is_closed() {
            return Seen::Missing;
        }
        let coroutine = Coroutine::new(|coroutine| {
            let (world, who) = (Rc::clone(self.world), GENERATORS + number);
            Box::pin(generator(
                world,
                who,
                Rc::downgrade(coroutine),
                Body::clone(body),
            ))
        });
        self.world.coroutines.borrow_mut()[number] = Some(coroutine);
        Seen::Done
    }

    pub(super) fn coroutine(self, number: usize) -> Option<Rc<Coroutine>> {
        self.world.coroutines.borrow()[number].clone()
    }

    pub(super) async fn drive(self, step: &Step, number: usize) -> Result<Seen, Stop> {
        match self.coroutine(number) {
            Some(coroutine) => coroutine.drive(self.world, step.0).await,
            None => Ok(Seen::Missing),
        }
    }

    pub(super) async fn close(self, step: &Step, number: usize) -> Result<Seen, Stop> {
        let _ = self.see(step, Seen::Began);
        match self.coroutine(number) {
            Some(coroutine) => coroutine.close(self.world).await,
            None => Ok(Seen::Missing),
        }
    }

    pub(super) async fn throw(self, step: &Step, number: usize) -> Result<Seen, Stop> {
        match self.coroutine(number) {
            Some(coroutine) => coroutine.throw(self.world, step.0).await,
            None => Ok(Seen::Missing),
        }
    }

    /// The other one is nobody else's from now on.
    pub(super) async fn delegate(self, number: usize) -> Result<Seen, Stop> {
        let Some(me) = self.coroutine else {
            return Ok(Seen::Missing);
        };
        let other = {
            let place = &mut self.world.coroutines.borrow_mut()[number];
            place.take_if(|other| other.is_unstarted())
        };
        match other {
            Some(other) => me.stand_in_for(self.world, &other).await,
            None => Ok(Seen::Refused),
        }
    }

    pub(super) fn cancel(self, step: &Step, number: usize) -> Seen {
        let Some(thread) = self.world.named(number) else {
            return Seen::Missing;
        };
        let request = self.world.request(Some(Why::Step(step.0)), false);
        Seen::Says(self.world.cancel(&thread, request))
    }
}

/// One of a race.
fn runner(step: &Step) -> Option<(usize, Body)> {
    match &step.1 {
        Op::Child(number, body) => Some((*number, Body::clone(body))),
        _ => None,
    }
}

/// The body of a generator.
async fn generator(world: Rc<World>, who: usize, coroutine: Weak<Coroutine>, body: Body) -> Done {
    let coroutine = coroutine.upgrade().expect("somebody drives it");
    let doer = Doer {
        world: &world,
        who,
        coroutine: Some(&coroutine),
        nest: None,
    };
    doer.all(&body).await
}

impl Nest {
    fn take(&self, number: usize) -> Option<Rc<Thread>> {
        let mut children = self.children.borrow_mut();
        let place = children.iter().position(|child| child.number == number)?;
        Some(children.remove(place))
    }
}
