//! How other OS threads reach this one, and how it falls asleep without missing them (D4, L7, L19).
//!
//! A message is a header put into the inbox of the OS thread that owns it, with bits that say what for. The header itself carries the
//! link and the bits: posting allocates nothing, and a header stands in its inbox at most once.
//!
//! ```text
//!   head:   EMPTY ──post──▶ header ──post──▶ header ▶ header          (newest first; taken as a whole, then turned round: FIFO)
//!             │ ▲              │
//!     fall    │ │ wake up      └──take──▶ EMPTY
//!     asleep  ▼ │
//!           ASLEEP ──post──▶ header, and whoever posted rings
//!
//!           CLOSED  from any of them, for ever: the OS thread has gone, post says so
//! ```
//!
//! Why no message is slept through (L7), with one word and no fence:
//! - I1 The owner falls asleep only by changing `head` from EMPTY to ASLEEP. A post that came first left a header there, so that change fails
//!   and the owner does not sleep.
//! - I2 A post that comes later finds ASLEEP, replaces it by its header and rings. The ring is not lost: the owner waits for "`head` is no
//!   longer ASLEEP" under the bell's mutex, which the ringer takes between its post and its notification; a reactor's waker is level-like
//!   by its event counter.
//! - I3 `head` is changed by read-modify-writes alone, so every change is totally ordered and I1 or I2 is the case.
//!
//! Bits: the poster sets its bit first (release) and puts the header in only when no bit was set before. The owner takes the header out, then
//! swaps the bits to zero (acquire): whatever bit it does not see is set after that swap, by somebody who then finds zero and posts anew.

#![expect(unsafe_code, reason = "owns the references of the headers inside")]

use std::sync::{Arc, OnceLock, PoisonError, Weak};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use super::header::{Counted, Header};
use crate::base::atomic::{AtomicPtr, Condvar, Mutex, Ordering};

/// `head` while there is no message.
const EMPTY: *mut Header = std::ptr::null_mut();

/// `head` while the owner sleeps in the kernel, or is about to; set by the owner alone.
const ASLEEP: *mut Header = std::ptr::without_provenance_mut(1);

/// `head` once the owner has gone; set by the owner alone, never left.
const CLOSED: *mut Header = std::ptr::without_provenance_mut(2);

/// The OS thread that owned the target has gone (L19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// The part of an OS thread's scheduler that other OS threads may hold: counted, and outlives its OS thread.
#[derive(Debug)]
pub(crate) struct Home {
    /// The newest message, or one of the three states.
    head: AtomicPtr<Header>,

    /// Wakes the owner when it sleeps without a reactor.
    bell: Bell,

    /// Wakes the owner when it sleeps in its reactor; set when that is made, while the owner is awake. It goes with the reactor.
    waker: OnceLock<Weak<mio::Waker>>,

    /// The owner.
    thread: ThreadId,
}

impl Home {
    /// For the OS thread that calls.
    pub(crate) fn new() -> Arc<Home> {
        Arc::new(Home {
            head: AtomicPtr::new(EMPTY),
            bell: Bell::default(),
            waker: OnceLock::new(),
            thread: std::thread::current().id(),
        })
    }

    /// The OS thread that owns it.
    pub(crate) fn thread(&self) -> ThreadId {
        self.thread
    }

    /// From now on the owner sleeps in its reactor, and this rings it.
    pub(crate) fn ring_by(&self, waker: Weak<mio::Waker>) {
        self.waker.set(waker).expect("an OS thread has one reactor");
    }

    /// Puts `message` in and rings the owner if it sleeps. From any OS thread.
    pub(crate) fn post(&self, message: Counted) -> Result<(), Gone> {
        let mut head = self.head.load(Ordering::Relaxed);
        while head != CLOSED {
            message.set_next(if head == ASLEEP { EMPTY } else { head });
            match self.head.compare_exchange_weak(
                head,
                message.as_ptr(),
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    // The inbox owns the reference from here.
                    std::mem::forget(message);
                    self.ring_if(head == ASLEEP);
                    return Ok(());
                }
                Err(now) => head = now,
            }
        }
        Err(Gone)
    }

    #[inline]
    fn ring_if(&self, asleep: bool) {
        if asleep {
            self.ring();
        }
    }

    #[cold]
    fn ring(&self) {
        match self.waker.get() {
            // An eventfd that cannot be written to is one whose counter is full: the owner wakes anyway.
            Some(waker) => drop(waker.upgrade().map(|waker| waker.wake())),
            None => self.bell.ring(),
        }
    }

    /// Whether a look inside is worth while. Owner only.
    #[inline]
    pub(crate) fn has_messages(&self) -> bool {
        self.head.load(Ordering::Relaxed) != EMPTY
    }

    /// Takes all messages, oldest first. Owner only, awake.
    pub(crate) fn take(&self) -> Messages {
        Messages::oldest_first(self.head.swap(EMPTY, Ordering::AcqRel))
    }

    /// Says that the owner is about to sleep; false when a message came first (I1). Owner only.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.head
            .compare_exchange(EMPTY, ASLEEP, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// Says that the owner is awake again. Owner only.
    pub(crate) fn wake_up(&self) {
        // Fails when a post has replaced ASLEEP already: that is being awake.
        drop(
            self.head
                .compare_exchange(ASLEEP, EMPTY, Ordering::AcqRel, Ordering::Relaxed),
        );
    }

    /// Whether the owner sleeps and nothing has been posted since.
    pub(crate) fn is_asleep(&self) -> bool {
        self.head.load(Ordering::Acquire) == ASLEEP
    }

    /// Whether the owner has gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.head.load(Ordering::Acquire) == CLOSED
    }

    /// Sleeps, after [`fall_asleep`](Self::fall_asleep) and without a reactor, until rung or for `limit`. Owner only.
    pub(crate) fn doze(&self, limit: Option<Duration>) {
        self.bell.wait_while(|| self.is_asleep(), limit);
    }

    /// Closes the inbox for ever and returns what was still in it. Owner only, at the end of its OS thread (L19).
    pub(crate) fn close(&self) -> Messages {
        Messages::oldest_first(self.head.swap(CLOSED, Ordering::AcqRel))
    }
}

/// What wakes an OS thread that has no reactor: std's condition variable, a futex where there is one.
#[derive(Debug, Default)]
struct Bell {
    /// Taken by the ringer between its post and its notification (I2).
    mutex: Mutex<()>,

    /// Waited on by the owner alone.
    condvar: Condvar,
}

impl Bell {
    fn ring(&self) {
        drop(self.mutex.lock().unwrap_or_else(PoisonError::into_inner));
        self.condvar.notify_one();
    }

    fn wait_while(&self, asleep: impl Fn() -> bool, limit: Option<Duration>) {
        let end = limit.and_then(|limit| Instant::now().checked_add(limit));
        let mut held = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        while asleep() {
            held = match end.map(|end| end.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return,
                Some(left) => {
                    let woken = self.condvar.wait_timeout(held, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let woken = self.condvar.wait(held);
                    woken.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }
}

/// Messages taken out of an inbox, oldest first; each owns a reference.
#[derive(Debug)]
pub(crate) struct Messages {
    /// The oldest one left.
    next: *mut Header,
}

impl Messages {
    /// Turns the list round.
    fn oldest_first(mut newest: *mut Header) -> Self {
        let mut oldest = EMPTY;
        while newest != EMPTY && newest != ASLEEP && newest != CLOSED {
            // SAFETY: D4: `post` put it in with a reference that the list owns, so it is alive.
            let message = unsafe { &*newest };
            let older = message.next();
            message.set_next(oldest);
            oldest = newest;
            newest = older;
        }
        Messages { next: oldest }
    }
}

impl Iterator for Messages {
    type Item = Counted;

    fn next(&mut self) -> Option<Counted> {
        if self.next == EMPTY {
            return None;
        }
        // SAFETY: D4: `post` put it in with a reference, which this hands on; it is not in the list any more.
        let message = unsafe { Counted::from_raw(self.next) };
        self.next = message.next();
        Some(message)
    }
}
