//! The end of a green thread: who waits for it, and what is to be called first.
//!
//! ```text
//!   RUNNING ──its closure has ended──▶ CALLING ──no callback left──▶ OVER
//!                                        ▲                            │
//!                                        └──a callback is added late──┘
//! ```
//!
//! Callbacks run in the order in which they were added, on a green thread's stack of the OS thread that owns the green thread (L18); joiners go on
//! only in OVER. When the OS thread goes away the phase becomes OVER and what is left of the callbacks is forgotten.

use std::collections::VecDeque;

use super::header::Header;
use super::list::{Wake, WaitList};

/// A callback: it gets the header, and reads the typed result from behind it.
pub(crate) type Callback = Box<dyn FnOnce(&Header) + Send>;

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The closure has not ended.
    Running,

    /// Somebody is running callbacks.
    Calling,

    /// No callback is left, or none will run: joiners go on.
    Over,
}

/// Who waits for the end, and what is to be called then.
pub(crate) struct Finish {
    /// How far the end has come.
    phase: Phase,

    /// Joiners.
    waiters: WaitList,

    /// Not yet called, oldest first, each with its number.
    callbacks: VecDeque<(u64, Callback)>,
}

impl Finish {
    pub(crate) fn new() -> Self {
        Finish {
            phase: Phase::Running,
            waiters: WaitList::new(),
            callbacks: VecDeque::new(),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    pub(crate) fn waiters(&mut self) -> &mut WaitList {
        &mut self.waiters
    }

    /// Adds a callback; true when the end is past and somebody must be found to run it.
    pub(crate) fn add(&mut self, id: u64, callback: Callback) -> bool {
        self.callbacks.push_back((id, callback));
        let late = self.phase == Phase::Over;
        if late {
            self.phase = Phase::Calling;
        }
        late
    }

    /// Takes a callback back before it was called. The caller drops it outside the lock.
    pub(crate) fn remove(&mut self, id: u64) -> Option<Callback> {
        let place = self.callbacks.iter().position(|(other, _)| *other == id)?;
        self.callbacks.remove(place).map(|(_, callback)| callback)
    }

    /// The next callback to run; none, and OVER, when all have been called.
    pub(crate) fn next_callback(&mut self) -> Option<Callback> {
        match self.callbacks.pop_front() {
            Some((_, callback)) => {
                self.phase = Phase::Calling;
                Some(callback)
            }
            None => {
                self.phase = Phase::Over;
                None
            }
        }
    }

    /// Ends without calling anything more; what was not called is returned, to be forgotten (L18).
    pub(crate) fn give_up(&mut self) -> VecDeque<(u64, Callback)> {
        self.phase = Phase::Over;
        std::mem::take(&mut self.callbacks)
    }

    /// Wakes one joiner.
    pub(crate) fn wake(&mut self) -> Option<Wake> {
        self.waiters.wake_first()
    }
}
