//! Waiting for some of several handles, which all come back.

use std::fmt;
use std::time::Duration;

use super::group::Group;
use crate::sched::park::deadline_in;
use crate::sched::wait::Operation;
use crate::thread::join::JoinHandle;
use crate::thread::join_error::JoinError;

static WAIT: Operation = Operation::new("wait");

static WAIT_UNTIL: Operation = Operation::new("wait_until");

/// What [`wait`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaitFor {
    /// The first end.
    First,

    /// The first panic or cancellation, or the end of all.
    FirstError,

    /// The end of all.
    All,
}

/// The handles of a [`wait`], each half in argument order.
#[must_use = "dropping it detaches the green threads"]
pub struct Waited<T> {
    /// Those that have ended: `join` gives their results at once.
    pub done: Vec<JoinHandle<T>>,

    /// The others. They keep running.
    pub pending: Vec<JoinHandle<T>>,
}

impl<T> fmt::Debug for Waited<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waited")
            .field("done", &self.done)
            .field("pending", &self.pending)
            .finish()
    }
}

/// Waits for the first, for the first failure, or for all of `handles`, at most `limit`; they all come back, and none is cancelled.
///
/// Blocks until what is waited for has come, or `limit` has passed. A cancellation while waiting is raised here and leaves them running, detached. On the root
/// and on a plain OS thread the wait runs the event loop.
///
/// # Panics
/// When there is no handle, or when a green thread would wait for itself.
///
/// # Examples
/// ```
/// use greenthread::{WaitFor, park, spawn, wait};
/// let waited = wait([spawn(|| 1), spawn(|| { park(); 2 })], WaitFor::First, None);
/// assert_eq!((waited.done.len(), waited.pending.len()), (1, 1));
/// waited.pending[0].thread().unpark();
/// let all = wait(waited.pending, WaitFor::All, None);
/// assert_eq!(all.done.into_iter().map(|h| h.join().unwrap()).sum::<i32>(), 2);
/// ```
#[track_caller]
pub fn wait<T>(
    handles: impl IntoIterator<Item = JoinHandle<T>>,
    until: WaitFor,
    limit: Option<Duration>,
) -> Waited<T> {
    let mut group = not_empty(Group::new(handles, &WAIT), "wait");
    let deadline = limit.map(deadline_in);
    match until {
        WaitFor::First => group.wait_for(1, deadline),
        WaitFor::All => group.wait_for(group.len(), deadline),
        WaitFor::FirstError => drop(group.find(deadline, Result::is_err)),
    }
    sort(group)
}

/// Waits until one of `handles` has ended with a result for which `stop` is true, or all have ended, at most `limit`.
///
/// `stop` sees the results in the order in which they came. Blocks, is cancelled and behaves on the root as [`wait`] does.
///
/// # Panics
/// As [`wait`].
///
/// # Examples
/// ```
/// use greenthread::{park, spawn, wait_until};
/// let found = |result: &Result<i32, _>| matches!(result, Ok(2));
/// let waited = wait_until([1, 2].map(|n| spawn(move || n)), found, None);
/// assert_eq!(waited.done.len(), 2);
/// ```
#[track_caller]
pub fn wait_until<T>(
    handles: impl IntoIterator<Item = JoinHandle<T>>,
    stop: impl FnMut(&Result<T, JoinError>) -> bool,
    limit: Option<Duration>,
) -> Waited<T> {
    let mut group = not_empty(Group::new(handles, &WAIT_UNTIL), "wait_until");
    group.find(limit.map(deadline_in), stop);
    sort(group)
}

#[track_caller]
fn not_empty<T>(group: Group<T>, function: &str) -> Group<T> {
    assert!(
        group.len() > 0,
        "{function} got 0 handles: it would wait on nothing; at least 1 is needed",
    );
    group
}

fn sort<T>(group: Group<T>) -> Waited<T> {
    let handles = group.into_handles().into_iter();
    let (done, pending) = handles.partition(JoinHandle::is_over);
    Waited { done, pending }
}
