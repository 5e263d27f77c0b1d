//! The steps, as the model does them: as in `run::steps`, with what is raised there returned here.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;

use super::calls::after;
use super::coroutine::Coroutine;
use super::family::Family;
use super::frames::{Frame, Kind, What};
use super::sync::ALL;
use super::thread::Thread;
use super::wait::{Cause, Stop};
use super::world::World;
use crate::history::{End, Seen};
use crate::program::{Body, How, Millis, Op, Step, Then};

/// What comes of steps.
pub(super) type Done = Result<(), Stop>;

/// The scope in whose body something runs.
pub(super) struct Nest {
    /// Its children.
    pub(super) family: Rc<Family>,

    /// Its frame.
    pub(super) frame: Rc<Frame>,

    /// Those of them that nobody has joined.
    pub(super) children: RefCell<Vec<Rc<Thread>>>,
}

/// Who does the steps, and where.
#[derive(Clone, Copy)]
pub(super) struct Doer<'a> {
    /// What all share.
    pub(super) world: &'a Rc<World>,

    /// The number of the green thread, or that of the generator beyond those.
    pub(super) who: usize,

    /// The generator, if it is one.
    pub(super) coroutine: Option<&'a Rc<Coroutine>>,

    /// The innermost scope, if there is one.
    pub(super) nest: Option<&'a Nest>,
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
    world.note(
        who,
        0,
        match done {
            Ok(()) => Seen::Ended(End::Done),
            Err(Stop::Fail(step)) => Seen::Ended(End::Failed(step)),
            Err(_) => Seen::Unwound,
        },
    );
    done
}

impl<'a> Doer<'a> {
    pub(super) fn all(self, body: &'a [Step]) -> Pin<Box<dyn Future<Output = Done> + 'a>> {
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

    pub(super) fn see(self, step: &Step, what: Seen) -> Done {
        self.world.note(self.who, step.0, what);
        Ok(())
    }

    async fn one(self, step: &'a Step) -> Done {
        let world = self.world;
        match &step.1 {
            Op::Sleep(limit) => world.sleep(*limit).await?,
            Op::Yield => world.yield_now().await?,
            Op::Checkpoint => {
                world.fire_what_has_come();
                world.checkpoint()?;
            }
            Op::Panic => return Err(Stop::Panic(Cause::Step(step.0))),
            Op::Fail => return Err(Stop::Fail(step.0)),
            Op::Lock(mutex, how, body) => return self.lock(step, *mutex, *how, body).await,
            Op::Acquire(place, count, how, body) => {
                let semaphore = &world.semaphores[*place];
                return self.acquire(step, semaphore, *count, *how, body).await;
            }
            Op::Read(place, how, body) => {
                return self
                    .acquire(step, &world.rw_locks[*place], 1, *how, body)
                    .await;
            }
            Op::Write(place, how, body) => {
                return self
                    .acquire(step, &world.rw_locks[*place], ALL, *how, body)
                    .await;
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
            Op::AsCompleted(first, count) => return self.as_completed(step, *first, *count).await,
            Op::Relock(place, how, body) => return self.relock(step, *place, *how, body).await,
            Op::Modify(place, body) => return self.modify(step, *place, body).await,
            Op::Init(place, body) => return self.init(step, *place, body).await,
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
            Op::Unpark(number) => {
                let thread = world.named(*number);
                thread.map_or(Seen::Missing, |thread| after(|| world.unpark(&thread)))
            }
            Op::Generator(number, body) => self.generator(*number, body),
            Op::YieldOut => match self.coroutine {
                Some(coroutine) => coroutine.yield_out(step.0).await?,
                None => Seen::Missing,
            },
            Op::Drive(number) => self.drive(step, *number).await?,
            Op::Close(number) => self.close(step, *number).await?,
            Op::Throw(number) => self.throw(step, *number).await?,
            Op::Delegate(number) => self.delegate(*number).await?,
            Op::Keep(place, body) => self.keep_local(*place, body).await?,
            Op::SetSpawn(number, body) => self.set_spawn(*number, body),
            Op::SetNext => self.set_next().await?,
            Op::SetCancel => {
                let set = world.set.borrow();
                let set = set.as_ref();
                set.map_or(Seen::Missing, |set| after(|| world.cancel_set(set)))
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
            _ => self.call(step).await?,
        })
    }

    /// Says that something with a limit begins.
    pub(super) fn begins(self, step: &Step, how: How) {
        if let How::Within(_) = how {
            let _ = self.see(step, Seen::Began);
        }
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
            Err(Stop::Panic(Cause::Step(panic) | Cause::Thrown(panic))) => {
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
        let done = self
            .world
            .try_scope(async |family, frame| self.in_nest(family, frame, body).await);
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
}
