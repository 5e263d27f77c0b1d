//! A moment to wait for, as a future.
//!
//! A timer of the scheduler lies on a parked stack and belongs to one OS thread; a future may be dropped on another. So a green thread stands in between: it parks until the
//! moment has come, and its end is awaited. Whoever drops the future unparks it.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::joined::Joined;
use crate::sched::park;
use crate::sched::token;
use crate::thread::join_error::JoinError;
use crate::thread::spawn::spawn;
use crate::time;

/// Timers for libraries that want them of a runtime; with the feature `hyper`, a `hyper::rt::Timer`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timer;

/// A future that is ready at its moment; made by [`sleep()`] and [`sleep_until`].
///
/// From its first poll on it takes a green thread of the OS thread that polls it, until it is ready or dropped. It is ready too early if that green thread is
/// cancelled with the [`run`](crate::run) around it, or finds no stack.
#[derive(Debug)]
#[must_use = "a future does nothing before it is polled"]
pub struct Sleep {
    /// When.
    moment: Instant,

    /// The end of whoever waits for it; `None` before the first poll, and when that is over.
    alarm: Option<Joined<()>>,
}

/// Makes a future that is ready after `duration`; it follows virtual time.
///
/// # Examples
/// ```
/// use greenthread::{Runtime, future::{block_on, sleep}, time};
/// let runtime = Runtime::builder().virtual_time().build().unwrap();
/// runtime.run(|| {
///     let before = time::now();
///     block_on(sleep(time::Duration::from_secs(60))); // takes no time at all
///     assert_eq!(time::now() - before, time::Duration::from_secs(60));
/// });
/// ```
pub fn sleep(duration: Duration) -> Sleep {
    let now = time::now();
    // What cannot be told as an instant is longer than the machine will last.
    let far = || now + Duration::from_secs(100 * 365 * 24 * 60 * 60);
    sleep_until(now.checked_add(duration).unwrap_or_else(far))
}

/// Makes a future that is ready at `moment`.
pub fn sleep_until(moment: Instant) -> Sleep {
    Sleep {
        moment,
        alarm: None,
    }
}

impl Sleep {
    /// Whoever waits for the moment, made now if need be; `None` when it has come.
    fn alarm(&mut self) -> Option<&mut Joined<()>> {
        if self.alarm.is_none() {
            let moment = park::deadline_at(self.moment);
            if moment <= park::now() {
                return None;
            }
            let park = move || {
                token::park(Some(moment));
            };
            self.alarm = Some(spawn(park).into_future());
        }
        self.alarm.as_mut()
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(alarm) = self.alarm() else {
                return Poll::Ready(());
            };
            let Poll::Ready(ended) = Pin::new(alarm).poll(context) else {
                return Poll::Pending;
            };
            self.alarm = None;
            // Its OS thread went away first: another waits for the rest.
            if !ended.is_err_and(|error: JoinError| error.is_abandoned()) {
                return Poll::Ready(());
            }
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(handle) = self.alarm.as_ref().and_then(Joined::handle) {
            handle.thread().unpark();
        }
    }
}
