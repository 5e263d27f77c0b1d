//! All results, in argument order.

use std::error::Error;
use std::fmt;

use super::group::Group;
use crate::sched::wait::Operation;
use crate::thread::join::JoinHandle;
use crate::thread::join_error::JoinError;

static GATHER: Operation = Operation::new("gather");

static TRY_GATHER: Operation = Operation::new("try_gather");

/// Waits for all `handles` and returns their results in argument order.
///
/// Blocks until the last has ended; nothing to wait for gives an empty `Vec` at once. What asyncio writes as `gather(.., return_exceptions=True)`. A
/// cancellation or an outer timeout while waiting cancels every one of them with the same reason, waits until all have ended (that wait cannot be cancelled), and
/// is raised. On the root and on a plain OS thread the wait runs the event loop.
///
/// # Panics
/// When a green thread would wait for itself.
///
/// # Examples
/// ```
/// use greenthread::{gather, spawn};
/// let results = gather((1..=3).map(|n| spawn(move || n * n)));
/// let squares: Vec<i32> = results.into_iter().map(Result::unwrap).collect();
/// assert_eq!(squares, [1, 4, 9]);
/// ```
pub fn gather<T>(handles: impl IntoIterator<Item = JoinHandle<T>>) -> Vec<Result<T, JoinError>> {
    let mut group = Group::new(handles, &GATHER);
    group.together(|group| group.wait_for(group.len(), None));
    let handles = group.into_handles().into_iter();
    handles.map(JoinHandle::join).collect()
}

/// Waits for all `handles` and returns their values in argument order, or the first error.
///
/// Blocks until all have ended well or one has failed: by an `Err`, a panic, or in any other way that gives a [`JoinError`]. The others keep running then, and their
/// handles are in the error. A cancellation while waiting, the root and plain OS threads: as [`gather`].
///
/// # Errors
/// [`GatherError`] with the error that came first.
///
/// # Panics
/// When a green thread would wait for itself.
///
/// # Examples
/// ```
/// use greenthread::{JoinError, spawn, try_gather};
/// # #[derive(Debug)] struct MyError(String);
/// # impl From<JoinError> for MyError { fn from(error: JoinError) -> Self { MyError(error.to_string()) } }
/// let works = [1, 2, 3].map(|n| spawn(move || Ok::<_, MyError>(n)));
/// assert_eq!(try_gather(works).unwrap(), [1, 2, 3]);
/// let fails = [1, 2].map(|n| spawn(move || if n == 2 { Err(MyError("two".into())) } else { Ok(n) }));
/// let failed = try_gather(fails).unwrap_err();
/// assert_eq!((failed.index, failed.error.0.as_str()), (1, "two"));
/// assert_eq!(failed.rest.len(), 1); // still to be joined
/// ```
pub fn try_gather<T, E>(
    handles: impl IntoIterator<Item = JoinHandle<Result<T, E>>>,
) -> Result<Vec<T>, GatherError<T, E>>
where
    E: From<JoinError>,
{
    let mut group = Group::new(handles, &TRY_GATHER);
    let failed = group.together(|group| group.find(None, |result| !matches!(result, Ok(Ok(_)))));
    let handles = group.into_handles().into_iter();
    match failed {
        None => Ok(handles.map_while(|handle| flatten(handle).ok()).collect()),
        Some(index) => Err(GatherError::new(index, handles.enumerate().collect())),
    }
}

/// The value or the error of one that is over.
fn flatten<T, E: From<JoinError>>(handle: JoinHandle<Result<T, E>>) -> Result<T, E> {
    handle.join().map_err(E::from).flatten()
}

/// The first failure of a [`try_gather`], and the handles of the others.
pub struct GatherError<T, E> {
    /// Which one failed: its place in the arguments.
    pub index: usize,

    /// Its error.
    pub error: E,

    /// The others with their places, in argument order. They keep running; those that have ended still hold their results.
    pub rest: Vec<(usize, JoinHandle<Result<T, E>>)>,
}

impl<T, E: From<JoinError>> GatherError<T, E> {
    /// Takes the error of the one at `index`, which has failed, out of all.
    fn new(index: usize, mut rest: Vec<(usize, JoinHandle<Result<T, E>>)>) -> Self {
        let (_, failed) = rest.remove(index);
        let Err(error) = flatten(failed) else {
            unreachable!("the one at {index} was found to have failed");
        };
        GatherError { index, error, rest }
    }
}

impl<T, E: fmt::Debug> fmt::Debug for GatherError<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatherError")
            .field("index", &self.index)
            .field("error", &self.error)
            .field("rest", &self.rest)
            .finish()
    }
}

impl<T, E: fmt::Display> fmt::Display for GatherError<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "number {} failed: {}", self.index, self.error)
    }
}

impl<T, E: Error + 'static> Error for GatherError<T, E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}
