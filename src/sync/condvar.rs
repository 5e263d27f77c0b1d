//! Waiting for a change of what a mutex guards.
//!
//! ```text
//!   link ── leave the gate ── park ──▶ woken ──▶ enter the gate again, whatever happened ──▶ raise, or return
//! ```
//!
//! Invariants:
//! - V1 The waiter is linked before the gate is left, so that whoever gets the mutex next can notify it.
//! - V2 The gate is held again before anything is raised: the door's raise is caught on its way, and going in again raises nothing.
//! - V3 A notification that meets a request is passed on: by the door when the waiter is woken, and after going in again when the request came
//!   meanwhile.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process;
use std::time::Duration;

use super::gate::Gate;
use super::mutex::MutexGuard;
use crate::base::lock::Lock;
use crate::sched::clock::Deadline;
use crate::sched::list::{Node, WaitList, wake_all};
use crate::sched::park::{self, Grant, Outcome, Waiter};
use crate::sched::wait::Operation;

static WAIT: Operation = Operation::new("Condvar::wait");

static WAIT_TIMEOUT: Operation = Operation::new("Condvar::wait_timeout");

static WAIT_TIMEOUT_WHILE: Operation = Operation::new("Condvar::wait_timeout_while");

/// A condition to wait for under a [`Mutex`](super::Mutex).
///
/// Waiters are woken in the order in which they came, and never without a notification.
///
/// # Examples
/// ```
/// use greenthread::sync::{Condvar, Mutex};
/// let (stock, restocked) = (Mutex::new(0), Condvar::new());
/// greenthread::scope(|s| {
///     s.spawn(|| restocked.wait_while(&mut stock.lock(), |stock| *stock < 2));
///     s.spawn(|| { *stock.lock() += 2; restocked.notify_one() });
/// });
/// assert_eq!(*stock.lock(), 2);
/// ```
#[derive(Default)]
pub struct Condvar {
    /// Who waits.
    waiters: Lock<WaitList>,
}

impl Condvar {
    constant! {
        /// Makes one that nobody waits for.
        #[must_use]
        pub fn new() -> Self {
            Condvar { waiters: Lock::new(WaitList::new()) }
        }
    }

    /// Gives the mutex back, waits for a notification, and takes the mutex again.
    ///
    /// Blocks until notified and until the mutex is free again. A cancellation while waiting is raised here, when the mutex is held again; a notification
    /// that came at the same moment goes to the next waiter. On the root and on a plain OS thread the wait runs the event loop.
    pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>) {
        let _ = self.wait_until(MutexGuard::gate(guard), &WAIT, None);
    }

    /// Waits until `condition` is false; it is asked under the mutex, at first and after each notification.
    ///
    /// Blocks, is cancelled and behaves on the root as [`wait`](Self::wait) does. One who was notified and waits on goes to the end of the line.
    pub fn wait_while<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) {
        while condition(&mut **guard) {
            self.wait(guard);
        }
    }

    /// As [`wait`](Self::wait), at most for `limit`. True when it was notified, false when `limit` passed first.
    ///
    /// Blocks, is cancelled and behaves on the root as [`wait`](Self::wait) does. `limit` does not bound the wait for the mutex.
    pub fn wait_timeout<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>, limit: Duration) -> bool {
        let deadline = Some(park::deadline_in(limit));
        let outcome = self.wait_until(MutexGuard::gate(guard), &WAIT_TIMEOUT, deadline);
        outcome == Outcome::Granted
    }

    /// As [`wait_while`](Self::wait_while), at most for `limit`. True when `condition` became false, false when `limit` passed first.
    ///
    /// Blocks, is cancelled and behaves on the root as [`wait`](Self::wait) does. `limit` does not bound the wait for the mutex.
    pub fn wait_timeout_while<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        limit: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> bool {
        let deadline = Some(park::deadline_in(limit));
        while condition(&mut **guard) {
            let outcome = self.wait_until(MutexGuard::gate(guard), &WAIT_TIMEOUT_WHILE, deadline);
            if outcome == Outcome::TimedOut {
                return !condition(&mut **guard);
            }
        }
        true
    }

    /// Wakes the one who has waited longest. Does not block.
    pub fn notify_one(&self) {
        notify_one(&self.waiters);
    }

    /// Wakes everybody who waits now, in the order in which they came. Does not block.
    pub fn notify_all(&self) {
        wake_all(&self.waiters, |waiters| waiters);
    }

    fn wait_until(
        &self,
        gate: &Gate,
        operation: &'static Operation,
        deadline: Option<Deadline>,
    ) -> Outcome {
        let left = Cell::new(false);
        let leave = || {
            left.set(true);
            gate.leave();
        };
        let waited = catch_unwind(AssertUnwindSafe(|| self.park(operation, deadline, leave)));
        if left.get() {
            enter_again(gate);
        }
        match waited {
            Err(raised) => resume_unwind(raised),
            Ok(Outcome::Granted) => {
                park::raise_due_after(|| self.notify_one());
                Outcome::Granted
            }
            Ok(Outcome::TimedOut) => {
                park::raise_due_after(|| ());
                Outcome::TimedOut
            }
        }
    }

    /// V1.
    #[inline(always)]
    fn park(
        &self,
        operation: &'static Operation,
        deadline: Option<Deadline>,
        leave: impl FnOnce(),
    ) -> Outcome {
        let grant = Grant::GiveBack(give_back);
        let waiter = Waiter::new(&self.waiters, operation, 0, grant);
        let waiters = self.waiters.lock();
        waiter.park_after(waiters, |waiters| waiters, deadline, leave)
    }
}

fn notify_one(queue: &Lock<WaitList>) {
    let wake = queue.lock().wake_first();
    drop(wake);
}

/// V3.
fn give_back(queue: &Lock<WaitList>, _: &Node) {
    notify_one(queue);
}

/// V2. A guard whose gate is not held must not be seen by anybody, so what cannot go in again does not go on.
fn enter_again(gate: &Gate) {
    let not_in = AbortOnDrop;
    gate.enter_protected(&WAIT);
    std::mem::forget(not_in);
}

/// Ends the process when it is dropped: forgotten on success.
struct AbortOnDrop;

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        process::abort();
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}
