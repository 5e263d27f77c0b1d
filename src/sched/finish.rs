//! The end of a green thread: who asks for it, who waits for it, and what is to be called first. All under one lock, taken once by an end that
//! concerns one joiner.
//!
//! ```text
//!   GOING: the closure runs ──ends──▶ callbacks ──none left──▶ nobody claims the result? drop it ──▶ OVER: joiners go on
//!                                         ▲                                                           │
//!                                         └────────────────── a callback is added late ───────────────┘
//! ```
//!
//! Callbacks run in the order in which they were added, on a green thread's stack of the OS thread that owns the green thread (L18); joiners go on
//! only in OVER, and so does one who waits for many (`tally`). The result is touched by whoever brings it to OVER until then, and by the handle's owner after. When the OS thread goes away the phase becomes
//! OVER and what is left of the callbacks is forgotten; a callback that is cut off in the middle keeps the result, and the handle says that it was abandoned.

use std::collections::VecDeque;

use super::list::{WaitList, Wake};
use super::peer::Peer;
use super::request::Request;
use super::tally::Watcher;
use crate::base::lock::Lock;

/// A callback: it gets the green thread, and reads the typed result from behind it.
pub(crate) type Callback = Box<dyn FnOnce(&Peer) + Send>;

/// Callbacks with their numbers, oldest first.
#[derive(Default)]
pub(crate) struct Callbacks(VecDeque<(u64, Callback)>);

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The closure has not ended, or somebody is running callbacks.
    Going,

    /// No callback is left, or none will run: joiners go on.
    Over,
}

/// What the one who brings it to its end does next.
pub(crate) enum Next {
    /// Call this.
    Call(Callback),

    /// Nobody will claim the result: drop it, then ask again.
    DropResult,

    /// Let the joiners go on.
    Over(Told),
}

/// Who is told of an end that is over.
pub(crate) struct Told {
    /// Wakes the one who came first, after the lock was given back.
    first: Option<Wake>,

    /// Whether there is anybody else to tell.
    more: bool,
}

impl Told {
    /// Lets everybody go on, the one who came first before the others (D8). Not under the lock of `finish`.
    #[inline(always)]
    pub(crate) fn tell(self, finish: &Lock<Finish>) {
        drop(self.first);
        if self.more {
            release(finish);
        }
    }
}

/// Who asks for the end, who waits for it, and what is to be called then.
pub(crate) struct Finish {
    /// What has been asked for and not been consumed.
    pub(crate) request: Option<Request>,

    /// How far the end has come.
    phase: Phase,

    /// Whether a callback was handed out and has not come back: it borrows the result.
    calling: bool,

    /// Whether the handle has gone with the result unclaimed.
    detached: bool,

    /// Joiners.
    waiters: WaitList,

    /// One who waits for many, this one among them.
    watcher: Option<Watcher>,

    /// Not yet called, oldest first, each with its number; boxed, because most green threads have none.
    callbacks: Option<Box<Callbacks>>,
}

impl Finish {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Finish {
            request: None,
            phase: Phase::Going,
            calling: false,
            detached: false,
            waiters: WaitList::new(),
            watcher: None,
            callbacks: None,
        }
    }

    /// Whether nothing in it wants to be dropped.
    #[inline(always)]
    pub(super) fn is_bare(&self) -> bool {
        let nothing_asked = self.request.is_none() && self.callbacks.is_none();
        nothing_asked && self.watcher.is_none() && self.waiters.is_empty()
    }

    /// Whether a request is pending that can not be consumed (L9).
    pub(crate) fn is_forced(&self) -> bool {
        self.request.as_ref().is_some_and(|request| request.forced)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    pub(crate) fn waiters(&mut self) -> &mut WaitList {
        &mut self.waiters
    }

    /// The handle goes. True when the end is past, so that the result is the caller's to drop.
    pub(crate) fn detach(&mut self) -> bool {
        self.detached = !self.is_over();
        self.is_over()
    }

    /// Adds a callback; true when the end is past and somebody must be found to run it.
    pub(crate) fn add(&mut self, id: u64, callback: Callback) -> bool {
        self.callbacks
            .get_or_insert_default()
            .0
            .push_back((id, callback));
        let late = self.is_over();
        self.phase = Phase::Going;
        late
    }

    /// Takes a callback back before it was called. The caller drops it outside the lock.
    pub(crate) fn remove(&mut self, id: u64) -> Option<Callback> {
        let callbacks = self.callbacks.as_mut()?;
        let place = callbacks.0.iter().position(|(other, _)| *other == id)?;
        callbacks.0.remove(place).map(|(_, callback)| callback)
    }

    /// Whether nobody has asked for the end, nothing is to be called then, and somebody claims the result.
    #[inline(always)]
    pub(crate) fn is_plain(&self) -> bool {
        self.request.is_none() && self.callbacks.is_none() && !self.detached
    }

    /// Joiners go on. The caller tells the header's state, under the same lock.
    #[inline(always)]
    pub(crate) fn end(&mut self) -> Told {
        self.phase = Phase::Over;
        Told {
            first: self.waiters.wake_first(),
            more: !self.waiters.is_empty() || self.watcher.is_some(),
        }
    }

    /// What to do next, after the result was stored. The caller tells the header's state of OVER, under the same lock.
    pub(crate) fn next(&mut self) -> Next {
        if let Some(callbacks) = &mut self.callbacks
            && let Some((_, callback)) = callbacks.0.pop_front()
        {
            self.calling = true;
            return Next::Call(callback);
        }
        self.calling = false;
        if std::mem::take(&mut self.detached) {
            return Next::DropResult;
        }
        Next::Over(self.end())
    }

    /// Whether a callback is under way, and so has the result.
    pub(crate) fn is_calling(&self) -> bool {
        self.calling
    }

    /// Ends without calling anything more; what was not called is returned, to be forgotten (L18).
    pub(crate) fn give_up(&mut self) -> Option<Box<Callbacks>> {
        self.phase = Phase::Over;
        self.callbacks.take()
    }

    /// The address of the tally that its end is told to; zero for none.
    pub(super) fn tally(&self) -> usize {
        self.watcher.as_ref().map_or(0, Watcher::tally)
    }

    /// Has the end told to a tally; who was to be told before, is not, and comes back to be dropped outside the lock.
    pub(crate) fn watch(&mut self, watcher: Watcher) -> Option<Watcher> {
        self.watcher.replace(watcher)
    }
}

/// Lets everybody go on who waits for an end that is over; the lock is taken anew for each, so that no bell is rung under it.
#[cold]
pub(crate) fn release(finish: &Lock<Finish>) {
    loop {
        let wake = finish.lock().waiters.wake_first();
        if wake.is_none() {
            break;
        }
    }
    let watcher = finish.lock().watcher.take();
    if let Some(watcher) = watcher {
        watcher.tell();
    }
}
