//! Somebody who is told through a [`Waker`]: a future that waits for a source, or for the end of a green thread.
//!
//! A waker may be of the user's own make, and then to wake it or to drop it is to run code of the user's. So it is touched under no lock, and how it is woken is
//! said by whoever leaves it here: what comes from the loop must not run the user's code there (L18).

use std::fmt;
use std::sync::Arc;
use std::task::Waker;

use crate::base::atomic::{AtomicUsize, Ordering};

/// A waker that is woken once, and how.
#[derive(Debug)]
pub(crate) struct Task {
    /// Who is told.
    waker: Waker,

    /// Tells him, from wherever it is called; code of the user's runs on a stack where that may be.
    wake: fn(Waker),

    /// Counts it with the reactor that is to wake it.
    awaited: Option<Awaited>,
}

impl Task {
    pub(crate) fn new(waker: Waker, wake: fn(Waker)) -> Self {
        let awaited = None;
        Task {
            waker,
            wake,
            awaited,
        }
    }

    /// Has it counted by `count` until it is woken or dropped.
    pub(super) fn count_by(&mut self, count: &Arc<AtomicUsize>) {
        self.awaited = Some(Awaited::new(count));
    }

    /// Tells whoever waits. Under no lock.
    pub(crate) fn wake(self) {
        drop(self.awaited);
        (self.wake)(self.waker);
    }
}

/// While it lives, an event is waited for.
struct Awaited(Arc<AtomicUsize>);

impl Awaited {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Awaited(Arc::clone(count))
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Awaited")
    }
}
