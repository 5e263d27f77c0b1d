//! Permits, handed out strictly in the order of asking.
//!
//! Invariants:
//! - P1 Nobody takes permits while somebody waits: whoever gives permits back hands them to those in front, as far as they go. A big request
//!   in front is not overtaken by small ones behind it.
//! - P2 `available` and `out` change together, under the lock: a permit is either available, out (held by a [`Permit`], or granted to a waiter that has not run yet), or
//!   forgotten.

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use crate::base::error::Elapsed;
use crate::base::lock::Lock;
use crate::sched::clock::Deadline;
use crate::sched::list::{Node, WaitList};
use crate::sched::park::{self, Grant, Outcome, Waiter};
use crate::sched::wait::{self, Holder, Operation};

static ACQUIRE: Operation = Operation::new("Semaphore::acquire");

static ACQUIRE_TIMEOUT: Operation = Operation::new("Semaphore::acquire_timeout");

static ACQUIRE_MANY: Operation = Operation::new("Semaphore::acquire_many");

static ACQUIRE_MANY_TIMEOUT: Operation = Operation::new("Semaphore::acquire_many_timeout");

static ACQUIRE_OWNED: Operation = Operation::new("Semaphore::acquire_owned");

static ACQUIRE_OWNED_TIMEOUT: Operation = Operation::new("Semaphore::acquire_owned_timeout");

/// A number of permits, handed out in the order of asking.
///
/// # Examples
/// ```
/// use greenthread::sync::Semaphore;
/// let seats = Semaphore::new(2);
/// let one = seats.acquire();
/// let two = seats.acquire();
/// assert!(seats.try_acquire().is_none());
/// drop(one);
/// assert_eq!(seats.available(), 1);
/// # drop(two);
/// ```
pub struct Semaphore {
    /// The permits and those who wait for them.
    state: Lock<State>,
}

/// Under the lock.
struct State {
    /// Permits that may be taken.
    available: usize,

    /// Permits that will come back by themselves (P2).
    out: usize,

    /// An address on the stack of whoever took the last, for whoever asks who has them.
    taker: usize,

    /// The most there may be, available and out together; `usize::MAX` without a bound.
    limit: usize,

    /// Who waits; a waiter's weight is the number of permits it asks for.
    waiters: WaitList,
}

impl Semaphore {
    constant! {
        /// Makes one with `permits` to begin with; [`release`](Self::release) may add more.
        #[must_use]
        pub fn new(permits: usize) -> Self {
            Semaphore { state: Lock::new(State::new(permits, usize::MAX)) }
        }
    }

    constant! {
        /// Makes one with `permits`, and never more: adding past that is a panic.
        #[must_use]
        pub fn bounded(permits: usize) -> Self {
            Semaphore { state: Lock::new(State::new(permits, permits)) }
        }
    }

    /// Takes a permit, which comes back when it is dropped.
    ///
    /// Blocks while there is none, or while somebody came before. A cancellation while waiting is raised here; a permit that came at the same moment goes to the next in line.
    /// On the root and on a plain OS thread the wait runs the event loop.
    ///
    /// # Panics
    /// On a bounded semaphore of 0 permits: it would wait for ever.
    #[inline]
    pub fn acquire(&self) -> Permit<'_> {
        self.take(1, &ACQUIRE);
        Permit::of(self, 1)
    }

    /// Takes a permit if there is one and nobody waits for it. Does not block.
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        self.try_acquire_many(1)
    }

    /// Takes a permit, waiting at most for `limit`.
    ///
    /// Blocks, is cancelled and behaves on the root as [`acquire`](Self::acquire) does.
    ///
    /// # Errors
    /// [`Elapsed`] when `limit` passed first.
    ///
    /// # Panics
    /// As [`acquire`](Self::acquire).
    pub fn acquire_timeout(&self, limit: Duration) -> Result<Permit<'_>, Elapsed> {
        self.take_timeout(1, &ACQUIRE_TIMEOUT, limit)?;
        Ok(Permit::of(self, 1))
    }

    /// Takes `count` permits at once.
    ///
    /// Blocks until there are as many; those who come later wait behind, even if they ask for less. Is cancelled and behaves on the root as
    /// [`acquire`](Self::acquire) does.
    ///
    /// # Panics
    /// When `count` is past the bound of a bounded semaphore: it would wait for ever.
    ///
    /// # Examples
    /// ```
    /// let seats = greenthread::sync::Semaphore::new(5);
    /// let row = seats.acquire_many(3);
    /// assert_eq!(seats.available(), 2);
    /// row.forget();
    /// assert_eq!(seats.available(), 2);
    /// ```
    #[track_caller]
    pub fn acquire_many(&self, count: usize) -> Permit<'_> {
        self.take(count, &ACQUIRE_MANY);
        Permit::of(self, count)
    }

    /// Takes `count` permits at once if there are as many and nobody waits. Does not block.
    pub fn try_acquire_many(&self, count: usize) -> Option<Permit<'_>> {
        self.try_take(count).then(|| Permit::of(self, count))
    }

    /// Takes `count` permits at once, waiting at most for `limit`.
    ///
    /// Blocks, is cancelled and behaves on the root as [`acquire_many`](Self::acquire_many) does.
    ///
    /// # Errors
    /// [`Elapsed`] when `limit` passed first.
    ///
    /// # Panics
    /// As [`acquire_many`](Self::acquire_many).
    #[track_caller]
    pub fn acquire_many_timeout(
        &self,
        count: usize,
        limit: Duration,
    ) -> Result<Permit<'_>, Elapsed> {
        self.take_timeout(count, &ACQUIRE_MANY_TIMEOUT, limit)?;
        Ok(Permit::of(self, count))
    }

    /// Takes a permit that may outlive the borrow.
    ///
    /// Blocks, is cancelled and behaves on the root as [`acquire`](Self::acquire) does.
    ///
    /// # Panics
    /// As [`acquire`](Self::acquire).
    pub fn acquire_owned(self: &Arc<Self>) -> OwnedPermit {
        self.take(1, &ACQUIRE_OWNED);
        OwnedPermit::of(self)
    }

    /// As [`try_acquire`](Self::try_acquire), with a permit that may outlive the borrow. Does not block.
    pub fn try_acquire_owned(self: &Arc<Self>) -> Option<OwnedPermit> {
        self.try_take(1).then(|| OwnedPermit::of(self))
    }

    /// As [`acquire_timeout`](Self::acquire_timeout), with a permit that may outlive the borrow.
    ///
    /// Blocks, is cancelled and behaves on the root as [`acquire`](Self::acquire) does.
    ///
    /// # Errors
    /// [`Elapsed`] when `limit` passed first.
    ///
    /// # Panics
    /// As [`acquire`](Self::acquire).
    pub fn acquire_owned_timeout(
        self: &Arc<Self>,
        limit: Duration,
    ) -> Result<OwnedPermit, Elapsed> {
        self.take_timeout(1, &ACQUIRE_OWNED_TIMEOUT, limit)?;
        Ok(OwnedPermit::of(self))
    }

    /// Returns how many permits may be taken now.
    #[must_use]
    pub fn available(&self) -> usize {
        self.state.lock().available
    }

    /// Adds `count` permits, which serve those who wait first. Does not block.
    ///
    /// Not needed for a [`Permit`], which comes back by itself.
    ///
    /// # Panics
    /// When that would be past the bound of a bounded semaphore, permits that are out included, or past `usize::MAX`.
    #[track_caller]
    pub fn release(&self, count: usize) {
        let mut state = self.state.lock();
        let (there, limit) = (state.available + state.out, state.limit);
        if count > limit - there {
            drop(state);
            panic!("release({count}) past the bound: of at most {limit} permits there are {there}");
        }
        state.available += count;
        drop(state);
        hand_out(&self.state);
    }

    #[inline]
    pub(super) fn try_take(&self, count: usize) -> bool {
        self.state.lock().try_take(count)
    }

    #[track_caller]
    pub(super) fn take_timeout(
        &self,
        count: usize,
        operation: &'static Operation,
        limit: Duration,
    ) -> Result<(), Elapsed> {
        self.check(count);
        if self.try_take(count) {
            return Ok(());
        }
        self.wait(count, operation, Some(park::deadline_in(limit)))
    }

    #[inline]
    #[track_caller]
    pub(super) fn take(&self, count: usize, operation: &'static Operation) {
        if !self.try_take(count) {
            self.check(count);
            // Without a deadline it does not elapse.
            let _ = self.wait(count, operation, None);
        }
    }

    #[track_caller]
    fn check(&self, count: usize) {
        let limit = self.state.lock().limit;
        assert!(
            count <= limit,
            "acquiring {count} permits of a semaphore bounded to {limit} would wait for ever"
        );
    }

    #[inline(always)]
    fn wait(
        &self,
        count: usize,
        operation: &'static Operation,
        deadline: Option<Deadline>,
    ) -> Result<(), Elapsed> {
        let (give_back, left) = (give_back, hand_out);
        let grant = Grant::InTurn {
            give_back,
            left,
            holder: State::holder,
        };
        let waiter = Waiter::new(&self.state, operation, count, grant);
        let mut state = self.state.lock();
        if state.try_take(count) {
            return Ok(());
        }
        match waiter.park(state, |state| &mut state.waiters, deadline) {
            Outcome::Granted => Ok(()),
            Outcome::TimedOut => Err(Elapsed),
        }
    }

    #[inline]
    pub(super) fn put_back(&self, count: usize) {
        let mut state = self.state.lock();
        state.put_back(count);
        let awaited = !state.waiters.is_empty();
        drop(state);
        if awaited {
            hand_out(&self.state);
        }
    }

    fn forget(&self, count: usize) {
        self.state.lock().out -= count;
    }
}

impl State {
    const fn new(permits: usize, limit: usize) -> Self {
        State {
            available: permits,
            out: 0,
            taker: 0,
            limit,
            waiters: WaitList::new(),
        }
    }

    /// P1.
    #[inline]
    fn try_take(&mut self, count: usize) -> bool {
        let can = self.waiters.is_empty() && count <= self.available;
        if can {
            self.available -= count;
            self.out += count;
            self.taker = wait::here();
        }
        can
    }

    /// Who has them all: whoever took the last.
    fn holder(&self) -> Holder {
        if self.out == self.limit {
            Holder::Stack(self.taker)
        } else {
            Holder::Unknown
        }
    }

    #[inline]
    fn put_back(&mut self, count: usize) {
        self.available += count;
        self.out -= count;
    }
}

/// Hands what is available to those in front, as far as it goes (P1); each is told after the lock was given back.
fn hand_out(queue: &Lock<State>) {
    loop {
        let mut state = queue.lock();
        let most = state.available;
        let Some((wake, count, taker)) = state.waiters.wake_within(most) else {
            return;
        };
        state.taker = taker;
        state.available -= count;
        state.out += count;
        drop(state);
        drop(wake);
    }
}

/// L4 b.
fn give_back(queue: &Lock<State>, node: &Node) {
    queue.lock().put_back(node.weight());
    hand_out(queue);
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let available = self.available();
        f.debug_struct("Semaphore")
            .field("available", &available)
            .finish_non_exhaustive()
    }
}

/// Permits of a [`Semaphore`], given back when dropped. It may be dropped on any OS thread.
#[must_use = "a permit that is dropped at once is given back at once"]
pub struct Permit<'a> {
    /// Where they go back to.
    semaphore: &'a Semaphore,

    /// How many they are; zero once they are forgotten.
    count: usize,
}

impl<'a> Permit<'a> {
    #[inline]
    fn of(semaphore: &'a Semaphore, count: usize) -> Self {
        Permit { semaphore, count }
    }

    /// Gives nothing back: there are that many permits less, until [`Semaphore::release`] adds some.
    pub fn forget(mut self) {
        self.semaphore.forget(mem::take(&mut self.count));
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.semaphore.put_back(self.count);
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.count;
        f.debug_struct("Permit")
            .field("count", &count)
            .finish_non_exhaustive()
    }
}

/// A permit that keeps its [`Semaphore`] alive, given back when dropped. It may be dropped on any OS thread.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once is given back at once"]
pub struct OwnedPermit {
    /// Where it goes back to.
    semaphore: Arc<Semaphore>,

    /// One, or zero once it is forgotten.
    count: usize,
}

impl OwnedPermit {
    /// The caller has taken one.
    fn of(semaphore: &Arc<Semaphore>) -> Self {
        let semaphore = Arc::clone(semaphore);
        OwnedPermit {
            semaphore,
            count: 1,
        }
    }

    /// Gives nothing back: there is one permit less, until [`Semaphore::release`] adds one.
    pub fn forget(mut self) {
        self.semaphore.forget(mem::take(&mut self.count));
    }
}

impl Drop for OwnedPermit {
    fn drop(&mut self) {
        self.semaphore.put_back(self.count);
    }
}
