//! A value that is written once.
//!
//! Invariants:
//! - O1 The cell is written only by the owner of [`Turn`], of which there is one while the phase is `Running`; so the cell, std's, never makes anybody wait.
//! - O2 While the phase is `Empty` and somebody waits to initialise, the first of them has been woken: one who leaves without a value, or does not take
//!   the turn that it was woken for, wakes the next.

use std::convert::Infallible;
use std::fmt;
use std::sync::OnceLock as Cell;
use std::time::Duration;

use crate::base::error::Elapsed;
use crate::base::lock::Lock;
use crate::sched::clock::Deadline;
use crate::sched::list::{Node, WaitList, wake_all};
use crate::sched::park::{self, Grant, Outcome, Waiter};
use crate::sched::wait::Operation;

static INIT: Operation = Operation::new("OnceLock::get_or_init");

static WAIT: Operation = Operation::new("OnceLock::wait");

static WAIT_TIMEOUT: Operation = Operation::new("OnceLock::wait_timeout");

/// A value that is written once, by whoever comes first.
///
/// While one initialises it, the others wait, parking only their green threads. A panic or a cancellation in the initialiser lets the next try.
///
/// # Examples
/// ```
/// use greenthread::sync::OnceLock;
/// static CONFIG: OnceLock<String> = OnceLock::new();
/// let reader = greenthread::spawn(|| CONFIG.wait().len());
/// assert_eq!(CONFIG.get_or_init(|| "quiet".into()), "quiet");
/// assert_eq!(CONFIG.set("loud".into()), Err("loud".into()));
/// assert_eq!(reader.join().unwrap(), 5);
/// ```
pub struct OnceLock<T> {
    /// The value, once it is there (O1).
    value: Cell<T>,

    /// Who initialises, and who waits.
    state: Lock<State>,
}

/// Under the lock.
struct State {
    /// How far it is.
    phase: Phase,

    /// Want to initialise, if the one who does fails (O2).
    initialisers: WaitList,

    /// Want the value only.
    readers: WaitList,
}

/// How far the initialisation is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nobody has begun, or all have failed.
    Empty,

    /// In the green thread of this number.
    Running(u64),

    /// The value is there.
    Done,
}

impl<T> OnceLock<T> {
    constant! {
        /// Makes one without a value.
        #[must_use]
        pub fn new() -> Self {
            OnceLock { value: Cell::new(), state: Lock::new(State::new()) }
        }
    }

    /// Returns the value if it is there. Does not block.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// Returns the value if it is there: `&mut self` proves that nobody else is here.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// Writes the value.
    ///
    /// Blocks while another initialises. A cancellation while waiting is raised here, and `value` is dropped. On the root and on a plain OS thread the wait runs the event
    /// loop.
    ///
    /// # Errors
    /// With `value`, when there is one already.
    ///
    /// # Panics
    /// When the initialiser of this value calls it.
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        if let Some(turn) = self.begin() {
            turn.finish(value.take());
        }
        value.map_or(Ok(()), Err)
    }

    /// Returns the value; whoever comes first makes it by `make`.
    ///
    /// Blocks while another makes it. A cancellation while waiting, or inside `make`, is raised here, and the next tries. On the root and on a plain OS thread the wait
    /// runs the event loop.
    ///
    /// # Panics
    /// When `make` asks for the value that it makes, and as `make` does.
    #[inline]
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        match self.get_or_try_init(|| Ok::<T, Infallible>(make())) {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// As [`get_or_init`](Self::get_or_init), with a `make` that may fail: then the next tries.
    ///
    /// Blocks, is cancelled and behaves on the root as [`get_or_init`](Self::get_or_init) does.
    ///
    /// # Errors
    /// What `make` failed with.
    ///
    /// # Panics
    /// As [`get_or_init`](Self::get_or_init).
    #[inline]
    pub fn get_or_try_init<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        match self.get() {
            Some(value) => Ok(value),
            None => self.try_init(make),
        }
    }

    /// Waits until the value is there, and makes none.
    ///
    /// Blocks until then. A cancellation while waiting is raised here. On the root and on a plain OS thread the wait runs the event loop.
    pub fn wait(&self) -> &T {
        // Without a deadline it does not elapse.
        let _ = self.wait_until(&WAIT, None);
        self.there()
    }

    /// As [`wait`](Self::wait), at most for `limit`.
    ///
    /// Blocks, is cancelled and behaves on the root as [`wait`](Self::wait) does.
    ///
    /// # Errors
    /// [`Elapsed`] when `limit` passed first.
    pub fn wait_timeout(&self, limit: Duration) -> Result<&T, Elapsed> {
        self.wait_until(&WAIT_TIMEOUT, Some(park::deadline_in(limit)))?;
        Ok(self.there())
    }

    /// Takes the value out: it may be written once more.
    pub fn take(&mut self) -> Option<T> {
        self.state.lock().phase = Phase::Empty;
        self.value.take()
    }

    /// Returns the value, if it is there.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    #[cold]
    fn try_init<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        if let Some(turn) = self.begin() {
            let value = make()?;
            turn.finish(Some(value));
        }
        Ok(self.there())
    }

    /// Waits for the turn to initialise; nothing when the value is there.
    fn begin(&self) -> Option<Turn<'_, T>> {
        let me = park::who();
        let grant = Grant::GiveBack(pass_on);
        let waiter = Waiter::new(&self.state, &INIT, 0, grant);
        loop {
            let mut state = self.state.lock();
            match state.phase {
                Phase::Done => return None,
                Phase::Empty => {
                    state.phase = Phase::Running(me);
                    return Some(Turn { of: self });
                }
                Phase::Running(by) if by == me => {
                    drop(state);
                    panic!("the initialiser of a OnceLock or LazyLock asks for its own value");
                }
                Phase::Running(_) => {
                    let _ = waiter.park(state, |state| &mut state.initialisers, None);
                }
            }
        }
    }

    fn wait_until(
        &self,
        operation: &'static Operation,
        deadline: Option<Deadline>,
    ) -> Result<(), Elapsed> {
        if self.get().is_some() {
            return Ok(());
        }
        let nothing = Grant::GiveBack(nothing_to_give_back);
        let waiter = Waiter::new(&self.state, operation, 0, nothing);
        let state = self.state.lock();
        if state.phase == Phase::Done {
            return Ok(());
        }
        match waiter.park(state, |state| &mut state.readers, deadline) {
            Outcome::Granted => Ok(()),
            Outcome::TimedOut => Err(Elapsed),
        }
    }

    /// The caller has seen `Done`, which was set after the value was written.
    fn there(&self) -> &T {
        self.get().expect("a value that is done is there")
    }
}

impl State {
    const fn new() -> Self {
        State {
            phase: Phase::Empty,
            initialisers: WaitList::new(),
            readers: WaitList::new(),
        }
    }
}

/// The right to write the value (O1). Dropped, it lets the next try, unless the value was written.
struct Turn<'a, T> {
    /// Running in this green thread.
    of: &'a OnceLock<T>,
}

impl<T> Turn<'_, T> {
    fn finish(self, value: Option<T>) {
        if let Some(value) = value {
            let written = self.of.value.set(value);
            debug_assert!(written.is_ok(), "written twice (O1)");
        }
    }
}

impl<T> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        let written = self.of.value.get().is_some();
        let state = &self.of.state;
        if written {
            state.lock().phase = Phase::Done;
            wake_all(state, |state| &mut state.initialisers);
            wake_all(state, |state| &mut state.readers);
        } else {
            state.lock().phase = Phase::Empty;
            wake_next(state);
        }
    }
}

/// O2.
fn wake_next(queue: &Lock<State>) {
    let mut state = queue.lock();
    let wake = match state.phase {
        Phase::Empty => state.initialisers.wake_first(),
        Phase::Running(_) | Phase::Done => None,
    };
    drop(state);
    drop(wake);
}

/// L4 b, O2.
fn pass_on(queue: &Lock<State>, _: &Node) {
    wake_next(queue);
}

fn nothing_to_give_back(_: &Lock<State>, _: &Node) {}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        OnceLock::new()
    }
}

impl<T> From<T> for OnceLock<T> {
    fn from(value: T) -> Self {
        let made = OnceLock::new();
        let _ = made.set(value);
        made
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    fn clone(&self) -> Self {
        self.get()
            .cloned()
            .map_or_else(OnceLock::new, OnceLock::from)
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.get() {
            Some(value) => f.debug_tuple("OnceLock").field(value).finish(),
            None => f.write_str("OnceLock(<empty>)"),
        }
    }
}
