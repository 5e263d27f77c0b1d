//! An OS thread and the work that has not begun: where it puts some, and, on a worker, when it begins some.
//!
//! The protocol, with the invariants U1 to U6, is in `work`.

use std::sync::Arc;

use super::header::Counted;
use super::request::Request;
use super::scheduler::Scheduler;
use super::work::{Seat, Work};

impl Scheduler {
    /// Makes this OS thread a worker.
    pub(crate) fn sit_down(&self, seat: Seat) {
        seat.is_of(self.root.clone().into_held());
        let sits = self.seat.set(seat);
        assert!(sits.is_ok(), "an OS thread is a worker once");
    }

    /// Whether this OS thread is a worker.
    pub(crate) fn is_worker(&self) -> bool {
        self.seat.get().is_some()
    }

    /// The work of the set that this OS thread is a worker of, else that of the `run` under way.
    pub(crate) fn work(&self) -> Option<Arc<Work>> {
        match self.seat.get() {
            Some(seat) => Some(Arc::clone(seat.work())),
            None => self.hooks().work.borrow().clone(),
        }
    }

    /// Whether there is such a set.
    pub(crate) fn has_work(&self) -> bool {
        self.is_worker() || self.hooks().work.borrow().is_some()
    }

    /// Puts a green thread without a home where the workers of that set find it; it comes back where there is none.
    pub(crate) fn put(&self, piece: Counted) -> Option<Counted> {
        if let Some(seat) = self.seat.get() {
            seat.put(piece.into_held());
            return None;
        }
        match &*self.hooks().work.borrow() {
            Some(work) => work.put(piece.into_held()),
            None => return Some(piece),
        }
        None
    }

    /// Begins a green thread without a home, which nobody else can take, on this OS thread (U2).
    pub(crate) fn begin_here(&self, piece: Counted) {
        piece.peer().settle(self.home().clone());
        self.take_message(piece);
    }

    /// Begins a piece of work, if this is a worker and there is one.
    #[inline]
    pub(crate) fn begin_work(&self) -> bool {
        match self.seat.get() {
            Some(seat) => self.begin_one(seat),
            None => false,
        }
    }

    fn begin_one(&self, seat: &Seat) -> bool {
        let Some(piece) = seat.take().map(Counted::from_held) else {
            return false;
        };
        if seat.work().is_ending() {
            piece.ask(Request::end_of_run());
        }
        self.begin_here(piece);
        seat.has_begun();
        true
    }

    /// Whether there seems to be work to begin, if this is a worker.
    #[inline]
    pub(super) fn sees_work(&self) -> bool {
        self.seat.get().is_some_and(Seat::sees_work)
    }

    /// Lies down, if this is a worker; false when there is work to begin.
    pub(super) fn lie_down(&self) -> bool {
        match self.seat.get() {
            Some(seat) if !seat.lie_down() => {
                self.get_up();
                false
            }
            _ => true,
        }
    }

    /// Gets up, if this is a worker, and looks for work if it was called (U6).
    pub(super) fn get_up(&self) {
        if let Some(seat) = self.seat.get()
            && seat.get_up()
        {
            self.begin_one(seat);
            seat.has_looked();
        }
    }
}
