//! A place where a fixed number meets.
//!
//! Invariants:
//! - B1 Those who wait for the present round hold the tickets from `round` on; smaller ones have been told how their wait ends, and only have to be woken.
//! - B2 `expected` is never less than the number of those who wait for the present round: one who leaves does not say so, and is found missing when the round seems full.
//! - B3 A waiter's weight, once it is woken, is its position, or [`BROKEN`].

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::base::error::Elapsed;
use crate::base::lock::{Lock, LockGuard};
use crate::sched::clock::Deadline;
use crate::sched::list::{Node, WaitList, wake_before};
use crate::sched::park::{self, Grant, Outcome, Waiter};
use crate::sched::wait::Operation;

static WAIT: Operation = Operation::new("Barrier::wait");

static WAIT_TIMEOUT: Operation = Operation::new("Barrier::wait_timeout");

/// B3; no position, as the largest barrier has positions below it.
const BROKEN: usize = usize::MAX;

/// A place where a number of green threads or OS threads meet: the last to come lets all go on, and a new round begins.
///
/// One that is cancelled while it waits, or whose time is up, leaves: the others wait for somebody else. It does not break the barrier, as it would in Python's
/// `threading`; [`abort`](Self::abort) does.
///
/// # Examples
/// ```
/// let meeting = greenthread::sync::Barrier::new(3);
/// let mut positions = Vec::new();
/// greenthread::scope(|s| {
///     let others = [(); 2].map(|()| s.spawn(|| meeting.wait().unwrap().position()));
///     greenthread::yield_now();
///     positions.push(meeting.wait().unwrap().position());
///     positions.extend(others.map(|other| other.join().unwrap()));
/// });
/// assert_eq!(positions, [2, 0, 1]);
/// ```
pub struct Barrier {
    /// The round, and those who wait.
    state: Lock<State>,

    /// How many meet.
    parties: usize,
}

/// Under the lock.
struct State {
    /// Whether it lets nobody pass.
    broken: bool,

    /// B1.
    round: u64,

    /// B2.
    expected: usize,

    /// Who waits, and those of earlier rounds who are about to be woken.
    waiters: WaitList,
}

impl Barrier {
    constant! {
        /// Makes one where `parties` meet.
        ///
        /// # Panics
        /// When `parties` is 0: nobody would ever come last.
        #[must_use]
        #[track_caller]
        pub fn new(parties: usize) -> Self {
            assert!(parties > 0, "Barrier::new(0): nobody would ever come last; at least 1 must meet");
            let waiters = WaitList::new();
            Barrier { state: Lock::new(State { broken: false, round: 0, expected: 0, waiters }), parties }
        }
    }

    /// Waits until all have come.
    ///
    /// Blocks until then; the last to come does not. A cancellation while waiting is raised here, and the others wait for somebody else; one that comes when all have
    /// come already lets the others go on. On the root and on a plain OS thread the wait runs the event loop.
    ///
    /// # Errors
    /// [`Broken`] when the barrier is broken, or was aborted or reset meanwhile.
    pub fn wait(&self) -> Result<BarrierWait, Broken> {
        // Without a deadline it does not elapse.
        self.wait_until(&WAIT, None).map_err(|_| Broken)
    }

    /// Goes through if everybody else waits already, and lets them go on; otherwise it is as if nobody had come. Does not block.
    ///
    /// # Errors
    /// [`Broken`] when the barrier is.
    pub fn try_wait(&self) -> Result<Option<BarrierWait>, Broken> {
        self.arrive().map(|arrived| match arrived {
            Arrival::Last(position) => Some(BarrierWait { position }),
            Arrival::Early(_) => None,
        })
    }

    /// As [`wait`](Self::wait), at most for `limit`. One whose time is up leaves, and the others wait for somebody else.
    /// When it leaves on one OS thread in the very moment in which the last comes on another, it may still be counted as having come.
    ///
    /// Blocks, is cancelled and behaves on the root as [`wait`](Self::wait) does.
    ///
    /// # Errors
    /// When the barrier is broken, or `limit` passed first.
    pub fn wait_timeout(&self, limit: Duration) -> Result<BarrierWait, BarrierTimeoutError> {
        self.wait_until(&WAIT_TIMEOUT, Some(park::deadline_in(limit)))
    }

    /// Breaks it: those who wait, and those who come, get [`Broken`]. Does not block.
    pub fn abort(&self) {
        self.send_away(true);
    }

    /// Makes it as new: those who wait get [`Broken`], those who come begin a new round. Does not block.
    pub fn reset(&self) {
        self.send_away(false);
    }

    /// Tells whether it was aborted, and not reset since.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.state.lock().broken
    }

    /// Returns how many wait now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state.lock().number()
    }

    /// Returns how many meet.
    #[must_use]
    pub const fn parties(&self) -> usize {
        self.parties
    }

    fn wait_until(
        &self,
        operation: &'static Operation,
        deadline: Option<Deadline>,
    ) -> Result<BarrierWait, BarrierTimeoutError> {
        let nothing = Grant::GiveBack(nothing_to_give_back);
        let waiter = Waiter::new(&self.state, operation, BROKEN, nothing);
        let mut state = match self.arrive()? {
            Arrival::Last(position) => return Ok(BarrierWait { position }),
            Arrival::Early(state) => state,
        };
        state.expected += 1;
        match waiter.park(state, |state| &mut state.waiters, deadline) {
            Outcome::TimedOut => Err(BarrierTimeoutError::Elapsed),
            Outcome::Granted if waiter.weight() == BROKEN => Err(Broken.into()),
            Outcome::Granted => Ok(BarrierWait {
                position: waiter.weight(),
            }),
        }
    }

    fn arrive(&self) -> Result<Arrival<'_>, Broken> {
        let mut state = self.state.lock();
        if state.broken {
            return Err(Broken);
        }
        let others = self.parties - 1;
        if state.expected >= others {
            state.expected = state.number();
        }
        if state.expected < others {
            return Ok(Arrival::Early(state));
        }
        let bound = state.next_round();
        drop(state);
        wake_before(&self.state, bound, |state| &mut state.waiters);
        Ok(Arrival::Last(others))
    }

    fn send_away(&self, broken: bool) {
        let mut state = self.state.lock();
        state.broken = broken;
        state.waiters.tell_from(state.round, |_| BROKEN);
        let bound = state.next_round();
        drop(state);
        wake_before(&self.state, bound, |state| &mut state.waiters);
    }
}

/// How somebody comes.
enum Arrival<'a> {
    /// As the last, at this position.
    Last(usize),

    /// Before others; with the lock, for parking.
    Early(LockGuard<'a, State>),
}

impl State {
    /// Gives those who wait their positions; returns how many they are.
    fn number(&self) -> usize {
        self.waiters.tell_from(self.round, |position| position)
    }

    /// B1: everybody who waits has been told; returns the bound of those who must be woken.
    fn next_round(&mut self) -> u64 {
        self.expected = 0;
        self.round = self.waiters.bound();
        self.round
    }
}

/// Whoever was let through and is cancelled takes nothing from the others.
fn nothing_to_give_back(_: &Lock<State>, _: &Node) {}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("parties", &self.parties)
            .field("waiting", &self.waiting())
            .field("broken", &self.is_broken())
            .finish()
    }
}

/// How somebody went through a [`Barrier`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierWait {
    /// See [`position`](Self::position).
    position: usize,
}

impl BarrierWait {
    /// Returns as which of the round it came: 0 for the first, the number of parties less one for the last. No two of a round have the same.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }
}

/// A [`Barrier`] was broken, by `abort` or `reset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the barrier is broken")
    }
}

impl Error for Broken {}

/// Why [`Barrier::wait_timeout`] did not go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarrierTimeoutError {
    /// The barrier is broken, or was aborted or reset meanwhile.
    Broken,

    /// The time was up first.
    Elapsed,
}

impl From<Broken> for BarrierTimeoutError {
    fn from(Broken: Broken) -> Self {
        BarrierTimeoutError::Broken
    }
}

impl fmt::Display for BarrierTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BarrierTimeoutError::Broken => Broken.fmt(f),
            BarrierTimeoutError::Elapsed => Elapsed.fmt(f),
        }
    }
}

impl Error for BarrierTimeoutError {}
