//! Results in finishing order.

use std::fmt;
use std::sync::Arc;

use crate::sched::tally::Tally;
use crate::sched::wait::Operation;
use crate::thread::join::JoinHandle;
use crate::thread::join_error::JoinError;

static AS_COMPLETED: Operation = Operation::new("AsCompleted::next");

/// Returns an iterator over the results of `handles` in the order in which they come.
///
/// Does not block; [`next`](Iterator::next) on it does.
///
/// # Panics
/// When a green thread would wait for itself.
///
/// # Examples
/// ```
/// use greenthread::{Runtime, as_completed, sleep, spawn, time::Duration};
/// let runtime = Runtime::builder().virtual_time().build().unwrap();
/// let order: Vec<u64> = runtime.run(|| {
///     let handles = [3, 1, 2].map(|n| spawn(move || { sleep(Duration::from_secs(n)); n }));
///     as_completed(handles).map(Result::unwrap).collect()
/// });
/// assert_eq!(order, [1, 2, 3]);
/// ```
pub fn as_completed<T>(handles: impl IntoIterator<Item = JoinHandle<T>>) -> AsCompleted<T> {
    let handles: Vec<_> = handles.into_iter().map(Some).collect();
    let tally = Tally::new(handles.len());
    for (place, handle) in handles.iter().flatten().enumerate() {
        handle.watch(&tally, place);
    }
    AsCompleted {
        left: handles.len(),
        handles,
        tally,
    }
}

/// Gives results in the order in which they come; see [`as_completed`].
///
/// [`next`](Iterator::next) blocks until the next one has ended. A cancellation or an outer timeout while it waits is raised there and loses nothing: the next call
/// gives what would have been given. On the root and on a plain OS thread the wait runs the event loop. Dropping it detaches those that were not given.
#[must_use = "an iterator does nothing before `next`; dropping it detaches the green threads"]
pub struct AsCompleted<T> {
    /// In argument order; none for one that was given.
    handles: Vec<Option<JoinHandle<T>>>,

    /// How many were not given.
    left: usize,

    /// Who of them has ended.
    tally: Arc<Tally>,
}

impl<T> AsCompleted<T> {
    /// Gives the handles back whose results were not given, in argument order.
    pub fn into_pending(self) -> Vec<JoinHandle<T>> {
        self.handles.into_iter().flatten().collect()
    }
}

impl<T> Iterator for AsCompleted<T> {
    type Item = Result<T, JoinError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let place = self.tally.next(&AS_COMPLETED, None)?;
        self.left -= 1;
        self.handles[place].take().map(JoinHandle::join)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for AsCompleted<T> {}

impl<T> std::iter::FusedIterator for AsCompleted<T> {}

impl<T> fmt::Debug for AsCompleted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
