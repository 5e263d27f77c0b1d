//! Waiting for many: `gather`, `wait`, races and sets.

use std::cell::Cell;
use std::rc::Rc;

use super::frames::What;
use super::places::Places;
use super::tally::Tally;
use super::thread::Thread;
use super::wait::{Cause, Grant, Stop};
use super::world::World;
use crate::history::{End, Why};
use crate::program::{Body, Millis, Until};

/// A set of green threads.
#[derive(Default)]
pub(super) struct JoinSet {
    /// Who is in it.
    pub(super) members: Places,

    /// Who has ended.
    pub(super) tally: Rc<Tally>,
}

/// What a green thread is started for.
pub(super) enum Role {
    /// For itself: whoever starts it gets its handle.
    Plain,

    /// For the program's set.
    Member,

    /// For a race.
    Runner(Rc<FinishLine>),
}

/// How the first of a race has ended.
#[derive(Clone, Copy, Debug)]
enum First {
    /// With this end.
    Ended(End),

    /// By a panic.
    Panicked(Cause),
}

/// What those of a race share.
#[derive(Default)]
pub(super) struct FinishLine(Cell<Option<First>>);

impl World {
    pub(super) fn watched(&self, threads: &[Rc<Thread>]) -> Rc<Tally> {
        let tally = Rc::new(Tally::default());
        for (place, thread) in threads.iter().enumerate() {
            tally.watch(self, thread, place);
        }
        tally
    }

    /// Waits for them all. One who is raised out of that cancels them and waits on.
    pub(super) async fn gather(&self, threads: &[Rc<Thread>]) -> Result<(), Stop> {
        let (tally, all) = (self.watched(threads), threads.len());
        let Err(stop) = tally.wait_for(self, all, None, || Grant::Keep).await else {
            return Ok(());
        };
        let reason = match &stop {
            Stop::Request(What::Cancelled(request)) => request.reason,
            Stop::Request(What::Timeout(_)) => Some(Why::Elapsed),
            Stop::Request(What::Scope) => Some(Why::ScopeFailed),
            _ => None,
        };
        for thread in threads {
            self.cancel(thread, self.request(reason, false));
        }
        tally.wait_for(self, all, None, || Grant::Protected).await?;
        if self.current().number == 0 && self.take_deadlock() {
            return Err(Stop::Panic(Cause::Deadlock));
        }
        Err(stop)
    }

    /// Waits for some of them.
    pub(super) async fn wait_many(
        &self,
        threads: &[Rc<Thread>],
        until: Until,
        limit: Option<Millis>,
    ) -> Result<(), Stop> {
        let tally = self.watched(threads);
        let deadline = limit.map(|limit| self.now.get() + limit);
        match until {
            Until::First => tally.wait_for(self, 1, deadline, || Grant::Keep).await,
            Until::All => {
                tally
                    .wait_for(self, threads.len(), deadline, || Grant::Keep)
                    .await
            }
            Until::FirstError => {
                for _ in threads {
                    let Some(place) = tally.next(self, deadline).await? else {
                        break;
                    };
                    if let Some(End::Cancelled(_) | End::Panicked(_)) = threads[place].end() {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// Has these run against each other; the first end, or none when all were cancelled.
    pub(super) async fn race(
        self: &Rc<Self>,
        runners: &[(usize, Body)],
    ) -> Result<Option<End>, Stop> {
        let finish = Rc::new(FinishLine::default());
        let tally = Rc::new(Tally::default());
        let ended = self.scope(async |family, frame| {
            for (place, (number, body)) in runners.iter().enumerate() {
                let runner = {
                    let role = Role::Runner(Rc::clone(&finish));
                    self.spawn_child(family, frame, *number, body, role)
                };
                tally.watch(self, &runner, place);
            }
            for _ in runners {
                tally.next(self, None).await?;
                if finish.0.get().is_some() {
                    break;
                }
            }
            let request = self.request(None, false);
            self.cancel_family(family, request);
            Ok(())
        });
        let ended = ended.await;
        if let (Err(_), Some(First::Panicked(cause))) = (&ended, finish.0.get()) {
            self.report(cause);
        }
        ended?;
        match finish.0.get() {
            Some(First::Ended(end)) => Ok(Some(end)),
            Some(First::Panicked(cause)) => Err(Stop::Panic(cause)),
            None => Ok(None),
        }
    }

    /// One of a race has come to its end; what is raised in it goes on, and nothing else.
    pub(super) fn cross(&self, finish: &FinishLine, done: Result<(), Stop>) -> Result<(), Stop> {
        let end = match done {
            Ok(()) => First::Ended(End::Done),
            Err(Stop::Fail(step)) => First::Ended(End::Failed(step)),
            Err(Stop::Panic(cause)) => First::Panicked(cause),
            Err(stop) => return Err(stop),
        };
        match (finish.0.get(), end) {
            (None, _) => finish.0.set(Some(end)),
            (Some(_), First::Panicked(cause)) => self.report(cause),
            (Some(_), First::Ended(_)) => {}
        }
        Ok(())
    }

    /// Nobody wants the set any more.
    pub(super) fn drop_set(&self, set: JoinSet) {
        self.cancel_set(&set);
        for thread in set.members.all() {
            self.detach(&thread);
        }
    }

    pub(super) fn cancel_set(&self, set: &JoinSet) {
        for thread in set.members.all() {
            self.cancel(&thread, self.request(None, false));
        }
    }
}
