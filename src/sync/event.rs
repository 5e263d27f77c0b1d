//! A flag to wait for.

use std::fmt;
use std::time::Duration;

use crate::base::error::Elapsed;
use crate::base::lock::Lock;
use crate::sched::clock::Deadline;
use crate::sched::list::{Node, WaitList, wake_all};
use crate::sched::park::{self, Grant, Outcome, Waiter};
use crate::sched::wait::Operation;

static WAIT: Operation = Operation::new("Event::wait");

static WAIT_TIMEOUT: Operation = Operation::new("Event::wait_timeout");

/// A flag that green threads and OS threads wait for, as in Python.
///
/// # Examples
/// ```
/// use greenthread::sync::Event;
/// let ready = std::rc::Rc::new(Event::new());
/// let seen = std::rc::Rc::clone(&ready);
/// let waiting = greenthread::spawn(move || seen.wait());
/// ready.set();
/// waiting.join().unwrap();
/// assert!(ready.is_set());
/// ```
#[derive(Default)]
pub struct Event {
    /// The flag and those who wait for it.
    state: Lock<State>,
}

/// Under the lock.
#[derive(Default)]
struct State {
    /// The flag.
    set: bool,

    /// Who waits for it.
    waiters: WaitList,
}

impl Event {
    constant! {
        /// Makes one that is not set.
        #[must_use]
        pub fn new() -> Self {
            Event { state: Lock::new(State { set: false, waiters: WaitList::new() }) }
        }
    }

    /// Sets the flag and wakes everybody who waits now, in the order in which they came. Does not block.
    ///
    /// They go on even if the flag is cleared before they run.
    pub fn set(&self) {
        let before = std::mem::replace(&mut self.state.lock().set, true);
        if !before {
            wake_all(&self.state, |state| &mut state.waiters);
        }
    }

    /// Takes the flag back: from now on waiters wait. Does not block.
    pub fn clear(&self) {
        self.state.lock().set = false;
    }

    /// Tells whether the flag is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.state.lock().set
    }

    /// Waits until the flag is set.
    ///
    /// Blocks while it is not. A cancellation while waiting is raised here. On the root and on a plain OS thread the wait runs the event loop.
    #[inline]
    pub fn wait(&self) {
        if !self.is_set() {
            let _ = self.wait_until(&WAIT, None);
        }
    }

    /// Waits until the flag is set, at most for `limit`.
    ///
    /// Blocks, is cancelled and behaves on the root as [`wait`](Self::wait) does.
    ///
    /// # Errors
    /// [`Elapsed`] when `limit` passed first.
    pub fn wait_timeout(&self, limit: Duration) -> Result<(), Elapsed> {
        if self.is_set() {
            return Ok(());
        }
        self.wait_until(&WAIT_TIMEOUT, Some(park::deadline_in(limit)))
    }

    #[inline(always)]
    fn wait_until(
        &self,
        operation: &'static Operation,
        deadline: Option<Deadline>,
    ) -> Result<(), Elapsed> {
        let nothing = Grant::GiveBack(nothing_to_give_back);
        let waiter = Waiter::new(&self.state, operation, 0, nothing);
        let state = self.state.lock();
        if state.set {
            return Ok(());
        }
        match waiter.park(state, |state| &mut state.waiters, deadline) {
            Outcome::Granted => Ok(()),
            Outcome::TimedOut => Err(Elapsed),
        }
    }
}

fn nothing_to_give_back(_: &Lock<State>, _: &Node) {}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = self.is_set();
        f.debug_struct("Event").field("set", &set).finish()
    }
}
