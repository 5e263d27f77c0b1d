//! A green thread as others see it, and what the running one can do with itself.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::sched::cancel;
use crate::sched::header::Counted;
use crate::sched::park;
use crate::sched::request::{Reason, Request};
use crate::sched::scheduler::Scheduler;
use crate::sched::token;

/// A green thread, or the root of an OS thread. Cheap to clone, and may be sent anywhere.
#[derive(Clone)]
pub struct GreenThread(Counted);

impl GreenThread {
    #[inline]
    pub(super) fn new(header: Counted) -> Self {
        GreenThread(header)
    }

    #[inline]
    pub(crate) fn header(&self) -> &Counted {
        &self.0
    }

    /// Returns its number, unique in the process.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.0.id()
    }

    /// Returns the name that its [`Builder`](crate::Builder) gave it, if any; a root has its OS thread's.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.name()
    }

    /// Gives it its token: its current or next [`park`](park()) goes on. From any OS thread; does not block.
    pub fn unpark(&self) {
        token::unpark(&self.0);
    }

    /// Asks it to end: its current or next wait point raises. False when it has ended already.
    pub fn cancel(&self) -> bool {
        self.ask(None)
    }

    /// As [`cancel`](Self::cancel), with a reason. The first reason wins.
    pub fn cancel_with(&self, reason: impl Into<Box<dyn Error + Send + Sync>>) -> bool {
        self.ask(Some(Arc::from(reason.into())))
    }

    pub(super) fn ask(&self, reason: Option<Reason>) -> bool {
        cancel::cancel(&self.0, Request::new(reason, false))
    }

    /// Tells whether its result stands, or never will. False for a root.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.0.has_ended()
    }
}

impl fmt::Debug for GreenThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GreenThread")
            .field("id", &self.id())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

impl PartialEq for GreenThread {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for GreenThread {}

/// Returns the running green thread; the root, when none runs.
///
/// # Panics
/// In a thread-local's destructor, when greenthread's own is gone already.
///
/// # Examples
/// ```
/// let child = greenthread::spawn(|| greenthread::current().id());
/// let id = child.thread().id();
/// assert_eq!(child.join().unwrap(), id);
/// ```
#[must_use]
pub fn current() -> GreenThread {
    GreenThread(Scheduler::get().current_header().count())
}

/// Lets everybody who is ready go first.
///
/// Does not wait for anything: when nobody else is ready it returns at once. A pending cancellation is raised after, and a deadline that has passed; the event loop looks at the
/// clock once in 32 switches at the least, [`checkpoint`] does each time. On the root and on a plain OS thread the ready green threads run meanwhile.
#[inline(always)]
pub fn yield_now() {
    park::let_others_go_first();
}

/// Raises a pending cancellation or a deadline that has passed; does not switch.
///
/// For long work between wait points: it looks at the clock itself, inside of a [`timeout`](crate::timeout()). See also [`is_cancelled`], which only asks.
///
/// # Examples
/// ```
/// use greenthread::{checkpoint, timeout, time::Duration};
/// let computing = timeout(Duration::from_millis(1), || loop { checkpoint() });
/// assert!(computing.is_err());
/// ```
#[inline]
pub fn checkpoint() {
    let scheduler = Scheduler::get();
    scheduler.fire_what_has_come();
    park::checkpoint(scheduler);
}

/// Tells whether a cancellation of the running green thread is pending, shielded or not.
#[must_use]
pub fn is_cancelled() -> bool {
    Scheduler::get().current_header().is_requested()
}

/// Parks until somebody calls [`unpark`](GreenThread::unpark), or returns at once when somebody has.
///
/// A cancellation while parked is raised here; a token that came at the same moment is kept for the next call. On the root and on a plain OS thread the wait
/// runs the event loop. Unlike [`std::thread::park`] it does not return spuriously.
///
/// # Examples
/// ```
/// let waiting = greenthread::spawn(|| greenthread::park());
/// waiting.thread().unpark();
/// waiting.join().unwrap();
/// ```
pub fn park() {
    token::park(None);
}

/// As [`park`](park()), at most for `limit`.
pub fn park_timeout(limit: Duration) {
    token::park(Some(park::deadline_in(limit)));
}
