//! How many connections a server has at once, and whether it goes on.
//!
//! A connection takes a seat before it is accepted and gives it back when its handler has ended, however that ends. Only the green thread that serves waits here: for a free
//! seat, for a descriptor that somebody may give back with his seat, or for the end of all. Giving back and stopping do not block.

use std::sync::Arc;
use std::time::Duration;

use crate::base::lock::Lock;
use crate::sched::clock::Deadline;
use crate::sched::list::{Node, WaitList, wake_all};
use crate::sched::park::{Grant, Outcome, Waiter, deadline_in};
use crate::sched::wait::Operation;

static SERVE: Operation = Operation::new("Server::serve");

/// The seats of one server.
#[derive(Debug, Default)]
pub(super) struct Seats(Lock<State>);

/// Under the lock.
#[derive(Debug, Default)]
struct State {
    /// Seats that are taken.
    taken: usize,

    /// Nobody is seated any more.
    closed: bool,

    /// For how long those who sit may stay; taken by whoever waits for their end.
    grace: Option<Duration>,

    /// Who serves, while it waits for a change.
    waiters: WaitList,
}

impl Seats {
    /// Takes a seat, one of `limit`, and waits for a free one; none when closed.
    pub(super) fn take(self: &Arc<Self>, limit: usize) -> Option<Seat> {
        let may_go_on = |state: &State| state.closed || state.taken < limit;
        let is_seated = |state: &mut State| {
            state.taken += usize::from(!state.closed);
            !state.closed
        };
        let is_seated = self.wait(None, may_go_on, is_seated);
        // Made outside of the lock: its drop takes that.
        (is_seated == Some(true)).then(|| Seat(Arc::clone(self)))
    }

    /// Waits until somebody leaves, or until it is closed, at most for `limit`.
    pub(super) fn wait_for_change(&self, limit: Duration) {
        let before = self.0.lock().taken;
        let has_changed = |state: &State| state.closed || state.taken < before;
        self.wait(Some(deadline_in(limit)), has_changed, |_| ());
    }

    /// Waits until all have left or their grace is over. A later stop may shorten it.
    pub(super) fn wait_for_end(&self) {
        let mut end = Deadline::NEVER;
        let is_news = |state: &State| state.taken == 0 || state.grace.is_some();
        while let Some(Some(grace)) = self.wait(Some(end), is_news, |state| state.grace.take()) {
            end = end.min(deadline_in(grace));
        }
    }

    /// Seats nobody any more, and lets those who sit stay for `grace` at most.
    pub(super) fn close(&self, grace: Duration) {
        let mut state = self.0.lock();
        state.closed = true;
        state.grace = Some(state.grace.map_or(grace, |before| before.min(grace)));
        drop(state);
        self.tell();
    }

    /// Parks until `may_go_on`, and returns what `then` makes of it; none when `deadline` passed first.
    fn wait<R>(
        &self,
        deadline: Option<Deadline>,
        may_go_on: impl Fn(&State) -> bool,
        then: impl FnOnce(&mut State) -> R,
    ) -> Option<R> {
        let nothing = Grant::GiveBack(nothing_to_give_back);
        let waiter = Waiter::new(&self.0, &SERVE, 0, nothing);
        loop {
            let mut state = self.0.lock();
            if may_go_on(&state) {
                return Some(then(&mut state));
            }
            let outcome = waiter.park(state, |state| &mut state.waiters, deadline);
            if outcome == Outcome::TimedOut {
                return None;
            }
        }
    }

    fn leave(&self) {
        self.0.lock().taken -= 1;
        self.tell();
    }

    fn tell(&self) {
        wake_all(&self.0, |state| &mut state.waiters);
    }
}

fn nothing_to_give_back(_: &Lock<State>, _: &Node) {}

/// One seat, given back by its drop.
#[derive(Debug)]
pub(super) struct Seat(Arc<Seats>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.leave();
    }
}
