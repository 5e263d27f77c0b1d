//! The steps, as the model does them: as in `run::steps`, with what is raised there returned here.

use std::pin::Pin;
use std::rc::Rc;

use super::family::Family;
use super::frames::{Frame, Kind, What};
use super::sync::Served;
use super::thread::Thread;
use super::wait::{Cause, Stop};
use super::world::World;
use crate::history::{End, Seen, Why};
use crate::program::{Body, How, Millis, Op, Step, Then};

/// What comes of steps.
type Done = Result<(), Stop>;

/// The scope in whose body something runs.
struct Nest {
    /// Its children.
    family: Rc<Family>,

    /// Its frame.
    frame: Rc<Frame>,

    /// Those of them that nobody has joined.
    children: std::cell::RefCell<Vec<Rc<Thread>>>,
}

/// Who does the steps, and where.
#[derive(Clone, Copy)]
struct Doer<'a> {
    /// What all share.
    world: &'a Rc<World>,

    /// The green thread.
    me: &'a Rc<Thread>,

    /// The innermost scope, if there is one.
    nest: Option<&'a Nest>,
}

/// A whole green thread, or the root.
pub(super) async fn thread(world: &Rc<World>, me: &Rc<Thread>, who: usize, body: &Body) -> Done {
    let doer = Doer {
        world,
        me,
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
            for step in body {
                self.one(step).await?;
            }
            Ok(())
        })
    }

    fn see(self, step: &Step, what: Seen) -> Done {
        self.world.note(self.me.number, step.0, what);
        Ok(())
    }

    async fn one(self, step: &'a Step) -> Done {
        let (world, me) = (self.world, self.me);
        match &step.1 {
            Op::Sleep(limit) => world.sleep(me, *limit).await?,
            Op::Yield => world.yield_now(me).await?,
            Op::Checkpoint => world.checkpoint(me)?,
            Op::Panic => return Err(Stop::Panic(Cause::Step(step.0))),
            Op::Fail => return Err(Stop::Fail(step.0)),
            Op::Lock(mutex, how, body) => return self.lock(step, *mutex, *how, body).await,
            Op::Acquire(place, count, how, body) => {
                return self.acquire(step, *place, *count, *how, body).await;
            }
            Op::Timeout(limit, body) => return self.timeout(step, *limit, body).await,
            Op::Shield(body) => return self.shield(body).await,
            Op::Catch(then, body) => return self.catch(step, *then, body).await,
            Op::CatchPanic(body) => return self.catch_panic(step, body).await,
            Op::Scope(body) => return self.scope(step, body).await,
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
        let tried = mutex.enter(self.world, self.me, how);
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
        place: usize,
        count: usize,
        how: How,
        body: &'a Body,
    ) -> Done {
        let semaphore = &self.world.semaphores[place];
        self.begins(step, how);
        let served = semaphore.acquire(self.world, self.me, count, how).await?;
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
        let sent = channel.send(self.world, self.me, step.0, how).await;
        channel.sender_gone(self.world);
        sent
    }

    async fn recv(self, step: &Step, place: usize, how: How) -> Result<Seen, Stop> {
        let channel = &self.world.channels[place];
        if !channel.receivers.clone_own() {
            return Ok(Seen::Missing);
        }
        self.begins(step, how);
        let received = channel.recv(self.world, self.me, how).await;
        channel.receiver_gone(self.world);
        received
    }

    async fn await_signal(self, step: &Step, place: usize, how: How) -> Result<Seen, Stop> {
        let signal = &self.world.signals[place];
        if how == How::Try {
            return Ok(Seen::Says(signal.is_set()));
        }
        self.begins(step, how);
        Ok(match signal.wait(self.world, self.me, how).await? {
            Served::Yes => Seen::Done,
            _ => Seen::Elapsed,
        })
    }

    async fn timeout(self, step: &'a Step, limit: Millis, body: &'a Body) -> Done {
        let world = self.world;
        let _ = self.see(step, Seen::Began);
        let frame = world.enter(self.me, Kind::Timeout);
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
        let frame = self.world.enter(self.me, Kind::Shield);
        let done = self.all(body).await;
        self.world.leave(&frame);
        done
    }

    async fn catch(self, step: &'a Step, then: Then, body: &'a Body) -> Done {
        let what = match self.all(body).await {
            Err(Stop::Request(what)) => what,
            done => return done,
        };
        self.world.consume(self.me, what);
        let (is_timeout, reason) = match what {
            What::Cancelled(request) => (false, request.reason),
            What::Timeout(_) => (true, None),
            What::Scope(_) => (false, None),
        };
        let _ = self.see(step, Seen::Caught(is_timeout, reason));
        match then {
            Then::GoOn => Ok(()),
            Then::Resume => Err(self.world.resume(self.me, what)),
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
        let (world, me) = (self.world, self.me);
        let done = world.scope(me, async |family, frame| {
            let nest = Nest {
                family: Rc::clone(family),
                frame: Rc::clone(frame),
                children: Default::default(),
            };
            let done = inside(world, me, &nest, body).await;
            for child in nest.children.take() {
                world.detach(&child);
            }
            done
        });
        let returned = done.await?;
        let _ = self.see(step, Seen::Done);
        returned.map_err(Stop::Fail)
    }

    fn spawn(self, number: usize, body: &Body) -> Seen {
        let thread = self.world.spawn(number, body, None);
        self.world.keep_handle(&thread);
        Seen::Done
    }

    fn child(self, number: usize, body: &Body) -> Seen {
        let Some(nest) = self.nest else {
            return self.spawn(number, body);
        };
        let child = self.world.spawn_child(&nest.family, &nest.frame, number, body);
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
        if number == self.me.number {
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
        let waited = self.world.wait_over(self.me, thread, deadline).await;
        if waited.is_err() {
            self.world.detach(thread);
        }
        Ok(match waited? {
            true => Seen::Ended(thread.end().expect("it was waited for")),
            false => Seen::Elapsed,
        })
    }

    fn cancel(self, step: &Step, number: usize) -> Seen {
        let Some(thread) = self.world.named(number) else {
            return Seen::Missing;
        };
        let request = self.world.request(Some(Why::Step(step.0)), false);
        Seen::Says(self.world.cancel(&thread, request))
    }
}

/// The body of a scope: a failure is its value.
async fn inside(
    world: &Rc<World>,
    me: &Rc<Thread>,
    nest: &Nest,
    body: &[Step],
) -> Result<Result<(), usize>, Stop> {
    let doer = Doer {
        world,
        me,
        nest: Some(nest),
    };
    match doer.all(body).await {
        Ok(()) => Ok(Ok(())),
        Err(Stop::Fail(step)) => Ok(Err(step)),
        Err(stop) => Err(stop),
    }
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
