//! Work that has not begun, and the workers that begin it (D1, D4).
//!
//! ```text
//!   spawn_anywhere on a worker ──▶ that worker's tray ──┐
//!                                                        ├─▶ a worker with nobody in line: its own tray, the common one, another's
//!   spawn_anywhere elsewhere ────▶ the common tray ─────┘    one with somebody in line: one piece at each look
//!                                                                           │ begin: its home is settled
//!                                                                           ▼
//!                                                             a green thread of that worker, for life
//! ```
//!
//! A piece of work is a green thread without a home. It has its header, so it can be named, joined, asked to end and unparked from anywhere; its closure may move,
//! because nothing of it has run. A tray is only a place to be found in: every worker may take from every tray, so work that waits behind a busy worker goes to
//! whoever is idle. Work is taken one piece at a time, when it is about to begin.
//!
//! Who owns it:
//! - U1 From its birth until it is begun, a piece is in one tray, or in the hands of who puts it in or has taken it out. Whoever has it has the one reference that is the
//!   scheduler's afterwards (S3). What its maker wrote is seen by who begins it: both had the tray's lock.
//! - U2 It is begun once, by a worker (or by whoever made it, when there are no workers to put it to), on that OS thread: the home is settled, then the letter is read. Before, START stands in the letter (H4), so
//!   whatever is asked of it only leaves a bit there, and is done when the letter is read. From then on it is a green thread like any other.
//! - U3 A cancellation before the begin is in `finish` before its bit is in the letter: the worker finds both, and the closure is dropped unrun on a stack of its own (L9,
//!   L18). One that comes later is posted to the home.
//! - U4 Who puts work in is a worker of the set, or a root inside the `run` that the set is for, or the set is the process's: so somebody lives who will take it.
//!
//! Why no worker sleeps while there is work (what L7 is for messages):
//! - U5 Whoever puts a piece in calls one of the sleepers afterwards, unless one that was called has not looked yet. A worker that lies down says so under the lock of
//!   `beds`, and looks into every tray, under its lock, after that.
//!   Take a piece and a worker. If its look came after the piece was put in, it has seen it. If before, then it was in bed before the piece was put in, and
//!   whoever put it in finds somebody in bed, and calls (a letter to a root: L7). If it calls nobody because one was called, that one will take `called` back under the same
//!   lock and look then: it sees the piece, begins one, and calls the next if there is more.
//! - U6 One who was called looks before it runs anything, so `called` is never held up by code of the user's.
//!
//! The counts: `begun` of all workers is at most `put` of all trays. Read in this order and found equal, there was a moment at which nothing was in a tray or in hands.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use super::peer::{Held, mail};
use crate::base::atomic::{AtomicUsize, Ordering};
use crate::base::lock::Lock;

/// Work that has not begun, oldest first.
#[derive(Debug, Default)]
struct Tray {
    /// How many are in it: a hint for who has no time to lock.
    len: AtomicUsize,

    /// How many were ever put in.
    put: AtomicUsize,

    /// The pieces (U1).
    pieces: Lock<VecDeque<Held>>,
}

impl Tray {
    fn put(&self, piece: Held) {
        // Counted before anybody can take it.
        self.put.fetch_add(1, Ordering::AcqRel);
        let mut pieces = self.pieces.lock();
        pieces.push_back(piece);
        self.len.store(pieces.len(), Ordering::Relaxed);
    }

    fn take(&self) -> Option<Held> {
        if self.len.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut pieces = self.pieces.lock();
        let first = pieces.pop_front();
        self.len.store(pieces.len(), Ordering::Relaxed);
        first
    }

    /// Whether there is nothing in it, for sure at the moment of the look.
    fn is_empty(&self) -> bool {
        self.pieces.lock().is_empty()
    }
}

/// What the others know of one worker.
#[derive(Debug, Default)]
struct Desk {
    /// What was put in by green threads of this worker.
    tray: Tray,

    /// Its root, which is written to when it is called; there once it works.
    root: OnceLock<Held>,

    /// How many pieces it has begun.
    begun: AtomicUsize,

    /// How many of them were in another worker's tray.
    from_others: AtomicUsize,
}

/// Who is asleep, or about to be.
#[derive(Debug, Default)]
struct Beds {
    /// Workers in bed; the last to lie down is called first, because its caches are warm.
    sleepers: Vec<usize>,

    /// Whether one was called that has not looked yet.
    called: bool,
}

/// What the workers of one set share.
#[derive(Debug)]
pub(crate) struct Work {
    /// What was put in by others than the set's workers.
    common: Tray,

    /// One for each worker.
    desks: Box<[Desk]>,

    /// U5.
    beds: Lock<Beds>,

    /// How many are in bed: a hint.
    sleepers: AtomicUsize,

    /// How many ends are under way; while there is one, what is begun is asked to end first.
    ending: AtomicUsize,
}

/// How one worker stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    /// How many pieces it has begun.
    pub(crate) begun: usize,

    /// How many of them were in another worker's tray.
    pub(crate) from_others: usize,

    /// How many are in its own tray.
    pub(crate) waiting: usize,

    /// The number of its root, once it works.
    pub(crate) root: Option<u64>,
}

impl Work {
    /// For so many workers.
    pub(crate) fn new(workers: usize) -> Arc<Work> {
        let work = Work {
            common: Tray::default(),
            desks: (0..workers).map(|_| Desk::default()).collect(),
            beds: Lock::default(),
            sleepers: AtomicUsize::new(0),
            ending: AtomicUsize::new(0),
        };
        work.beds.lean_nowhere();
        work.trays().for_each(|tray| tray.pieces.lean_nowhere());
        Arc::new(work)
    }

    /// How many workers there are to be.
    pub(crate) fn workers(&self) -> usize {
        self.desks.len()
    }

    /// Puts a green thread without a home into the common tray, for whoever begins it (U1, U4).
    pub(crate) fn put(&self, piece: Held) {
        self.common.put(piece);
        self.call_one();
    }

    /// The root of the worker with this number.
    pub(crate) fn root_of(&self, worker: usize) -> &Held {
        let root = self.desks[worker].root.get();
        root.expect("a set is used when all its workers are there")
    }

    /// U5.
    fn call_one(&self) {
        if self.sleepers.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut beds = self.beds.lock();
        if beds.called {
            return;
        }
        let Some(worker) = beds.sleepers.pop() else {
            return;
        };
        beds.called = true;
        self.sleepers.store(beds.sleepers.len(), Ordering::Relaxed);
        drop(beds);
        // It is there as long as it sleeps.
        let _ = self.root_of(worker).post(mail::LOOK);
    }

    fn trays(&self) -> impl Iterator<Item = &Tray> {
        let desks = self.desks.iter().map(|desk| &desk.tray);
        std::iter::once(&self.common).chain(desks)
    }

    fn is_empty(&self) -> bool {
        self.trays().all(Tray::is_empty)
    }

    /// From now on what is begun is asked to end first, until [`end_ending`](Self::end_ending).
    pub(crate) fn begin_ending(&self) {
        self.ending.fetch_add(1, Ordering::AcqRel);
    }

    /// What is begun runs again.
    pub(crate) fn end_ending(&self) {
        self.ending.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether what is begun is to be asked to end.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire) > 0
    }

    /// How many pieces were put in, if every one of them has been begun.
    pub(crate) fn all_begun(&self) -> Option<usize> {
        let begun = |desk: &Desk| desk.begun.load(Ordering::Acquire);
        let begun: usize = self.desks.iter().map(begun).sum();
        (begun == self.put_so_far()).then_some(begun)
    }

    /// How many pieces were ever put in.
    pub(crate) fn put_so_far(&self) -> usize {
        self.trays()
            .map(|tray| tray.put.load(Ordering::Acquire))
            .sum()
    }

    /// How each worker stands.
    pub(crate) fn placed(&self) -> Vec<Placed> {
        let placed = |desk: &Desk| Placed {
            begun: desk.begun.load(Ordering::Relaxed),
            from_others: desk.from_others.load(Ordering::Relaxed),
            waiting: desk.tray.len.load(Ordering::Relaxed),
            root: desk.root.get().map(|root| root.id()),
        };
        self.desks.iter().map(placed).collect()
    }

    /// How many are in the common tray.
    pub(crate) fn waiting_for_any(&self) -> usize {
        self.common.len.load(Ordering::Relaxed)
    }
}

/// A worker's place at its set's work.
#[derive(Debug)]
pub(crate) struct Seat {
    /// What the set shares.
    work: Arc<Work>,

    /// The number of this worker.
    worker: usize,

    /// How often it looked for work: every other time the common tray comes before its own, so that neither waits for ever.
    looks: Cell<usize>,
}

impl Seat {
    /// For the worker with this number.
    pub(crate) fn new(work: Arc<Work>, worker: usize) -> Self {
        let looks = Cell::new(0);
        Seat {
            work,
            worker,
            looks,
        }
    }

    pub(super) fn work(&self) -> &Arc<Work> {
        &self.work
    }

    fn desk(&self) -> &Desk {
        &self.work.desks[self.worker]
    }

    /// Puts a green thread without a home into this worker's own tray (U1, U4).
    pub(super) fn put(&self, piece: Held) {
        self.desk().tray.put(piece);
        self.work.call_one();
    }

    /// Tells the others whom to call.
    pub(super) fn is_of(&self, root: Held) {
        let told = self.desk().root.set(root);
        assert!(told.is_ok(), "one worker at each desk");
    }

    /// A piece was begun.
    pub(super) fn has_begun(&self) {
        self.desk().begun.fetch_add(1, Ordering::Release);
    }

    /// Takes a piece out of a tray, if there is one.
    pub(super) fn take(&self) -> Option<Held> {
        let look = self.looks.get();
        self.looks.set(look.wrapping_add(1));
        let (own, common) = (&self.desk().tray, &self.work.common);
        let (first, second) = if look.is_multiple_of(2) {
            (own, common)
        } else {
            (common, own)
        };
        let near = first.take().or_else(|| second.take());
        near.or_else(|| self.take_from_others())
    }

    /// The next worker's tray first, so that those who look do not all come to the same one.
    fn take_from_others(&self) -> Option<Held> {
        let count = self.work.desks.len();
        let others = (1..count).map(|step| (self.worker + step) % count);
        let found = others
            .filter_map(|other| self.work.desks[other].tray.take())
            .next();
        if found.is_some() {
            self.desk().from_others.fetch_add(1, Ordering::Relaxed);
        }
        found
    }

    /// Whether a tray seems to have something: a look without a lock, for who looks again before it sleeps.
    pub(super) fn sees_work(&self) -> bool {
        self.work
            .trays()
            .any(|tray| tray.len.load(Ordering::Relaxed) > 0)
    }

    /// Lies down; false when there is work, and then it is up again, or called (U5).
    pub(super) fn lie_down(&self) -> bool {
        let mut beds = self.work.beds.lock();
        beds.sleepers.push(self.worker);
        self.work
            .sleepers
            .store(beds.sleepers.len(), Ordering::Relaxed);
        drop(beds);
        self.work.is_empty()
    }

    /// Gets up; true when it was called.
    pub(super) fn get_up(&self) -> bool {
        let mut beds = self.work.beds.lock();
        let place = beds
            .sleepers
            .iter()
            .position(|worker| *worker == self.worker);
        if let Some(place) = place {
            beds.sleepers.remove(place);
            self.work
                .sleepers
                .store(beds.sleepers.len(), Ordering::Relaxed);
        }
        place.is_none()
    }

    /// Has looked: the next may be called, and is if there is more (U5).
    pub(super) fn has_looked(&self) {
        self.work.beds.lock().called = false;
        if !self.work.is_empty() {
            self.work.call_one();
        }
    }
}
