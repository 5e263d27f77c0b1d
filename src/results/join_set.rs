//! A set of green threads that grows while it is joined.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use slab::Slab;

use crate::sched::request::Reason;
use crate::sched::tally::Tally;
use crate::sched::wait::Operation;
use crate::thread::anywhere::spawn_anywhere;
use crate::thread::join::JoinHandle;
use crate::thread::join_error::JoinError;
use crate::thread::spawn::spawn;

static JOIN_NEXT: Operation = Operation::new("JoinSet::join_next");

/// Green threads that are joined in the order in which they end, as tokio's.
///
/// Dropping it cancels those that are left, and does not wait for them.
///
/// # Examples
/// ```
/// let mut set = greenthread::JoinSet::new();
/// for n in 1..=3 {
///     set.spawn(move || n);
/// }
/// let mut sum = 0;
/// while let Some(result) = set.join_next() {
///     sum += result.unwrap();
/// }
/// assert_eq!((sum, set.len()), (6, 0));
/// ```
pub struct JoinSet<T> {
    /// Those that were not joined; the place of each is its key.
    members: Slab<JoinHandle<T>>,

    /// Who of them has ended.
    tally: Arc<Tally>,
}

impl<T> JoinSet<T> {
    /// Makes an empty set.
    #[must_use]
    pub fn new() -> Self {
        JoinSet {
            members: Slab::new(),
            tally: Tally::new(0),
        }
    }

    /// Spawns a green thread of the set on this OS thread, as [`spawn`] does.
    ///
    /// Does not block.
    #[track_caller]
    pub fn spawn<F>(&mut self, f: F)
    where
        F: FnOnce() -> T + 'static,
        T: 'static,
    {
        self.add(spawn(f));
    }

    /// Spawns a green thread of the set on whichever worker has time, as [`spawn_anywhere`] does.
    ///
    /// Does not block.
    ///
    /// # Panics
    /// As [`spawn_anywhere`].
    #[track_caller]
    pub fn spawn_anywhere<F>(&mut self, f: F)
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.add(spawn_anywhere(f));
    }

    fn add(&mut self, member: JoinHandle<T>) {
        self.tally.make_room(self.members.len() + 1);
        let place = self.members.insert(member);
        self.members[place].watch(&self.tally, place);
    }

    /// Waits for the next one to end and returns its result; none when the set is empty.
    ///
    /// Blocks until one has ended. A cancellation or an outer timeout while waiting is raised here, and the set is as before: nothing is lost. On the root and on
    /// a plain OS thread the wait runs the event loop.
    ///
    /// # Panics
    /// When a member waits for the set that it is in.
    pub fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        if self.is_empty() {
            return None;
        }
        let place = self.tally.next(&JOIN_NEXT, None)?;
        Some(self.members.remove(place).join())
    }

    /// Returns the result of one that has ended; none when there is none yet. Does not block.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        let place = self.tally.try_next()?;
        Some(self.members.remove(place).join())
    }

    /// Asks every one of the set to end. They stay in it until they are joined.
    pub fn cancel_all(&self) {
        self.ask(None);
    }

    /// As [`cancel_all`](Self::cancel_all), with a reason that [`JoinError::reason`] shows. The first reason wins.
    pub fn cancel_all_with(&self, reason: impl Into<Box<dyn Error + Send + Sync>>) {
        self.ask(Some(Arc::from(reason.into())));
    }

    fn ask(&self, reason: Option<Reason>) {
        for (_, member) in &self.members {
            member.cancel_for(reason.clone());
        }
    }

    /// Returns how many were not joined, ended or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Tells whether all were joined.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        JoinSet::new()
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.cancel_all();
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
