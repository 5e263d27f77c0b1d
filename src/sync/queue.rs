//! A queue between producers and consumers.
//!
//! A put wakes a getter and does not hand it the item: the getter takes what the order says when it runs (a waiting getter of a LIFO queue gets the newest).
//!
//! Invariants:
//! - Q1 While a getter waits, at least as many others have been woken and have not run yet as there are items: one waits only when there is none, and each item that comes
//!   wakes one. A woken one that leaves without an item passes the wake on while items remain (the baton, L4 b). The same for putters and
//!   room.
//! - Q2 The lock is never held while code of the user runs (L6). Values are dropped, and compared, outside. The heap of a priority queue is lent to the one getter
//!   that has entered the gate `comparing`; puts go to a list of new items meanwhile and compare nothing. So a comparison may park or panic: it holds up other getters only,
//!   as a mutex would, and on a panic the heap comes back with every item in it.

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::time::Duration;

use super::gate::Gate;
use super::heap::Heap;
use super::items::Items;
use super::queue_error::{Closed, GetTimeoutError, PutTimeoutError, TryGetError, TryPutError};
use crate::base::error::Elapsed;
use crate::base::lock::{Lock, LockGuard};
use crate::sched::clock::Deadline;
use crate::sched::list::{Node, WaitList, wake_all};
use crate::sched::park::{self, Grant, Outcome, Waiter};
use crate::sched::wait::Operation;

static PUT: Operation = Operation::new("Queue::put");

static PUT_TIMEOUT: Operation = Operation::new("Queue::put_timeout");

static GET: Operation = Operation::new("Queue::get");

static GET_TIMEOUT: Operation = Operation::new("Queue::get_timeout");

static TRY_GET: Operation = Operation::new("Queue::try_get");

static JOIN: Operation = Operation::new("Queue::join");

static JOIN_TIMEOUT: Operation = Operation::new("Queue::join_timeout");

/// A queue between producers and consumers, as in Python: bounded or not, in the order of arrival, newest first, or smallest first.
///
/// # Examples
/// ```
/// use greenthread::sync::Queue;
/// let queue = Queue::bounded(2);
/// let squares = greenthread::scope(|s| {
///     s.spawn(|| {
///         (1..=4).for_each(|n| queue.put(n * n).unwrap());
///         queue.close();
///     });
///     queue.iter().collect::<Vec<_>>()
/// });
/// assert_eq!(squares, [1, 4, 9, 16]);
/// ```
pub struct Queue<T> {
    /// The items, and those who wait.
    state: Lock<State<T>>,

    /// Entered by the getter that compares; priority queues only (Q2).
    comparing: Option<Gate>,

    /// The most items it holds.
    capacity: Option<usize>,
}

/// Under the lock.
struct State<T> {
    /// What it holds.
    items: Items<T>,

    /// Whether it takes no more.
    closed: bool,

    /// Wait for an item.
    getters: WaitList,

    /// Wait for room.
    putters: WaitList,

    /// Items put and not yet reported done.
    unfinished: usize,

    /// Wait until `unfinished` is zero.
    joiners: WaitList,
}

/// Why there is no item.
enum Nothing<'a, T> {
    /// Not now; with the lock, for parking.
    Empty(LockGuard<'a, State<T>>),

    /// Never again.
    Closed,
}

impl<T> Queue<T> {
    /// Makes one that takes any number of items and gives the oldest first.
    #[must_use]
    pub fn unbounded() -> Self {
        Queue::of(Items::Line(VecDeque::new()), None)
    }

    /// Makes one that takes `capacity` items and gives the oldest first.
    ///
    /// # Panics
    /// When `capacity` is 0: no item would ever fit.
    #[must_use]
    #[track_caller]
    pub fn bounded(capacity: usize) -> Self {
        check(capacity, "bounded");
        Queue::of(Items::Line(VecDeque::new()), Some(capacity))
    }

    /// Makes one that takes any number of items and gives the newest first.
    ///
    /// # Examples
    /// ```
    /// let pile = greenthread::sync::Queue::lifo();
    /// pile.put("old").unwrap();
    /// pile.put("new").unwrap();
    /// assert_eq!(pile.get(), Ok("new"));
    /// ```
    #[must_use]
    pub fn lifo() -> Self {
        Queue::of(Items::Pile(Vec::new()), None)
    }

    /// Makes one that takes `capacity` items and gives the newest first.
    ///
    /// # Panics
    /// When `capacity` is 0: no item would ever fit.
    #[must_use]
    #[track_caller]
    pub fn lifo_bounded(capacity: usize) -> Self {
        check(capacity, "lifo_bounded");
        Queue::of(Items::Pile(Vec::new()), Some(capacity))
    }

    /// Makes one that takes any number of items and gives the smallest first, equal ones in the order of arrival.
    ///
    /// Comparing is done by the getters, one at a time: a comparison that blocks holds the other getters up, and must not use this queue itself. One that panics
    /// does so in the getter, and no item is lost.
    ///
    /// # Examples
    /// ```
    /// let jobs = greenthread::sync::Queue::priority();
    /// jobs.put((2, "cook")).unwrap();
    /// jobs.put((1, "alarm")).unwrap();
    /// assert_eq!(jobs.get(), Ok((1, "alarm")));
    /// ```
    #[must_use]
    pub fn priority() -> Self
    where
        T: Ord,
    {
        Queue::of(Items::in_order(T::lt), None)
    }

    /// Makes one that takes `capacity` items and gives the smallest first, as [`priority`](Self::priority) does.
    ///
    /// # Panics
    /// When `capacity` is 0: no item would ever fit.
    #[must_use]
    #[track_caller]
    pub fn priority_bounded(capacity: usize) -> Self
    where
        T: Ord,
    {
        check(capacity, "priority_bounded");
        Queue::of(Items::in_order(T::lt), Some(capacity))
    }

    fn of(items: Items<T>, capacity: Option<usize>) -> Self {
        let comparing = matches!(items, Items::Order(_)).then(Gate::new);
        let state = State {
            items,
            closed: false,
            getters: WaitList::new(),
            putters: WaitList::new(),
            unfinished: 0,
            joiners: WaitList::new(),
        };
        Queue {
            state: Lock::new(state),
            comparing,
            capacity,
        }
    }

    /// Puts `item` in.
    ///
    /// Blocks while the queue is full. A cancellation while waiting is raised here, and `item` is dropped; room that came at the same moment goes to the next in line. On
    /// the root and on a plain OS thread the wait runs the event loop.
    ///
    /// # Errors
    /// [`Closed`] with the item, when the queue is closed before there was room.
    pub fn put(&self, item: T) -> Result<(), Closed<T>> {
        match self.put_until(item, &PUT, None) {
            Ok(()) => Ok(()),
            Err(PutTimeoutError::Closed(item) | PutTimeoutError::Elapsed(item)) => {
                Err(Closed(item))
            }
        }
    }

    /// Puts `item` in if there is room. Does not block.
    ///
    /// # Errors
    /// With the item, when the queue is full or closed.
    pub fn try_put(&self, item: T) -> Result<(), TryPutError<T>> {
        let state = self.state.lock();
        if state.closed {
            drop(state);
            return Err(TryPutError::Closed(item));
        }
        if self.is_room(&state) {
            push(state, item);
            return Ok(());
        }
        drop(state);
        Err(TryPutError::Full(item))
    }

    /// Puts `item` in, waiting for room at most for `limit`.
    ///
    /// Blocks, is cancelled and behaves on the root as [`put`](Self::put) does.
    ///
    /// # Errors
    /// With the item, when `limit` passed first or the queue is closed.
    pub fn put_timeout(&self, item: T, limit: Duration) -> Result<(), PutTimeoutError<T>> {
        match self.try_put(item) {
            Ok(()) => Ok(()),
            Err(TryPutError::Closed(item)) => Err(PutTimeoutError::Closed(item)),
            Err(TryPutError::Full(item)) => {
                self.put_until(item, &PUT_TIMEOUT, Some(park::deadline_in(limit)))
            }
        }
    }

    /// Takes the next item.
    ///
    /// Blocks while the queue is empty. A cancellation while waiting is raised here; an item that came at the same moment wakes the next in line. On the root and on a plain OS
    /// thread the wait runs the event loop.
    ///
    /// # Errors
    /// [`Closed`] when the queue is closed and holds nothing.
    #[inline]
    pub fn get(&self) -> Result<T, Closed> {
        self.next().ok_or(Closed(()))
    }

    /// As [`get`](Self::get), inlined, as a loop over a channel's receiver is and for the same reason.
    #[inline(always)]
    pub(super) fn next(&self) -> Option<T> {
        self.get_until(&GET, None).ok()
    }

    /// Takes the next item if there is one.
    ///
    /// Does not block, but that of a priority queue waits, uncancelled, while another getter is in a comparison.
    ///
    /// # Errors
    /// When the queue holds nothing, and whether it is closed.
    pub fn try_get(&self) -> Result<T, TryGetError> {
        let enter = |gate: &Gate| {
            gate.enter_protected(&TRY_GET);
            Outcome::Granted
        };
        match self.take(enter) {
            Some(Ok(item)) => Ok(item),
            Some(Err(Nothing::Closed)) => Err(TryGetError::Closed),
            Some(Err(Nothing::Empty(_))) | None => Err(TryGetError::Empty),
        }
    }

    /// Takes the next item, waiting for one at most for `limit`.
    ///
    /// Blocks, is cancelled and behaves on the root as [`get`](Self::get) does.
    ///
    /// # Errors
    /// When `limit` passed first, or the queue is closed and holds nothing.
    pub fn get_timeout(&self, limit: Duration) -> Result<T, GetTimeoutError> {
        self.get_until(&GET_TIMEOUT, Some(park::deadline_in(limit)))
    }

    /// Reports that one item that was taken has been dealt with. Does not block.
    ///
    /// # Panics
    /// When it is called more often than items were put.
    #[track_caller]
    pub fn task_done(&self) {
        let mut state = self.state.lock();
        let Some(left) = state.unfinished.checked_sub(1) else {
            drop(state);
            panic!("task_done called too often: 0 of the items that were put are unfinished");
        };
        state.unfinished = left;
        drop(state);
        if left == 0 {
            wake_all(&self.state, |state| &mut state.joiners);
        }
    }

    /// Waits until every item that was put has been reported by [`task_done`](Self::task_done).
    ///
    /// Blocks until then. A cancellation while waiting is raised here. On the root and on a plain OS thread the wait runs the event loop.
    ///
    /// # Examples
    /// ```
    /// let queue = greenthread::sync::Queue::unbounded();
    /// queue.put(1).unwrap();
    /// greenthread::scope(|s| {
    ///     s.spawn(|| { queue.get().unwrap(); queue.task_done() });
    ///     queue.join();
    /// });
    /// assert!(queue.is_empty());
    /// ```
    pub fn join(&self) {
        // Without a deadline it does not elapse.
        let _ = self.join_until(&JOIN, None);
    }

    /// As [`join`](Self::join), waiting at most for `limit`.
    ///
    /// Blocks, is cancelled and behaves on the root as [`join`](Self::join) does.
    ///
    /// # Errors
    /// [`Elapsed`] when `limit` passed first.
    pub fn join_timeout(&self, limit: Duration) -> Result<(), Elapsed> {
        self.join_until(&JOIN_TIMEOUT, Some(park::deadline_in(limit)))
    }

    fn join_until(
        &self,
        operation: &'static Operation,
        deadline: Option<Deadline>,
    ) -> Result<(), Elapsed> {
        let nothing = Grant::GiveBack(nothing_to_give_back);
        let waiter = Waiter::new(&self.state, operation, 0, nothing);
        let state = self.state.lock();
        if state.unfinished == 0 {
            return Ok(());
        }
        match waiter.park(state, |state| &mut state.joiners, deadline) {
            Outcome::Granted => Ok(()),
            Outcome::TimedOut => Err(Elapsed),
        }
    }

    /// Closes it: nothing more is taken in, what is inside can still be taken out. Wakes everybody who waits. Does not block.
    pub fn close(&self) {
        let before = mem::replace(&mut self.state.lock().closed, true);
        if !before {
            wake_all(&self.state, |state| &mut state.getters);
            wake_all(&self.state, |state| &mut state.putters);
        }
    }

    /// Tells whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Returns how many items it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.lock().items.len()
    }

    /// Tells whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells whether it holds as many items as it may.
    #[must_use]
    pub fn is_full(&self) -> bool {
        !self.is_room(&self.state.lock())
    }

    /// Returns the most items it holds; `None` without a bound.
    #[must_use]
    pub fn capacity(&self) -> Option<usize> {
        self.capacity
    }

    #[inline]
    fn is_room(&self, state: &State<T>) -> bool {
        self.capacity.is_none_or(|most| state.items.len() < most)
    }

    #[inline(always)]
    fn put_until(
        &self,
        item: T,
        operation: &'static Operation,
        deadline: Option<Deadline>,
    ) -> Result<(), PutTimeoutError<T>> {
        let baton = Grant::GiveBack(pass_room_on);
        let waiter = Waiter::new(&self.state, operation, self.most(), baton);
        loop {
            let state = self.state.lock();
            if state.closed {
                drop(state);
                return Err(PutTimeoutError::Closed(item));
            }
            if self.is_room(&state) {
                push(state, item);
                return Ok(());
            }
            let outcome = waiter.park(state, |state| &mut state.putters, deadline);
            if outcome == Outcome::TimedOut {
                return Err(PutTimeoutError::Elapsed(item));
            }
        }
    }

    /// The capacity as a waiter's weight, for whoever passes room on.
    fn most(&self) -> usize {
        self.capacity.unwrap_or(usize::MAX)
    }

    #[inline(always)]
    fn get_until(
        &self,
        operation: &'static Operation,
        deadline: Option<Deadline>,
    ) -> Result<T, GetTimeoutError> {
        let baton = Grant::GiveBack(pass_item_on);
        let waiter = Waiter::new(&self.state, operation, 0, baton);
        loop {
            match self.take(|gate| gate.enter(operation, deadline)) {
                Some(Ok(item)) => return Ok(item),
                Some(Err(Nothing::Closed)) => return Err(GetTimeoutError::Closed),
                Some(Err(Nothing::Empty(state))) => wait_for_item(&waiter, state, deadline)?,
                None => return Err(GetTimeoutError::Elapsed),
            }
        }
    }

    /// Takes an item if there is one; `None` when the time for entering the gate was up.
    #[inline(always)]
    fn take(&self, enter: impl Fn(&Gate) -> Outcome) -> Option<Result<T, Nothing<'_, T>>> {
        loop {
            let mut state = self.state.lock();
            if let Some(item) = state.items.pop() {
                let wake = state.putters.wake_first();
                drop(state);
                drop(wake);
                return Some(Ok(item));
            }
            let Some(gate) = self.comparing.as_ref().filter(|_| !state.items.is_empty()) else {
                return Some(Err(if state.closed {
                    Nothing::Closed
                } else {
                    Nothing::Empty(state)
                }));
            };
            drop(state);
            if let Some(item) = self.take_smallest(gate, &enter)? {
                return Some(Ok(item));
            }
        }
    }

    /// Compares, outside the lock (Q2). `Some(None)` when others have taken everything first.
    fn take_smallest(
        &self,
        gate: &Gate,
        enter: impl FnOnce(&Gate) -> Outcome,
    ) -> Option<Option<T>> {
        let baton = Baton(&self.state);
        if enter(gate) == Outcome::TimedOut {
            return None;
        }
        let inside = Inside(gate);
        let mut lent = Lent::new(&self.state);
        let item = lent.heap.as_mut().and_then(Heap::pop);
        drop(lent);
        drop(inside);
        if item.is_some() {
            mem::forget(baton);
        }
        Some(item)
    }
}

/// Misuse of a constructor.
#[track_caller]
fn check(capacity: usize, constructor: &str) {
    assert!(
        capacity > 0,
        "Queue::{constructor}({capacity}): a queue holds at least 1 item"
    );
}

/// Puts `item` where there is room for it, and wakes a getter.
#[inline]
fn push<T>(mut state: LockGuard<'_, State<T>>, item: T) {
    state.items.push(item);
    state.unfinished += 1;
    let wake = state.getters.wake_first();
    drop(state);
    drop(wake);
}

#[inline(always)]
fn wait_for_item<'a, T>(
    waiter: &Waiter<'a, State<T>>,
    state: LockGuard<'a, State<T>>,
    deadline: Option<Deadline>,
) -> Result<(), GetTimeoutError> {
    match waiter.park(state, |state| &mut state.getters, deadline) {
        Outcome::Granted => Ok(()),
        Outcome::TimedOut => Err(GetTimeoutError::Elapsed),
    }
}

fn nothing_to_give_back<T>(_: &Lock<State<T>>, _: &Node) {}

/// Q1, for one who was woken for an item and leaves without.
fn pass_item_on<T>(queue: &Lock<State<T>>, _: &Node) {
    Baton(queue);
}

/// Q1, for one who was woken for room and does not use it; its weight is the capacity.
fn pass_room_on<T>(queue: &Lock<State<T>>, node: &Node) {
    let mut state = queue.lock();
    let room = state.items.len() < node.weight();
    let wake = room.then(|| state.putters.wake_first());
    drop(state);
    drop(wake);
}

/// Wakes the next getter when dropped, if there is an item for it (Q1).
struct Baton<'a, T>(&'a Lock<State<T>>);

impl<T> Drop for Baton<'_, T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        let wake = if state.items.is_empty() {
            None
        } else {
            state.getters.wake_first()
        };
        drop(state);
        drop(wake);
    }
}

/// In the gate until dropped.
struct Inside<'a>(&'a Gate);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// The heap, lent to the one who compares; goes back when dropped, and wakes a putter if there is room.
struct Lent<'a, T> {
    /// Where it goes back to.
    queue: &'a Lock<State<T>>,

    /// Taken by the drop alone.
    heap: Option<Heap<T>>,
}

impl<'a, T> Lent<'a, T> {
    /// The caller is in the gate.
    fn new(queue: &'a Lock<State<T>>) -> Self {
        let heap = queue.lock().items.lend();
        Lent { queue, heap }
    }
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        let Some(heap) = self.heap.take() else {
            return;
        };
        let mut state = self.queue.lock();
        state.items.take_back(heap);
        let wake = state.putters.wake_first();
        drop(state);
        drop(wake);
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, closed) = (self.len(), self.is_closed());
        f.debug_struct("Queue")
            .field("len", &len)
            .field("capacity", &self.capacity)
            .field("closed", &closed)
            .finish_non_exhaustive()
    }
}
