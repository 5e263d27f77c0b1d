//! Awaiting a green thread.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::wake;
use crate::sched::tally::Tally;
use crate::thread::join::JoinHandle;
use crate::thread::join_error::JoinError;

/// The future of a green thread's result; made by awaiting a [`JoinHandle`].
///
/// It may be polled by any executor, on any OS thread if `T: Send`. Dropping it detaches the green thread.
#[must_use = "dropping it detaches the green thread"]
pub struct Joined<T> {
    /// `None` once the result was given.
    handle: Option<JoinHandle<T>>,

    /// Who tells the waker; made when it first has to wait.
    tally: Option<Arc<Tally>>,
}

impl<T> IntoFuture for JoinHandle<T> {
    type Output = Result<T, JoinError>;
    type IntoFuture = Joined<T>;

    /// Makes the future of its result.
    fn into_future(self) -> Joined<T> {
        Joined {
            handle: Some(self),
            tally: None,
        }
    }
}

impl<T> fmt::Debug for Joined<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Joined").field(&self.handle).finish()
    }
}

impl<T> Joined<T> {
    /// The green thread, until the result was given.
    pub(super) fn handle(&self) -> Option<&JoinHandle<T>> {
        self.handle.as_ref()
    }

    /// The result of one that is over.
    fn take_if_over(&mut self) -> Option<Result<T, JoinError>> {
        let over = self.handle.take_if(|handle| handle.is_over());
        over.map(JoinHandle::join)
    }

    /// Has the end told to the waker of `context`.
    fn watch(&mut self, context: &Context<'_>) {
        let Some(handle) = &self.handle else {
            panic!("the result of a green thread was polled for again after it had been given");
        };
        let task = wake::task(context.waker());
        let tally = self.tally.get_or_insert_with(|| Tally::new(1));
        drop(tally.tell(Some(task)));
        if Arc::strong_count(tally) == 1 {
            // Nobody but us has it: the end is not watched yet.
            handle.watch(tally, 0);
        }
    }
}

impl<T> Future for Joined<T> {
    type Output = Result<T, JoinError>;

    /// Tells the result once the green thread and its callbacks have ended.
    ///
    /// # Panics
    /// When a green thread would wait for itself, and when it is polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(result) = self.take_if_over() {
            return Poll::Ready(result);
        }
        self.watch(context);
        // It may have ended before there was a waker to be woken.
        self.take_if_over().map_or(Poll::Pending, Poll::Ready)
    }
}

impl<T> Drop for Joined<T> {
    /// Nobody is to be woken any more.
    fn drop(&mut self) {
        if let Some(tally) = &self.tally {
            drop(tally.tell(None));
        }
    }
}
