//! The steps, as the model does them: as in `run::steps`, with what is raised there returned here.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::{Rc, Weak};

use super::family::Family;
use super::frames::{Frame, Kind, What};
use super::groups::Role;
use super::sync::{ALL, Semaphore, Served};
use super::coroutine::Coroutine;
use super::thread::Thread;
use super::wait::{Cause, Stop};
use super::world::World;
use crate::history::{End, Seen, Why};
use crate::program::{Body, GENERATORS, How, Millis, Op, Step, Then, Until};

/// What comes of steps.
type Done = Result<(), Stop>;

/// The scope in whose body something runs.
struct Nest {
    /// Its children.
    family: Rc<Family>,

    /// Its frame.
    frame: Rc<Frame>,

    /// Those of them that nobody has joined.
    children: RefCell<Vec<Rc<Thread>>>,
}

/// Who does the steps, and where.
#[derive(Clone, Copy)]
struct Doer<'a> {
    /// What all share.
    world: &'a Rc<World>,

    /// The number of the green thread, or that of the generator beyond those.
    who: usize,

    /// The generator, if it is one.
    coroutine: Option<&'a Rc<Coroutine>>,

    /// The innermost scope, if there is one.
    nest: Option<&'a Nest>,
}

/// A whole green thread, or the root.
pub(super) async fn thread(world: &Rc<World>, who: usize, body: &Body) -> Done {
    let doer = Doer {
        world,
        who,
        coroutine: None,
        nest: None,
    };
    world.note(who, 0, Seen::Began);
    let done = doer.all(body).await;
    world.note(who, 0, match done {
        Ok(()) => Seen::Ended(End::Done),
        Err(Stop::Fail(step)) => Seen::Ended(End::Failed(step)),
        Err(_) => Seen::Unwound,
    });
    done
}

impl<'a> Doer<'a> {
    fn all(self, body: &'a [Step]) -> Pin<Box<dyn Future<Output = Done> + 'a>> {
        Box::pin(async move {
            for (place, step) in body.iter().enumerate() {
                if let Op::Defer(last) = &step.1 {
                    let done = self.all(&body[place + 1..]).await;
                    return self.at_last(done, last).await;
                }
                self.one(step).await?;
            }
            Ok(())
        })
    }

    /// What is done when a body is left; nothing is raised in it while that unwinds.
    async fn at_last(self, done: Done, last: &'a [Step]) -> Done {
        if let Ok(()) | Err(Stop::Fail(_)) = done {
            return self.all(last).await.and(done);
        }
        let me = self.world.current();
        me.unwinds.set(me.unwinds.get() + 1);
        let last = self.all(last).await;
        me.unwinds.set(me.unwinds.get() - 1);
        assert!(last.is_ok(), "the model raises while it unwinds");
        done
    }

    fn see(self, step: &Step, what: Seen) -> Done {
        self.world.note(self.who, step.0, what);
        Ok(())
    }

    async fn one(self, step: &'a Step) -> Done {
        let world = self.world;
        match &step.1 {
            Op::Sleep(limit) => world.sleep(*limit).await?,
            Op::Yield => world.yield_now().await?,
            Op::Checkpoint => world.checkpoint()?,
            Op::Panic => return Err(Stop::Panic(Cause::Step(step.0))),
            Op::Fail => return Err(Stop::Fail(step.0)),
            Op::Lock(mutex, how, body) => return self.lock(step, *mutex, *how, body).await,
            Op::Acquire(place, count, how, body) => {
                let semaphore = &world.semaphores[*place];
                return self.acquire(step, semaphore, *count, *how, body).await;
            }
            Op::Read(place, how, body) => {
                return self.acquire(step, &world.rw_locks[*place], 1, *how, body).await;
            }
            Op::Write(place, how, body) => {
                return self.acquire(step, &world.rw_locks[*place], ALL, *how, body).await;
            }
            Op::WaitCond(place, mutex, how) => {
                return self.wait_cond(step, *place, *mutex, *how).await;
            }
            Op::Timeout(limit, body) => return self.timeout(step, *limit, body).await,
            Op::Shield(body) => return self.shield(body).await,
            Op::Catch(then, body) => return self.catch(step, *then, body).await,
            Op::CatchPanic(body) => return self.catch_panic(step, body).await,
            Op::Scope(body) => return self.scope(step, body).await,
            Op::TryScope(body) => return self.try_scope(step, body).await,
            Op::Race(body) => return self.race(step, body).await,
            Op::Gather(first, count) => return self.gather(step, *first, *count).await,
            Op::WaitMany(first, count, until, limit) => {
                return self.wait_many(step, (*first, *count), *until, *limit).await;
            }
            _ => {
                let what = self.result(step).await?;
                return self.see(step, what);
            }
        }
        self.see(step, Seen::Done)
    }

    /// The steps without a body whose result is all there is to see.
    async fn result(self, step: &Step) -> Result<Seen, Stop> {
        let world = self.world;
        Ok(match &step.1 {
            Op::Send(place, how) => self.send(step, *place, *how).await?,
            Op::Recv(place, how) => self.recv(step, *place, *how).await?,
            Op::DropSender(place) => {
                let channel = &world.channels[*place];
                gone(channel.senders.give_up(), || channel.sender_gone(world))
            }
            Op::DropReceiver(place) => {
                let channel = &world.channels[*place];
                gone(channel.receivers.give_up(), || channel.receiver_gone(world))
            }
            Op::Set(place) => done(world.signals[*place].set(world)),
            Op::Clear(place) => done(world.signals[*place].clear()),
            Op::Await(place, how) => self.await_signal(step, *place, *how).await?,
            Op::Put(place, how) => {
                self.begins(step, *how);
                world.queues[*place].put(world, step.0, *how).await?
            }
            Op::Get(place, how) => {
                self.begins(step, *how);
                world.queues[*place].get(world, *how).await?
            }
            Op::CloseQueue(place) => done(world.queues[*place].close(world)),
            Op::TaskDone(place) => Seen::Says(world.queues[*place].task_done(world)),
            Op::JoinQueue(place, how) => self.join_queue(step, *place, *how).await?,
            Op::NotifyOne(place) => done(world.condvars[*place].notify_one(world)),
            Op::NotifyAll(place) => done(world.condvars[*place].notify_all(world)),
            Op::Meet(place, how) => {
                self.begins(step, *how);
                world.barriers[*place].meet(world, *how).await?
            }
            Op::AbortBarrier(place) => done(world.barriers[*place].send_away(world, true)),
            Op::ResetBarrier(place) => done(world.barriers[*place].send_away(world, false)),
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
            Op::Unpark(number) => {
                let thread = world.named(*number);
                thread.map_or(Seen::Missing, |thread| done(world.unpark(&thread)))
            }
            Op::Generator(number, body) => self.generator(*number, body),
            Op::YieldOut => match self.coroutine {
                Some(coroutine) => coroutine.yield_out(step.0).await?,
                None => Seen::Missing,
            },
            Op::Drive(number) => self.drive(step, *number).await?,
            Op::Close(number) => self.close(step, *number).await?,
            Op::SetSpawn(number, body) => self.set_spawn(*number, body),
            Op::SetNext => self.set_next().await?,
            Op::SetCancel => {
                let set = world.set.borrow();
                let set = set.as_ref();
                set.map_or(Seen::Missing, |set| done(world.cancel_set(set)))
            }
            Op::Spawn(number, body) => self.spawn(*number, body),
            Op::Child(number, body) => self.child(*number, body),
            Op::CancelScope => self.cancel_scope(step),
            Op::Join(number, how) => self.join(step, *number, *how).await?,
            Op::Cancel(number) => self.cancel(step, *number),
            Op::IsFinished(number) => {
                let thread = world.named(*number);
                thread.map_or(Seen::Missing, |thread| Seen::Says(thread.has_ended()))
            }
            other => unreachable!("{} is done elsewhere", other.name()),
        })
    }

    /// Says that something with a limit begins.
    fn begins(self, step: &Step, how: How) {
        if let How::Within(_) = how {
            let _ = self.see(step, Seen::Began);
        }
    }

    async fn lock(self, step: &'a Step, mutex: usize, how: How, body: &'a Body) -> Done {
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

    async fn acquire(
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

    fn not_served(self, step: &Step, served: Served) -> Done {
        match served {
            Served::Refused => self.see(step, Seen::Refused),
            _ => self.see(step, Seen::Elapsed),
        }
    }

    async fn send(self, step: &Step, place: usize, how: How) -> Result<Seen, Stop> {
        let channel = &self.world.channels[place];
        if !channel.senders.clone_own() {
            return Ok(Seen::Missing);
        }
        self.begins(step, how);
        let sent = channel.send(self.world, step.0, how).await;
        channel.sender_gone(self.world);
        sent
    }

    async fn recv(self, step: &Step, place: usize, how: How) -> Result<Seen, Stop> {
        let channel = &self.world.channels[place];
        if !channel.receivers.clone_own() {
            return Ok(Seen::Missing);
        }
        self.begins(step, how);
        let received = channel.recv(self.world, how).await;
        channel.receiver_gone(self.world);
        received
    }

    async fn await_signal(self, step: &Step, place: usize, how: How) -> Result<Seen, Stop> {
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

    async fn timeout(self, step: &'a Step, limit: Millis, body: &'a Body) -> Done {
        let world = self.world;
        let _ = self.see(step, Seen::Began);
        let frame = world.enter(Kind::Timeout);
        world.set_deadline(&frame, world.now.get() + limit);
        let done = self.all(body).await;
        world.leave(&frame);
        match done {
            Err(Stop::Request(What::Timeout(number))) if number == frame.number => {
                self.see(step, Seen::Elapsed)
            }
            Ok(()) | Err(Stop::Fail(_)) => {
                let _ = self.see(step, Seen::Done);
                done
            }
            raised => raised,
        }
    }

    async fn shield(self, body: &'a Body) -> Done {
        let frame = self.world.enter(Kind::Shield);
        let done = self.all(body).await;
        self.world.leave(&frame);
        done
    }

    async fn catch(self, step: &'a Step, then: Then, body: &'a Body) -> Done {
        let what = match self.all(body).await {
            Err(Stop::Request(what)) => what,
            done => return done,
        };
        self.world.consume(what);
        let (is_timeout, reason) = match what {
            What::Cancelled(request) => (false, request.reason),
            What::Timeout(_) => (true, None),
            What::Scope => (false, None),
        };
        let _ = self.see(step, Seen::Caught(is_timeout, reason));
        match then {
            Then::GoOn => Ok(()),
            Then::Resume => Err(self.world.resume(what)),
        }
    }

    async fn catch_panic(self, step: &'a Step, body: &'a Body) -> Done {
        match self.all(body).await {
            Err(Stop::Panic(Cause::Step(panic))) => {
                self.see(step, Seen::Ended(End::Panicked(Some(panic))))
            }
            Err(Stop::Kept) => unreachable!("a scope gives its panic out"),
            done => done,
        }
    }

    async fn scope(self, step: &'a Step, body: &'a Body) -> Done {
        let world = self.world;
        let done = world.scope(async |family, frame| {
            // A failure is the body's value.
            match self.in_nest(family, frame, body).await {
                Ok(()) => Ok(Ok(())),
                Err(Stop::Fail(step)) => Ok(Err(step)),
                Err(stop) => Err(stop),
            }
        });
        let returned = done.await?;
        let _ = self.see(step, Seen::Done);
        returned.map_err(Stop::Fail)
    }

    async fn try_scope(self, step: &'a Step, body: &'a Body) -> Done {
        let done = self.world.try_scope(async |family, frame| {
            self.in_nest(family, frame, body).await
        });
        for error in done.await? {
            let _ = self.see(step, Seen::Ended(End::Failed(error)));
        }
        self.see(step, Seen::Done)
    }

    /// The body of a scope.
    async fn in_nest(self, family: &Rc<Family>, frame: &Rc<Frame>, body: &[Step]) -> Done {
        let nest = Nest {
            family: Rc::clone(family),
            frame: Rc::clone(frame),
            children: RefCell::default(),
        };
        let doer = Doer {
            nest: Some(&nest),
            ..self
        };
        let done = doer.all(body).await;
        for child in nest.children.take() {
            self.world.detach(&child);
        }
        done
    }

    async fn race(self, step: &Step, body: &Body) -> Done {
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
    fn take_some(self, first: usize, count: usize) -> Vec<Rc<Thread>> {
        let most = self.world.known();
        let me = self.world.current().number;
        let numbers = (first..most.min(first + count)).filter(|number| *number != me);
        numbers.filter_map(|number| self.world.take_handle(number)).collect()
    }

    async fn gather(self, step: &Step, first: usize, count: usize) -> Done {
        let threads = self.take_some(first, count);
        let gathered = self.world.gather(&threads).await;
        if gathered.is_err() {
            threads.iter().for_each(|thread| self.world.detach(thread));
        }
        gathered?;
        threads.iter().for_each(|thread| self.tell_end(step, thread));
        self.see(step, Seen::Done)
    }

    async fn wait_many(
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

    fn tell_end(self, step: &Step, thread: &Thread) {
        let end = thread.end().expect("it was waited for");
        let _ = self.see(step, Seen::Ended(end));
    }

    fn set_spawn(self, number: usize, body: &Body) -> Seen {
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
    async fn set_next(self) -> Result<Seen, Stop> {
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

    fn spawn(self, number: usize, body: &Body) -> Seen {
        let thread = self.world.spawn(number, body, None, Role::Plain);
        self.world.keep_handle(&thread);
        Seen::Done
    }

    fn child(self, number: usize, body: &Body) -> Seen {
        let Some(nest) = self.nest else {
            return self.spawn(number, body);
        };
        let child = self.world.spawn_child(&nest.family, &nest.frame, number, body, Role::Plain);
        nest.children.borrow_mut().push(child);
        Seen::Done
    }

    fn cancel_scope(self, step: &Step) -> Seen {
        let Some(nest) = self.nest else {
            return Seen::Missing;
        };
        let request = self.world.request(Some(Why::Step(step.0)), false);
        self.world.cancel_family(&nest.family, request);
        Seen::Done
    }

    async fn join(self, step: &Step, number: usize, how: How) -> Result<Seen, Stop> {
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
    async fn joined(self, thread: &Rc<Thread>, deadline: Option<Millis>) -> Result<Seen, Stop> {
        let waited = self.world.wait_over(thread, deadline).await;
        if waited.is_err() {
            self.world.detach(thread);
        }
        Ok(match waited? {
            true => Seen::Ended(thread.end().expect("it was waited for")),
            false => Seen::Elapsed,
        })
    }

    async fn wait_cond(self, step: &Step, place: usize, mutex: usize, how: How) -> Done {
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

    async fn join_queue(self, step: &Step, place: usize, how: How) -> Result<Seen, Stop> {
        self.begins(step, how);
        Ok(match self.world.queues[place].join(self.world, how).await? {
            Served::Yes => Seen::Done,
            _ => Seen::Elapsed,
        })
    }

    async fn recv_one(self, step: &Step, place: usize, how: How) -> Result<Seen, Stop> {
        let oneshot = &self.world.oneshots[place];
        if !oneshot.receivers.clone_own() {
            return Ok(Seen::Missing);
        }
        self.begins(step, how);
        let received = oneshot.recv(self.world, how).await;
        oneshot.receiver_gone();
        received
    }

    fn generator(self, number: usize, body: &Body) -> Seen {
        if self.world.is_closed() {
            return Seen::Missing;
        }
        let coroutine = Coroutine::new(|coroutine| {
            let (world, who) = (Rc::clone(self.world), GENERATORS + number);
            Box::pin(generator(world, who, Rc::downgrade(coroutine), Rc::clone(body)))
        });
        self.world.coroutines.borrow_mut()[number] = Some(coroutine);
        Seen::Done
    }

    fn coroutine(self, number: usize) -> Option<Rc<Coroutine>> {
        self.world.coroutines.borrow()[number].clone()
    }

    async fn drive(self, step: &Step, number: usize) -> Result<Seen, Stop> {
        match self.coroutine(number) {
            Some(coroutine) => coroutine.drive(self.world, step.0).await,
            None => Ok(Seen::Missing),
        }
    }

    async fn close(self, step: &Step, number: usize) -> Result<Seen, Stop> {
        let _ = self.see(step, Seen::Began);
        match self.coroutine(number) {
            Some(coroutine) => coroutine.close(self.world).await,
            None => Ok(Seen::Missing),
        }
    }

    fn cancel(self, step: &Step, number: usize) -> Seen {
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
        Op::Child(number, body) => Some((*number, Rc::clone(body))),
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
