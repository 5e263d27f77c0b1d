//! The steps, as calls of the library.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use greenthread::generator::{Generator, GeneratorState, ResumeError, Yielder};
use greenthread::{
    JoinHandle, Scope, ScopeError, ScopedJoinHandle, TryScope, catch_cancel, checkpoint, scope,
    shield, sleep, spawn, timeout, try_scope, yield_now,
};

use super::Planned;
use super::calls::{after, duration};
use super::coroutines::planned;
use super::world::{Asked, Coroutine, Returned, World, end_of, why};
use crate::history::{End, Seen};
use crate::program::{Body, GENERATORS, How, Millis, Op, Step, Then};

/// The scope in whose body something runs.
pub(super) struct Nest<'scope, 'env> {
    /// The scope.
    scope: Kind<'scope, 'env>,

    /// Its children that nobody has joined, with their numbers.
    children: RefCell<Vec<(usize, ScopedJoinHandle<'scope, Returned>)>>,
}

/// Either kind of scope.
enum Kind<'scope, 'env> {
    /// One in which an error is nothing special.
    Plain(&'scope Scope<'scope, 'env>),

    /// One in which it ends all.
    Try(&'scope TryScope<'scope, 'env, usize>),
}

/// Who does the steps, and where.
#[derive(Clone, Copy)]
pub(super) struct Doer<'a, 'scope, 'env> {
    /// What all share.
    pub(super) world: &'a Rc<World>,

    /// The number of the green thread, or that of the generator beyond those.
    pub(super) who: usize,

    /// Where a generator gives and takes, if it is one.
    pub(super) yielder: Option<&'a Yielder<usize, usize>>,

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

/// What is done when a body is left, in whatever way.
struct AtLast<'a, 'scope, 'env>(Doer<'a, 'scope, 'env>, &'a [Step]);

impl AtLast<'_, '_, '_> {
    fn after(&self, body: &[Step]) -> Returned {
        self.0.all(body)
    }
}

impl Drop for AtLast<'_, '_, '_> {
    fn drop(&mut self) {
        let _ = self.0.all(self.1);
    }
}

/// A whole green thread, or the root.
pub(super) fn thread(world: &Rc<World>, who: usize, body: &Body) -> Returned {
    let doer = Doer::alone(world, who);
    world.note(who, 0, Seen::Began);
    let leaves = Leaves(world, who);
    let returned = doer.all(body);
    std::mem::forget(leaves);
    world.note(who, 0, Seen::Ended(end(returned)));
    returned
}

impl<'a, 'scope, 'env> Doer<'a, 'scope, 'env> {
    /// One in no generator and no scope.
    pub(super) fn alone(world: &'a Rc<World>, who: usize) -> Self {
        Doer {
            world,
            who,
            yielder: None,
            nest: None,
        }
    }

    pub(super) fn all(self, body: &[Step]) -> Returned {
        for (place, step) in body.iter().enumerate() {
            if let Op::Defer(last) = &step.1 {
                let last = AtLast(self, last);
                return last.after(&body[place + 1..]);
            }
            self.one(step)?;
        }
        Ok(())
    }

    pub(super) fn see(self, step: &Step, what: Seen) {
        self.world.note(self.who, step.0, what);
    }

    fn one(self, step: &Step) -> Returned {
        match &step.1 {
            Op::Sleep(..) | Op::Yield | Op::Checkpoint | Op::Panic | Op::Fail => self.plain(step),
            Op::Lock(..) | Op::Acquire(..) | Op::Read(..) | Op::Write(..) => self.inside(step),
            Op::Relock(..) | Op::Modify(..) | Op::Init(..) => self.inside(step),
            Op::WaitCond(place, mutex, how) => self.wait_cond(step, *place, *mutex, *how),
            Op::Timeout(limit, body) => self.timeout(step, *limit, body),
            Op::Shield(body) => shield(|| self.all(body)),
            Op::Catch(then, body) => self.catch(step, *then, body),
            Op::CatchPanic(body) => self.catch_panic(step, body),
            Op::Scope(body) => self.scope(step, body),
            Op::TryScope(body) => self.try_scope(step, body),
            Op::Race(body) => self.race(step, body),
            Op::Gather(first, count) => self.gather(step, *first, *count),
            Op::AsCompleted(first, count) => self.as_completed(step, *first, *count),
            Op::WaitMany(first, count, until, limit) => {
                self.wait_many(step, (*first, *count), *until, *limit)
            }
            _ => {
                self.see(step, self.result(step));
                Ok(())
            }
        }
    }

    /// The steps without a body whose result is all there is to see.
    fn result(self, step: &Step) -> Seen {
        match &step.1 {
            Op::Spawn(number, body) => self.spawn(*number, body),
            Op::Child(number, body) => self.child(*number, body),
            Op::SetSpawn(number, body) => self.set_spawn(*number, body),
            Op::SetNext => self.set_next(),
            Op::SetCancel => self.set_cancel(),
            Op::CancelScope => self.cancel_scope(step),
            Op::Join(number, how) => self.join(step, *number, *how),
            Op::Cancel(number) => self.cancel(step, *number),
            Op::IsFinished(number) => self.is_finished(*number),
            Op::Unpark(number) => self.unpark(*number),
            Op::Generator(number, body) => self.generator(*number, body),
            Op::YieldOut => self.yield_out(step),
            Op::Drive(number) => self.drive(step, *number),
            Op::Close(number) => self.close(step, *number),
            Op::Throw(number) => self.throw(step, *number),
            Op::Delegate(number) => self.delegate(*number),
            Op::Keep(place, body) => self.keep_local(*place, body),
            _ => self.call(step),
        }
    }

    fn plain(self, step: &Step) -> Returned {
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
        match catch_unwind(AssertUnwindSafe(|| self.all(body))) {
            Ok(returned) => returned,
            Err(payload) => {
                self.see(step, Seen::Ended(planned(payload)));
                Ok(())
            }
        }
    }

    fn scope(self, step: &Step, body: &Body) -> Returned {
        let returned = scope(|scope| self.in_nest(Kind::Plain(scope), body));
        self.see(step, Seen::Done);
        returned
    }

    fn try_scope(self, step: &Step, body: &Body) -> Returned {
        let errors = try_scope(|scope| self.in_nest(Kind::Try(scope), body));
        for error in errors.err().iter().flat_map(ScopeError::all) {
            self.see(step, Seen::Ended(End::Failed(*error)));
        }
        self.see(step, Seen::Done);
        Ok(())
    }

    fn in_nest<'inner, 'around>(self, scope: Kind<'inner, 'around>, body: &Body) -> Returned {
        let nest = Nest {
            scope,
            children: RefCell::default(),
        };
        let doer = Doer {
            world: self.world,
            who: self.who,
            yielder: self.yielder,
            nest: Some(&nest),
        };
        doer.all(body)
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
        let child = closure(self.world, number, body);
        let handle = match nest.scope {
            Kind::Plain(scope) => scope.spawn(child),
            Kind::Try(scope) => scope.spawn(|| child().map(Ok)),
        };
        self.world.started(number, handle.thread());
        nest.children.borrow_mut().push((number, handle));
        Seen::Done
    }

    fn cancel_scope(self, step: &Step) -> Seen {
        match self.nest {
            Some(Nest {
                scope: Kind::Plain(scope),
                ..
            }) => after(|| scope.cancel_with(Asked(step.0))),
            Some(Nest {
                scope: Kind::Try(scope),
                ..
            }) => after(|| scope.cancel_with(Asked(step.0))),
            None => Seen::Missing,
        }
    }

    fn join(self, step: &Step, number: usize, how: How) -> Seen {
        if self.world.is_running(number) {
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

    fn unpark(self, number: usize) -> Seen {
        let thread = self.world.thread(number);
        thread.map_or(Seen::Missing, |thread| after(|| thread.unpark()))
    }

    fn generator(self, number: usize, body: &Body) -> Seen {
        if self.world.is_closed() {
            return Seen::Missing;
        }
        let (world, body) = (Rc::clone(self.world), Body::clone(body));
        let generator = Generator::new(move |yielder: &Yielder<usize, usize>| {
            let doer = Doer {
                world: &world,
                who: GENERATORS + number,
                yielder: Some(yielder),
                nest: None,
            };
            doer.all(&body)
        });
        self.world.keep_generator(number, generator);
        Seen::Done
    }

    fn yield_out(self, step: &Step) -> Seen {
        let yielder = self.yielder;
        yielder.map_or(Seen::Missing, |yielder| Seen::Sent(yielder.yield_(step.0)))
    }

    fn drive(self, step: &Step, number: usize) -> Seen {
        let Some(generator) = self.world.generator(number) else {
            return Seen::Missing;
        };
        let state = match generator.try_send(step.0) {
            Ok(state) => state,
            Err(ResumeError::NotStarted(_)) => generator.start(),
            Err(ResumeError::Running(_)) => return Seen::Refused,
            Err(ResumeError::Finished(_)) => return Seen::Closed,
        };
        match state {
            GeneratorState::Yielded(item) => Seen::Yielded(item),
            GeneratorState::Complete(returned) => Seen::Ended(end(returned)),
        }
    }

    fn close(self, step: &Step, number: usize) -> Seen {
        self.see(step, Seen::Began);
        let Some(generator) = self.world.generator(number) else {
            return Seen::Missing;
        };
        if is_running(&generator) {
            return Seen::Refused;
        }
        generator
            .close()
            .map_or(Seen::Done, |returned| Seen::Ended(end(returned)))
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
    let (world, body) = (Rc::clone(world), Body::clone(body));
    move || thread(&world, number, &body)
}

/// Whether somebody drives it: closing it then would be a misuse.
pub(super) fn is_running(generator: &Coroutine) -> bool {
    format!("{generator:?}").contains("Running")
}

pub(super) fn end(returned: Returned) -> End {
    returned.map_or_else(End::Failed, |()| End::Done)
}
