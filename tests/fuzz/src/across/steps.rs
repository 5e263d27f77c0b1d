//! The steps with something inside of them, and those about who lives and who ends.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use greenthread::{
    Scope, TryScope, WaitFor, as_completed, catch_cancel, checkpoint, current, gather, race, scope,
    shield, sleep, spawn_anywhere, timeout, try_scope, wait, yield_now,
};

use super::world::{Living, World};
use crate::program::{Body, How, Millis, Op, Step, Then, Until};

/// What comes of steps: the number of the one that failed.
pub(super) type Returned = Result<(), usize>;

/// As long as a wait takes where nobody could end it.
const PATIENCE: Duration = Duration::from_millis(1);

/// A planned panic.
struct Planned;

/// Either kind of scope.
#[derive(Clone, Copy)]
enum Kind<'scope, 'env> {
    /// One in which an error is nothing special.
    Plain(&'scope Scope<'scope, 'env>),

    /// One in which it ends all.
    Try(&'scope TryScope<'scope, 'env, usize>),
}

/// The scope in whose body something runs.
struct Nest<'scope, 'env> {
    /// The scope.
    scope: Kind<'scope, 'env>,

    /// Its children.
    children: &'scope Children<'env>,
}

/// The children of a scope, which must be over when this is dropped.
struct Children<'a>(&'a World, RefCell<Vec<usize>>);

impl Drop for Children<'_> {
    fn drop(&mut self) {
        let numbers = self.1.take();
        numbers
            .into_iter()
            .for_each(|number| self.0.expect_over(number));
    }
}

/// Who does the steps, and where.
#[derive(Clone, Copy)]
pub(super) struct Doer<'a, 'scope, 'env> {
    /// What all share.
    pub(super) world: &'a Arc<World>,

    /// The number of the green thread.
    who: usize,

    /// Whether all its waits have limits, because no request would end one.
    pub(super) bounded: bool,

    /// Whether it is inside of something.
    pub(super) holds: bool,

    /// The innermost scope, if there is one.
    nest: Option<&'a Nest<'scope, 'env>>,
}

/// What is done when a body is left, in whatever way.
struct AtLast<'a, 'scope, 'env>(Doer<'a, 'scope, 'env>, &'a [Step]);

impl Drop for AtLast<'_, '_, '_> {
    fn drop(&mut self) {
        let _ = self.0.all(self.1);
    }
}

/// What the root does.
pub(super) fn root(world: &Arc<World>, body: &Body) {
    let _ = life(world, 0, true, body);
}

fn life(world: &Arc<World>, who: usize, bounded: bool, body: &[Step]) -> Returned {
    let doer = Doer {
        world,
        who,
        bounded,
        holds: false,
        nest: None,
    };
    doer.all(body)
}

/// What a green thread does; it owns all that it needs.
fn closure(
    world: &Arc<World>,
    bounded: bool,
    number: usize,
    body: &Body,
) -> impl FnOnce() -> Returned + Send + use<> {
    let (world, body) = (Arc::clone(world), Body::clone(body));
    move || {
        let _living = Living::new(&world, number);
        world.started(number, current());
        life(&world, number, bounded, &body)
    }
}

pub(super) fn duration(limit: Millis) -> Duration {
    Duration::from_micros(100 * limit)
}

impl Doer<'_, '_, '_> {
    pub(super) fn all(self, body: &[Step]) -> Returned {
        for (place, step) in body.iter().enumerate() {
            if let Op::Defer(last) = &step.1 {
                let last = AtLast(self, last);
                return last.0.all(&body[place + 1..]);
            }
            self.one(step)?;
        }
        Ok(())
    }

    /// The same inside of something.
    pub(super) fn within(self, body: &[Step]) -> Returned {
        let holds = true;
        Doer { holds, ..self }.all(body)
    }

    /// How long it waits; none for ever.
    pub(super) fn limit(self, how: How) -> Option<Duration> {
        match how {
            How::Wait => self.bounded.then_some(PATIENCE),
            How::Try => Some(Duration::ZERO),
            How::Within(limit) => Some(duration(limit)),
        }
    }

    fn one(self, step: &Step) -> Returned {
        match &step.1 {
            Op::Sleep(limit) => sleep(duration(*limit)),
            Op::Yield => yield_now(),
            Op::Checkpoint => checkpoint(),
            Op::Panic => resume_unwind(Box::new(Planned)),
            Op::Fail => return Err(step.0),
            Op::Timeout(limit, body) => {
                return timeout(duration(*limit), || self.all(body)).unwrap_or(Ok(()));
            }
            Op::Shield(body) => {
                let bounded = true;
                return shield(|| Doer { bounded, ..self }.all(body));
            }
            Op::Catch(then, body) => return self.catch(*then, body),
            Op::CatchPanic(body) => return self.catch_panic(body),
            Op::Scope(body) => return self.scope(body),
            Op::TryScope(body) => return self.try_scope(body),
            Op::Race(body) => self.race(body),
            Op::Spawn(number, body) | Op::SetSpawn(number, body) => self.spawn(*number, body),
            Op::Child(number, body) => self.child(*number, body),
            Op::CancelScope => self.cancel_scope(),
            Op::Join(number, how) => self.join(*number, *how),
            Op::Cancel(number) => {
                let thread = self.world.thread(*number);
                thread.map(|thread| thread.cancel());
            }
            Op::Unpark(number) => {
                let thread = self.world.thread(*number);
                thread.iter().for_each(|thread| thread.unpark());
            }
            Op::Gather(first, count)
            | Op::AsCompleted(first, count)
            | Op::WaitMany(first, count, ..) => self.wait_many(&step.1, *first, *count),
            _ => return self.wait(step),
        }
        Ok(())
    }

    fn catch(self, then: Then, body: &Body) -> Returned {
        match (catch_cancel(|| self.all(body)), then) {
            (Ok(returned), _) => returned,
            (Err(_), Then::GoOn) => Ok(()),
            (Err(caught), Then::Resume) => caught.resume(),
        }
    }

    fn catch_panic(self, body: &Body) -> Returned {
        match catch_unwind(AssertUnwindSafe(|| self.all(body))) {
            Ok(returned) => returned,
            Err(payload) if payload.is::<Planned>() => Ok(()),
            Err(payload) => resume_unwind(payload),
        }
    }

    fn scope(self, body: &Body) -> Returned {
        let children = Children(self.world, RefCell::default());
        scope(|scope| self.in_nest(Kind::Plain(scope), &children, body))
    }

    fn try_scope(self, body: &Body) -> Returned {
        let children = Children(self.world, RefCell::default());
        // Its errors are dealt with.
        let _ = try_scope(|scope| self.in_nest(Kind::Try(scope), &children, body));
        Ok(())
    }

    fn in_nest<'inner, 'around>(
        self,
        scope: Kind<'inner, 'around>,
        children: &'inner Children<'around>,
        body: &Body,
    ) -> Returned {
        let nest = Nest { scope, children };
        let doer = Doer {
            world: self.world,
            who: self.who,
            bounded: self.bounded,
            holds: self.holds,
            nest: Some(&nest),
        };
        doer.all(body)
    }

    fn spawn(self, number: usize, body: &Body) {
        let handle = spawn_anywhere(closure(self.world, false, number, body));
        self.world.started(number, handle.thread().clone());
        self.world.keep(number, handle);
    }

    fn child(self, number: usize, body: &Body) {
        let Some(nest) = self.nest else {
            return self.spawn(number, body);
        };
        let child = closure(self.world, self.bounded, number, body);
        nest.children.1.borrow_mut().push(number);
        let handle = match nest.scope {
            Kind::Plain(scope) => scope.spawn_anywhere(child),
            Kind::Try(scope) => scope.spawn_anywhere(|| child().map(Ok)),
        };
        self.world.started(number, handle.thread().clone());
    }

    fn cancel_scope(self) {
        match self.nest.map(|nest| nest.scope) {
            Some(Kind::Plain(scope)) => scope.cancel(),
            Some(Kind::Try(scope)) => scope.cancel(),
            None => {}
        }
    }

    /// Those of a race run on the OS thread of whoever calls it.
    fn race(self, body: &Body) {
        let runners = body.iter().filter_map(|step| match &step.1 {
            Op::Child(number, body) => Some(closure(self.world, self.bounded, *number, body)),
            _ => None,
        });
        let runners: Vec<_> = runners.collect();
        if !runners.is_empty() {
            let _ = race(runners);
        }
    }

    fn is_running(self, number: usize) -> bool {
        let thread = self.world.thread(number);
        thread.is_some_and(|thread| thread == current())
    }

    fn join(self, number: usize, how: How) {
        if self.is_running(number) {
            return;
        }
        let Some(handle) = self.world.take(number) else {
            return;
        };
        match self.limit(how) {
            None => drop(handle.join()),
            Some(limit) => {
                if let Err(handle) = handle.join_timeout(limit) {
                    return self.world.keep(number, handle);
                }
            }
        }
        self.world.expect_over(number);
    }

    /// Whoever gathers waits for all, also when asked to end: to gather those alone who come later in the text leaves no circle.
    fn wait_many(self, op: &Op, first: usize, count: usize) {
        let numbers = first..first + count;
        let others = numbers.filter(|number| !self.is_running(*number));
        let taken = others.filter_map(|number| Some((number, self.world.take(number)?)));
        let (numbers, handles): (Vec<_>, Vec<_>) = taken.unzip();
        if handles.is_empty() {
            return;
        }
        let (until, limit) = match op {
            Op::Gather(..) if !self.bounded && first > self.who => {
                gather(handles);
                return numbers
                    .into_iter()
                    .for_each(|number| self.world.expect_over(number));
            }
            Op::AsCompleted(..) if !self.bounded => {
                as_completed(handles).for_each(drop);
                return numbers
                    .into_iter()
                    .for_each(|number| self.world.expect_over(number));
            }
            Op::WaitMany(_, _, Until::First, limit) => (WaitFor::First, *limit),
            Op::WaitMany(_, _, Until::FirstError, limit) => (WaitFor::FirstError, *limit),
            Op::WaitMany(_, _, Until::All, limit) => (WaitFor::All, *limit),
            _ => (WaitFor::All, None),
        };
        let ids: Vec<_> = handles.iter().map(|handle| handle.thread().id()).collect();
        let place = |id| ids.iter().position(|other| *other == id).expect("given");
        let limit = limit.map_or_else(|| self.limit(How::Wait), |limit| Some(duration(limit)));
        let waited = wait(handles, until, limit);
        for handle in waited.done {
            self.world.expect_over(numbers[place(handle.thread().id())]);
        }
        for handle in waited.pending {
            self.world
                .keep(numbers[place(handle.thread().id())], handle);
        }
    }
}
