//! What the one who made a set of workers asks of their roots, and what they answer.
//!
//! ```text
//!   boss:     order ──▶ round 1            collect ..answers of all, or too late       order ──▶ round 2 ..        dismiss
//!   worker:        next ──▶ End(1) ─▶ ends what is left here ─▶ answer ─▶ next ──▶ End(2) ..          next ──▶ Leave
//! ```
//!
//! A worker that is late answers to a round that is past; nobody hears that. One that still has green threads when its time is up says who they are, and goes back to
//! waiting: they go on, and so does it (L11: it does not leave before the last has ended).

use std::collections::BTreeMap;

use crate::base::lock::Lock;
use crate::sched::clock::Deadline;
use crate::sched::list::{WaitList, wake_all};
use crate::sched::park::{Grant, Outcome, Waiter};
use crate::sched::wait::Operation;

static NEXT: Operation = Operation::new("waiting for orders");

static COLLECT: Operation = Operation::new("waiting for workers");

/// What a worker's root is to do next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// End what is left here, until this moment at most; this is the round with this number.
    End(usize, Deadline),

    /// End what is left here, however long it takes, and go.
    Leave,
}

/// What a worker says at the end of a round.
#[derive(Debug)]
pub(super) struct Answer {
    /// Whether anybody was there to be ended.
    pub(super) found: bool,

    /// A line about each that did not end in time.
    pub(super) left: Vec<String>,
}

/// Orders and answers of one set.
#[derive(Debug, Default)]
pub(super) struct Orders(Lock<State>);

/// Under the lock.
#[derive(Debug, Default)]
struct State {
    /// How many rounds were ordered.
    round: usize,

    /// When the latest round is to be over.
    until: Option<Deadline>,

    /// Whether the workers are to go.
    dismissed: bool,

    /// Roots of workers.
    workers: WaitList,

    /// What was said in the latest round, by worker.
    answers: BTreeMap<usize, Answer>,

    /// How many workers have begun to take orders, or never will.
    arrived: usize,

    /// The workers that never will.
    missing: usize,

    /// The workers that have gone.
    gone: Vec<usize>,

    /// Who made the set.
    boss: WaitList,
}

impl Orders {
    /// Waits for the next order after the round `seen`.
    pub(super) fn next(&self, seen: usize) -> Order {
        let waiter = Waiter::protected(&self.0, &NEXT, Grant::Keep);
        loop {
            let state = self.0.lock();
            if state.round != seen
                && let Some(until) = state.until
            {
                return Order::End(state.round, until);
            }
            if state.dismissed {
                return Order::Leave;
            }
            waiter.park(state, |state| &mut state.workers, None);
        }
    }

    /// Says how a round went.
    pub(super) fn answer(&self, worker: usize, round: usize, answer: Answer) {
        self.tell_boss(|state| {
            if state.round == round {
                state.answers.insert(worker, answer);
            }
        });
    }

    /// A worker takes orders from now on; or never will, because it could not begin.
    pub(super) fn arrive(&self, works: bool) {
        self.tell_boss(|state| {
            state.arrived += 1;
            state.missing += usize::from(!works);
        });
    }

    /// A worker goes.
    pub(super) fn go(&self, worker: usize) {
        self.tell_boss(|state| state.gone.push(worker));
    }

    fn tell_boss(&self, what: impl FnOnce(&mut State)) {
        let mut state = self.0.lock();
        what(&mut state);
        let wake = state.boss.wake_first();
        drop(state);
        drop(wake);
    }

    /// Orders a new round.
    pub(super) fn order(&self, until: Deadline) {
        let mut state = self.0.lock();
        state.round += 1;
        state.until = Some(until);
        let past = std::mem::take(&mut state.answers);
        drop(state);
        drop(past);
        wake_all(&self.0, |state| &mut state.workers);
    }

    /// Tells the workers to go.
    pub(super) fn dismiss(&self) {
        self.0.lock().dismissed = true;
        wake_all(&self.0, |state| &mut state.workers);
    }

    /// The answers of the latest round: of all `workers`, or of those who came until `until`.
    pub(super) fn collect(&self, workers: usize, until: Deadline) -> BTreeMap<usize, Answer> {
        // More of them, when one is ended that its boss does not count on: making the others has failed.
        self.wait_until(Some(until), |state| state.answers.len() >= workers);
        std::mem::take(&mut self.0.lock().answers)
    }

    /// Waits until so many workers have arrived, and tells how many of them never will.
    pub(super) fn wait_for_arrivals(&self, workers: usize) -> usize {
        self.wait_until(None, |state| state.arrived == workers);
        self.0.lock().missing
    }

    /// The same, for one who may not let others of this OS thread run meanwhile. They have nothing to do but to arrive, so it is not for long.
    pub(super) fn watch_for_arrivals(&self, workers: usize) -> usize {
        loop {
            let state = self.0.lock();
            if state.arrived == workers {
                return state.missing;
            }
            drop(state);
            #[allow(clippy::disallowed_methods, reason = "no wait point may be here")]
            std::thread::yield_now();
        }
    }

    /// Waits until so many have gone, until `until` at most, and tells who.
    pub(super) fn wait_for_gone(&self, workers: usize, until: Deadline) -> Vec<usize> {
        self.wait_until(Some(until), |state| state.gone.len() >= workers);
        self.0.lock().gone.clone()
    }

    fn wait_until(&self, until: Option<Deadline>, done: impl Fn(&State) -> bool) {
        let waiter = Waiter::protected(&self.0, &COLLECT, Grant::Keep);
        loop {
            let state = self.0.lock();
            if done(&state) {
                return;
            }
            let outcome = waiter.park(state, |state| &mut state.boss, until);
            if outcome == Outcome::TimedOut {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::thread::runtime::Runtime;

    #[test]
    fn an_answer_that_nobody_counts_on_holds_nobody_up() {
        let runtime = Runtime::builder().virtual_time().build().unwrap();
        runtime.run(|| {
            let orders = Orders::default();
            let now = || crate::sched::scheduler::Scheduler::get().clock().now();
            let before = now();
            let until = before.after(Duration::from_secs(30));
            orders.order(until);
            let (found, left) = (false, Vec::new());
            orders.answer(0, 1, Answer { found, left });
            assert_eq!(orders.collect(0, until).len(), 1);
            assert_eq!(now(), before);
        });
    }
}
