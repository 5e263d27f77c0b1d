//! The steps that wait for many, as calls of the library.

use std::rc::Rc;

use greenthread::{WaitFor, as_completed, current, gather, race, wait};

use super::calls::{after, duration};
use super::steps::{Doer, end, thread};
use super::world::{Returned, World, end_of};
use crate::history::Seen;
use crate::program::{Body, Millis, Op, Step, Until};

impl Doer<'_, '_, '_> {
    pub(super) fn gather(self, step: &Step, first: usize, count: usize) -> Returned {
        let handles = self.world.take_some(first, count);
        for result in gather(handles.into_iter().map(|(_, handle)| handle)) {
            self.see(step, Seen::Ended(end_of(result)));
        }
        self.see(step, Seen::Done);
        Ok(())
    }

    pub(super) fn as_completed(self, step: &Step, first: usize, count: usize) -> Returned {
        let handles = self.world.take_some(first, count);
        for result in as_completed(handles.into_iter().map(|(_, handle)| handle)) {
            self.see(step, Seen::Ended(end_of(result)));
        }
        self.see(step, Seen::Done);
        Ok(())
    }

    pub(super) fn wait_many(
        self,
        step: &Step,
        (first, count): (usize, usize),
        until: Until,
        limit: Option<Millis>,
    ) -> Returned {
        let (numbers, handles): (Vec<_>, Vec<_>) =
            self.world.take_some(first, count).into_iter().unzip();
        if handles.is_empty() {
            self.see(step, Seen::Missing);
            return Ok(());
        }
        let ids: Vec<_> = handles.iter().map(|handle| handle.thread().id()).collect();
        let until = match until {
            Until::First => WaitFor::First,
            Until::FirstError => WaitFor::FirstError,
            Until::All => WaitFor::All,
        };
        let waited = wait(handles, until, limit.map(duration));
        for handle in waited.done {
            self.see(step, Seen::Ended(end_of(handle.join())));
        }
        for handle in waited.pending {
            let place = ids.iter().position(|id| *id == handle.thread().id());
            let number = numbers[place.expect("it was given")];
            self.world.keep(number, handle);
        }
        self.see(step, Seen::Done);
        Ok(())
    }

    pub(super) fn race(self, step: &Step, body: &Body) -> Returned {
        let runners: Vec<_> = body.iter().filter_map(|step| self.runner(step)).collect();
        if runners.is_empty() {
            self.see(step, Seen::Missing);
            return Ok(());
        }
        let won = race(runners);
        self.see(step, Seen::Ended(end(won)));
        Ok(())
    }

    /// One of a race.
    fn runner(self, step: &Step) -> Option<impl FnOnce() -> Returned + use<>> {
        match &step.1 {
            Op::Child(number, body) => Some(unnamed(self.world, *number, body)),
            _ => None,
        }
    }

    pub(super) fn set_spawn(self, number: usize, body: &Body) -> Seen {
        let Some(mut set) = self.world.take_set() else {
            return Seen::Missing;
        };
        set.spawn(unnamed(self.world, number, body));
        self.world.keep_set(set);
        Seen::Done
    }

    /// Whoever waits for the next has the set meanwhile, and drops it when raised out of that.
    pub(super) fn set_next(self) -> Seen {
        let Some(mut set) = self.world.take_set() else {
            return Seen::Missing;
        };
        let next = set.join_next();
        self.world.keep_set(set);
        next.map_or(Seen::Refused, |result| Seen::Ended(end_of(result)))
    }

    pub(super) fn set_cancel(self) -> Seen {
        let Some(set) = self.world.take_set() else {
            return Seen::Missing;
        };
        let seen = after(|| set.cancel_all());
        self.world.keep_set(set);
        seen
    }
}

/// What a green thread does whose handle nobody sees: it can be named when it begins.
fn unnamed(world: &Rc<World>, number: usize, body: &Body) -> impl FnOnce() -> Returned + use<> {
    let (world, body) = (Rc::clone(world), Body::clone(body));
    move || {
        world.started(number, &current());
        thread(&world, number, &body)
    }
}
