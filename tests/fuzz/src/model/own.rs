//! What somebody has for himself, for a while or for good, and what many see of one, as the model does it.

use std::cell::Cell;
use std::rc::Rc;

use super::frames::Kind;
use super::steps::{Doer, Done};
use super::sync::Served;
use super::thread::Thread;
use super::wait::Stop;
use super::world::World;
use crate::history::Seen;
use crate::program::{self, Body, How, Millis, Op, Step};

/// Ticks at even distances.
pub(super) struct Ticks {
    /// Of what kind.
    kind: program::Interval,

    /// When the next one is due.
    next: Cell<Millis>,

    /// Whether somebody waits for it.
    lent: Cell<bool>,
}

/// A tick that is at most this late counts as on time.
const ON_TIME: Millis = 5;

impl Ticks {
    pub(super) fn new(kind: program::Interval) -> Self {
        Ticks {
            kind,
            next: Cell::new(0),
            lent: Cell::new(false),
        }
    }

    async fn tick(&self, world: &World) -> Result<Seen, Stop> {
        if self.lent.replace(true) {
            return Ok(Seen::Missing);
        }
        let due = self.next.get();
        let slept = world.sleep_until(due).await;
        self.lent.set(false);
        slept?;
        self.next.set(self.after(due, world.now.get()));
        Ok(Seen::Ticked(due))
    }

    /// When the tick after the one that was `due` is.
    fn after(&self, due: Millis, now: Millis) -> Millis {
        let late = now - due;
        match self.kind {
            program::Interval::Delay(period) if late > ON_TIME => now + period,
            program::Interval::Skip(period) if late > ON_TIME => now + period - late % period,
            program::Interval::Burst(period)
            | program::Interval::Delay(period)
            | program::Interval::Skip(period) => due + period,
        }
    }
}

impl<'a> Doer<'a> {
    /// The steps that ask one of these for one thing.
    pub(super) async fn own(self, step: &Step) -> Result<Seen, Stop> {
        let world = self.world;
        Ok(match &step.1 {
            Op::Tell(place) => world.broadcasts[*place].tell(world, step.0),
            Op::Hear(place, which, how) => {
                let broadcast = &world.broadcasts[*place];
                let Some(hearer) = broadcast.hearer(*which) else {
                    return Ok(Seen::Missing);
                };
                self.begins(step, *how);
                broadcast.hear(world, hearer, *how).await?
            }
            Op::Subscribe(place, which) => world.broadcasts[*place].subscribe(*which),
            Op::DropTeller(place) => world.broadcasts[*place].drop_sender(world),
            Op::DropHearer(place, which) => world.broadcasts[*place].drop_hearer(*which),
            Op::Look(place, which) => world.watches[*place].look(*which),
            Op::WatchAnew(place, which) => world.watches[*place].watch_anew(world, *which),
            Op::DropShower(place) => world.watches[*place].drop_sender(world),
            Op::DropWatcher(place, which) => world.watches[*place].drop_watcher(world, *which),
            Op::Changed(place, which, how) => {
                let watch = &world.watches[*place];
                let Some(watcher) = watch.watcher(*which) else {
                    return Ok(Seen::Missing);
                };
                self.begins(step, *how);
                watch.changed(world, watcher, *how).await?
            }
            Op::Show(place) | Op::Unwatched(place, _) => self.with_sender(step, *place).await?,
            Op::SetOnce(place) => self.set_once(step, *place).await?,
            Op::WaitOnce(place, how) => {
                self.begins(step, *how);
                world.onces[*place].wait(world, *how).await?
            }
            Op::Tick(place) => world.ticks[*place].tick(world).await?,
            other => unreachable!("{} is done elsewhere", other.name()),
        })
    }

    async fn with_sender(self, step: &Step, place: usize) -> Result<Seen, Stop> {
        let (world, watch) = (self.world, &self.world.watches[place]);
        let Some(sender) = watch.sender() else {
            return Ok(Seen::Missing);
        };
        let seen = match &step.1 {
            Op::Unwatched(_, how) => {
                self.begins(step, *how);
                watch.unwatched(world, *how).await
            }
            _ => watch.show(world, step.0).await,
        };
        watch.let_sender_go(world, sender);
        seen
    }

    pub(super) async fn modify(self, step: &'a Step, place: usize, body: &'a Body) -> Done {
        let (world, watch) = (self.world, &self.world.watches[place]);
        let Some(sender) = watch.sender() else {
            return self.see(step, Seen::Missing);
        };
        let entered = watch.writing.enter(world, How::Wait).await;
        let done = match entered {
            Ok(_) => {
                let _ = self.see(step, Seen::Began);
                let done = self.all(body).await;
                if done.is_ok() {
                    watch.replace(world, step.0);
                }
                watch.writing.leave(world);
                done
            }
            Err(stop) => Err(stop),
        };
        // What was sent or not is seen before the sender goes, unless that unwinds.
        let done = match done {
            Ok(()) => self.see(step, Seen::Done),
            stopped => stopped,
        };
        watch.let_sender_go(world, sender);
        done
    }

    pub(super) async fn init(self, step: &'a Step, place: usize, body: &'a Body) -> Done {
        let (world, once) = (self.world, &self.world.onces[place]);
        if once.is_made_by(world.current().number) {
            return self.see(step, Seen::Missing);
        }
        if once.begin(world).await? {
            let _ = self.see(step, Seen::Began);
            let done = self.all(body).await;
            let made = done.is_ok().then_some(step.0);
            once.finish(world, made);
            done?;
        }
        self.see(step, Seen::Heard(once.value.get().expect("it is made")))
    }

    async fn set_once(self, step: &Step, place: usize) -> Result<Seen, Stop> {
        let (world, once) = (self.world, &self.world.onces[place]);
        if once.is_made_by(world.current().number) {
            return Ok(Seen::Missing);
        }
        if !once.begin(world).await? {
            return Ok(Seen::Refused);
        }
        once.finish(world, Some(step.0));
        Ok(Seen::Done)
    }

    pub(super) async fn relock(
        self,
        step: &'a Step,
        place: usize,
        how: How,
        body: &'a Body,
    ) -> Done {
        let again = &self.world.agains[place];
        self.begins(step, how);
        let served = again.enter(self.world, how).await?;
        if served != Served::Yes {
            return self.not_served(step, served);
        }
        let _ = self.see(step, Seen::Done);
        let done = self.all(body).await;
        again.leave(self.world);
        done
    }

    /// What stood there before is done now.
    pub(super) async fn keep_local(self, place: usize, body: &Body) -> Result<Seen, Stop> {
        let me = self.world.current();
        let before = me.keep_local((place, Body::clone(body)));
        if let Some((_, before)) = before {
            alone(self.world, me.number).all(&before).await?;
        }
        Ok(Seen::Done)
    }
}

fn alone(world: &Rc<World>, who: usize) -> Doer<'_> {
    Doer {
        world,
        who,
        coroutine: None,
        nest: None,
    }
}

/// The locals of one that ends are done, newest first, and nothing is raised in them.
pub(super) async fn end_locals(world: &Rc<World>, me: &Thread) {
    if !me.has_locals() {
        return;
    }
    let shield = world.enter(Kind::Shield);
    while let Some((_, body)) = me.newest_local() {
        let done = alone(world, me.number).all(&body).await;
        assert!(done.is_ok(), "a local's end is left by something");
    }
    world.leave(&shield);
}
