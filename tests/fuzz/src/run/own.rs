//! What somebody has for himself, for a while or for good, as calls of the library: values that are written once, mutexes that their owner may take again, intervals, locals.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use greenthread::sync::{OnceLock, ReentrantMutex};
use greenthread::time::{Interval, MissedTicks, interval};
use greenthread::{GreenThread, LocalKey, current, green_local};

use super::steps::Doer;
use super::world::{Returned, World};
use crate::history::Seen;
use crate::program::{self, Body, How, Step};

green_local! {
    /// The first local of each green thread.
    static FIRST: Option<AtEnd> = None;
    /// The second.
    static SECOND: Option<AtEnd> = None;
}

/// By their places.
static LOCALS: [&LocalKey<Option<AtEnd>>; 2] = [&FIRST, &SECOND];

/// Does the body when it is dropped.
struct AtEnd {
    /// What all share.
    world: Rc<World>,

    /// What is done.
    body: Body,
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        let who = self.world.number_of_running();
        let _ = Doer::alone(&self.world, who).all(&self.body);
    }
}

/// A value that is written once.
#[derive(Default)]
pub(super) struct Once {
    /// The value.
    value: OnceLock<usize>,

    /// Who makes it: asking for it again would be a misuse.
    maker: RefCell<Option<GreenThread>>,
}

/// Makes a value until this is dropped.
struct Making<'a>(&'a Once);

impl<'a> Making<'a> {
    fn new(once: &'a Once) -> Self {
        once.maker.replace(Some(current()));
        Making(once)
    }
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        self.0.maker.take();
    }
}

/// A mutex whose owner may take it again.
#[derive(Default)]
pub(super) struct Again {
    /// Who is inside, and how often, stands in it.
    mutex: ReentrantMutex<Cell<(usize, usize)>>,
}

/// One is inside, once more, until this is dropped.
struct Deeper<'a>(&'a Cell<(usize, usize)>);

impl<'a> Deeper<'a> {
    fn new(world: &World, who: usize, inside: &'a Cell<(usize, usize)>) -> Self {
        let (owner, depth) = inside.get();
        if depth > 0 && owner != who {
            world.fault("two are inside one mutex".into());
        }
        inside.set((who, depth + 1));
        Deeper(inside)
    }
}

impl Drop for Deeper<'_> {
    fn drop(&mut self) {
        let (owner, depth) = self.0.get();
        self.0.set((owner, depth - 1));
    }
}

/// An interval, unless somebody waits for its tick.
pub(super) type Ticks = RefCell<Option<Interval>>;

pub(super) fn ticks(kind: program::Interval) -> Ticks {
    let (period, missed) = match kind {
        program::Interval::Burst(period) => (period, MissedTicks::Burst),
        program::Interval::Delay(period) => (period, MissedTicks::Delay),
        program::Interval::Skip(period) => (period, MissedTicks::Skip),
    };
    let made = interval(Duration::from_millis(period));
    RefCell::new(Some(made.missed_ticks(missed)))
}

/// Puts an interval back when this is dropped.
struct Lent<'a>(&'a Ticks, Option<Interval>);

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.0.replace(self.1.take());
    }
}

impl Doer<'_, '_, '_> {
    pub(super) fn init(self, step: &Step, place: usize, body: &Body) -> Returned {
        let once = &self.world.objects.onces[place];
        if once.is_made_here() {
            self.see(step, Seen::Missing);
            return Ok(());
        }
        let made = once.value.get_or_try_init(|| {
            let _making = Making::new(once);
            self.see(step, Seen::Began);
            self.all(body).map(|()| step.0)
        });
        let value = *made?;
        self.see(step, Seen::Heard(value));
        Ok(())
    }

    pub(super) fn set_once(self, step: &Step, place: usize) -> Seen {
        let once = &self.world.objects.onces[place];
        if once.is_made_here() {
            return Seen::Missing;
        }
        once.value
            .set(step.0)
            .map_or(Seen::Refused, |()| Seen::Done)
    }

    pub(super) fn wait_once(self, step: &Step, place: usize, how: How) -> Seen {
        let value = &self.world.objects.onces[place].value;
        match how {
            How::Wait => Seen::Heard(*value.wait()),
            How::Try => value
                .get()
                .map_or(Seen::Refused, |value| Seen::Heard(*value)),
            How::Within(limit) => {
                let waited = value.wait_timeout(self.begun(step, limit));
                waited.map_or(Seen::Elapsed, |value| Seen::Heard(*value))
            }
        }
    }

    pub(super) fn relock(self, step: &Step, place: usize, how: How, body: &Body) -> Returned {
        let mutex = &self.world.objects.agains[place].mutex;
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
        let owner = self.world.number_of_running();
        let _deeper = Deeper::new(self.world, owner, &guard);
        self.see(step, Seen::Done);
        self.all(body)
    }

    pub(super) fn tick(self, place: usize) -> Seen {
        let ticks = &self.world.objects.ticks[place];
        let interval = ticks.take();
        if interval.is_none() {
            return Seen::Missing;
        }
        let mut lent = Lent(ticks, interval);
        let due = lent.1.as_mut().map(Interval::tick);
        due.map_or(Seen::Missing, |due| Seen::Ticked(self.world.since(due)))
    }

    pub(super) fn keep_local(self, place: usize, body: &Body) -> Seen {
        LOCALS[place].set(Some(AtEnd {
            world: Rc::clone(self.world),
            body: Body::clone(body),
        }));
        Seen::Done
    }
}

impl Once {
    fn is_made_here(&self) -> bool {
        self.maker.borrow().as_ref() == Some(&current())
    }
}
