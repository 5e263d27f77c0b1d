//! Who of many has ended, in the order in which they ended: what one who waits for several green threads waits on.
//!
//! ```text
//!   green thread 0 ──ends──▶ Watcher { tally, 0 } ──┐
//!   green thread 1 ──ends──▶ Watcher { tally, 1 } ──┼──▶ Tally: 1, 0, ..  ──▶ one waiter, woken when as many have ended as he wants
//!   green thread 2 ─ .. ─────────────────────────────┘
//! ```
//!
//! One wait with one node serves any number of green threads, and wakes its owner once. The watchers are told where joiners are woken (`finish`), so they
//! work from any OS thread, and when an OS thread goes away (L19). A tally that nobody waits on any more is told all the same, to no effect.

use std::collections::VecDeque;
use std::sync::Arc;

use super::list::WaitList;
use super::task::Task;
use crate::base::lock::Lock;

/// Who of many has ended.
pub(crate) struct Tally(Lock<Marks>);

/// How it stands.
pub(crate) struct Marks {
    /// The places of those who have ended and were not taken, the earliest first.
    ended: VecDeque<usize>,

    /// How many were taken.
    taken: usize,

    /// How many must have ended, taken or not, before the waiter is woken.
    wanted: usize,

    /// At most one.
    waiters: WaitList,

    /// Or a future, which is told of each.
    task: Option<Task>,
}

impl Marks {
    /// How many have ended, taken or not.
    pub(crate) fn count(&self) -> usize {
        self.taken + self.ended.len()
    }

    /// How many were taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    /// Says how many must have ended before the waiter is woken.
    pub(crate) fn want(&mut self, wanted: usize) {
        self.wanted = wanted;
    }

    pub(crate) fn waiters(&mut self) -> &mut WaitList {
        &mut self.waiters
    }

    fn take(&mut self) -> Option<usize> {
        let place = self.ended.pop_front();
        self.taken += usize::from(place.is_some());
        place
    }
}

impl Tally {
    /// A tally with room for `members`, so that telling it allocates nothing.
    pub(crate) fn new(members: usize) -> Arc<Tally> {
        Arc::new(Tally(Lock::new(Marks {
            ended: VecDeque::with_capacity(members),
            taken: 0,
            wanted: 0,
            waiters: WaitList::new(),
            task: None,
        })))
    }

    /// Makes room for so many who have ended and were not taken.
    pub(crate) fn make_room(&self, members: usize) {
        let mut marks = self.0.lock();
        let more = members.saturating_sub(marks.ended.len());
        marks.ended.reserve(more);
    }

    /// The one at `place` has ended.
    pub(crate) fn note(&self, place: usize) {
        let mut marks = self.0.lock();
        marks.ended.push_back(place);
        let wake = if marks.count() >= marks.wanted {
            marks.waiters.wake_first()
        } else {
            None
        };
        let task = marks.task.take();
        drop(marks);
        drop(wake);
        if let Some(task) = task {
            task.wake();
        }
    }

    /// Has the next one who ends told to a future; who was to be told before comes back, to be dropped.
    pub(crate) fn tell(&self, task: Option<Task>) -> Option<Task> {
        std::mem::replace(&mut self.0.lock().task, task)
    }

    /// Takes the earliest that has ended and was not taken.
    pub(crate) fn try_next(&self) -> Option<usize> {
        self.0.lock().take()
    }

    /// What a wait takes its place in; the waiting itself is in `results::waiting`.
    pub(crate) fn marks(&self) -> &Lock<Marks> {
        &self.0
    }
}

/// What a green thread tells at its end, once: its place in a tally.
pub(crate) struct Watcher {
    /// Who is told.
    tally: Arc<Tally>,

    /// Which of the many this one is.
    place: usize,
}

impl Watcher {
    pub(crate) fn new(tally: &Arc<Tally>, place: usize) -> Self {
        Watcher {
            tally: Arc::clone(tally),
            place,
        }
    }

    /// The address of what is told.
    pub(super) fn tally(&self) -> usize {
        std::ptr::from_ref(self.tally.marks()).addr()
    }

    pub(crate) fn tell(self) {
        self.tally.note(self.place);
    }
}
