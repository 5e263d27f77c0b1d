//! What many see of one: broadcast channels and watched values, as calls of the library.

use std::cell::RefCell;
use std::rc::Rc;

use greenthread::channel::{RecvTimeoutError, broadcast, watch};

use super::calls::after;
use super::steps::Doer;
use super::world::Returned;
use crate::history::Seen;
use crate::program::{Body, How, Op, Step};

/// What may be given up while others use it.
type Shared<T> = RefCell<Option<Rc<T>>>;

/// The ends of a broadcast channel, until they are given up.
pub(super) struct Crier {
    /// Its sender.
    sender: RefCell<Option<broadcast::Sender<usize>>>,

    /// Its receivers, which those who receive have too.
    hearers: [Shared<broadcast::Receiver<usize>>; 2],
}

/// The ends of a watched value, until they are given up.
pub(super) struct Shown {
    /// Its sender, which those who send have too.
    sender: Shared<watch::Sender<usize>>,

    /// Its receivers, which those who wait have too.
    watchers: [Shared<watch::Receiver<usize>>; 2],
}

fn shared<T>(value: T) -> Shared<T> {
    RefCell::new(Some(Rc::new(value)))
}

impl Crier {
    pub(super) fn new(capacity: usize) -> Self {
        let (sender, first) = broadcast(capacity);
        let second = sender.subscribe();
        Crier {
            sender: RefCell::new(Some(sender)),
            hearers: [shared(first), shared(second)],
        }
    }

    fn tell(&self, item: usize) -> Seen {
        let sender = self.sender.borrow();
        sender.as_ref().map_or(Seen::Missing, |sender| {
            sender.send(item).map_or(Seen::Closed, Seen::Told)
        })
    }

    fn subscribe(&self, which: usize) -> Seen {
        let sender = self.sender.borrow();
        sender.as_ref().map_or(Seen::Missing, |sender| {
            let new = Rc::new(sender.subscribe());
            after(|| drop(self.hearers[which].replace(Some(new))))
        })
    }
}

impl Shown {
    pub(super) fn new() -> Self {
        let (sender, first) = watch(0);
        let second = sender.subscribe();
        Shown {
            sender: shared(sender),
            watchers: [shared(first), shared(second)],
        }
    }

    fn watch_anew(&self, which: usize) -> Seen {
        let sender = self.sender.borrow();
        sender.as_ref().map_or(Seen::Missing, |sender| {
            let new = Rc::new(sender.subscribe());
            after(|| drop(self.watchers[which].replace(Some(new))))
        })
    }
}

impl Doer<'_, '_, '_> {
    /// The steps that ask one of these for one thing.
    pub(super) fn spread(self, step: &Step) -> Seen {
        let objects = &self.world.objects;
        match &step.1 {
            Op::Tell(place) => objects.criers[*place].tell(step.0),
            Op::Hear(place, which, how) => self.hear(step, *place, *which, *how),
            Op::Subscribe(place, which) => objects.criers[*place].subscribe(*which),
            Op::DropTeller(place) => gone(objects.criers[*place].sender.take()),
            Op::DropHearer(place, which) => gone(objects.criers[*place].hearers[*which].take()),
            Op::Show(place) => self.show(step, *place),
            Op::Look(place, which) => {
                let watcher = objects.shown[*place].watchers[*which].borrow();
                let watcher = watcher.as_ref();
                watcher.map_or(Seen::Missing, |watcher| {
                    Seen::Heard(*watcher.borrow_and_update())
                })
            }
            Op::Changed(place, which, how) => self.changed(step, *place, *which, *how),
            Op::Unwatched(place, how) => self.unwatched(step, *place, *how),
            Op::WatchAnew(place, which) => objects.shown[*place].watch_anew(*which),
            Op::DropShower(place) => gone(objects.shown[*place].sender.take()),
            Op::DropWatcher(place, which) => gone(objects.shown[*place].watchers[*which].take()),
            other => unreachable!("{} is done elsewhere", other.name()),
        }
    }

    fn hear(self, step: &Step, place: usize, which: usize, how: How) -> Seen {
        let hearer = self.world.objects.criers[place].hearers[which]
            .borrow()
            .clone();
        let Some(hearer) = hearer else {
            return Seen::Missing;
        };
        match how {
            How::Wait => match hearer.recv() {
                Ok(item) => Seen::Heard(item),
                Err(broadcast::RecvError::Closed) => Seen::Closed,
                Err(broadcast::RecvError::Lagged(missed)) => Seen::Missed(missed),
            },
            How::Try => match hearer.try_recv() {
                Ok(item) => Seen::Heard(item),
                Err(broadcast::TryRecvError::Empty) => Seen::Refused,
                Err(broadcast::TryRecvError::Closed) => Seen::Closed,
                Err(broadcast::TryRecvError::Lagged(missed)) => Seen::Missed(missed),
            },
            How::Within(limit) => match hearer.recv_timeout(self.begun(step, limit)) {
                Ok(item) => Seen::Heard(item),
                Err(broadcast::RecvTimeoutError::Timeout) => Seen::Elapsed,
                Err(broadcast::RecvTimeoutError::Closed) => Seen::Closed,
                Err(broadcast::RecvTimeoutError::Lagged(missed)) => Seen::Missed(missed),
            },
        }
    }

    fn show(self, step: &Step, place: usize) -> Seen {
        let sender = self.world.objects.shown[place].sender.borrow().clone();
        sender.map_or(Seen::Missing, |sender| {
            sender.send(step.0).map_or(Seen::Closed, |()| Seen::Done)
        })
    }

    /// Nothing is sent when the body fails.
    pub(super) fn modify(self, step: &Step, place: usize, body: &Body) -> Returned {
        let sender = self.world.objects.shown[place].sender.borrow().clone();
        let Some(sender) = sender else {
            self.see(step, Seen::Missing);
            return Ok(());
        };
        let mut returned = Ok(());
        sender.send_if_modified(|value| {
            self.see(step, Seen::Began);
            returned = self.all(body);
            *value = step.0;
            returned.is_ok()
        });
        returned?;
        self.see(step, Seen::Done);
        Ok(())
    }

    fn changed(self, step: &Step, place: usize, which: usize, how: How) -> Seen {
        let watcher = self.world.objects.shown[place].watchers[which]
            .borrow()
            .clone();
        let Some(watcher) = watcher else {
            return Seen::Missing;
        };
        match how {
            How::Wait => watcher.changed().map_or(Seen::Closed, |()| Seen::Done),
            How::Try => watcher.has_changed().map_or(Seen::Closed, Seen::Says),
            How::Within(limit) => match watcher.changed_timeout(self.begun(step, limit)) {
                Ok(()) => Seen::Done,
                Err(RecvTimeoutError::Timeout) => Seen::Elapsed,
                Err(RecvTimeoutError::Disconnected) => Seen::Closed,
            },
        }
    }

    fn unwatched(self, step: &Step, place: usize, how: How) -> Seen {
        let sender = self.world.objects.shown[place].sender.borrow().clone();
        let Some(sender) = sender else {
            return Seen::Missing;
        };
        match how {
            How::Wait => after(|| sender.closed()),
            How::Try => Seen::Says(sender.is_closed()),
            How::Within(limit) => {
                let closed = sender.closed_timeout(self.begun(step, limit));
                closed.map_or(Seen::Elapsed, |()| Seen::Done)
            }
        }
    }
}

/// One end is given up.
fn gone<T>(end: Option<T>) -> Seen {
    end.map_or(Seen::Missing, |_| Seen::Done)
}
