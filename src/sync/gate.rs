//! One at a time: what stands behind `Mutex` and `ReentrantMutex`, and between the comparisons of a priority queue.
//!
//! It is handed over: whoever leaves gives it to the first in line, so that its last owner cannot overtake those who wait already. It belongs to nobody in
//! particular: it may be left on another OS thread than it was entered on.
//!
//! Invariants:
//! - G1 `holder` is not zero from a successful `enter` to the matching `leave`; while it is handed over it stays so.
//! - G2 Nobody waits while `holder` is zero, but for some whose wait has ended otherwise.

use std::time::Duration;

use crate::base::error::Elapsed;
use crate::base::lock::Lock;
use crate::sched::clock::Deadline;
use crate::sched::list::{Node, WaitList};
use crate::sched::park::{self, Grant, Outcome, Waiter};
use crate::sched::wait::{self, Holder, Operation};

/// Lets one in at a time, in the order of asking.
#[derive(Default)]
pub(super) struct Gate(Lock<State>);

/// Under the lock.
#[derive(Default)]
struct State {
    /// G1: an address on the stack on which it was entered, for whoever asks who is in; zero for nobody.
    holder: usize,

    /// Who wants in.
    waiters: WaitList,
}

impl State {
    #[inline(always)]
    fn try_enter(&mut self) -> bool {
        let free = self.holder == 0;
        if free {
            self.holder = wait::here();
        }
        free
    }

    /// Who is in.
    fn holder(&self) -> Holder {
        match self.holder {
            0 => Holder::Unknown,
            address => Holder::Stack(address),
        }
    }
}

impl Gate {
    constant! {
        pub(super) fn new() -> Self {
            Gate(Lock::new(State { holder: 0, waiters: WaitList::new() }))
        }
    }

    /// Whether somebody is in.
    pub(super) fn is_held(&self) -> bool {
        self.0.lock().holder != 0
    }

    /// Goes in if nobody is.
    #[inline]
    pub(super) fn try_enter(&self) -> bool {
        self.0.lock().try_enter()
    }

    /// Waits to go in; raises what is due while it waits.
    #[inline(always)]
    pub(super) fn enter(
        &self,
        operation: &'static Operation,
        deadline: Option<Deadline>,
    ) -> Outcome {
        if self.try_enter() {
            return Outcome::Granted;
        }
        let grant = Grant::Held {
            give_back,
            holder: State::holder,
        };
        let waiter = Waiter::new(&self.0, operation, 0, grant);
        self.enter_as(&waiter, deadline)
    }

    /// Waits to go in, at most for `limit`; raises what is due while it waits.
    pub(super) fn enter_timeout(
        &self,
        operation: &'static Operation,
        limit: Duration,
    ) -> Result<(), Elapsed> {
        if self.try_enter() {
            return Ok(());
        }
        match self.enter(operation, Some(park::deadline_in(limit))) {
            Outcome::Granted => Ok(()),
            Outcome::TimedOut => Err(Elapsed),
        }
    }

    /// Waits to go in, and raises nothing.
    pub(super) fn enter_protected(&self, operation: &'static Operation) {
        if !self.try_enter() {
            let grant = Grant::Held {
                give_back,
                holder: State::holder,
            };
            let waiter = Waiter::protected(&self.0, operation, grant);
            self.enter_as(&waiter, None);
        }
    }

    #[inline(always)]
    fn enter_as<'a>(&'a self, waiter: &Waiter<'a, State>, deadline: Option<Deadline>) -> Outcome {
        let mut state = self.0.lock();
        if state.try_enter() {
            return Outcome::Granted;
        }
        waiter.park(state, |state| &mut state.waiters, deadline)
    }

    /// Hands it to the first in line, or opens it.
    #[inline]
    pub(super) fn leave(&self) {
        leave(&self.0);
    }
}

#[inline]
fn leave(queue: &Lock<State>) {
    let mut state = queue.lock();
    debug_assert!(state.holder != 0, "left by somebody who was not in (G1)");
    let (wake, next) = state.waiters.wake_first_at();
    state.holder = next;
    drop(state);
    drop(wake);
}

/// L4 b.
fn give_back(queue: &Lock<State>, _: &Node) {
    leave(queue);
}
