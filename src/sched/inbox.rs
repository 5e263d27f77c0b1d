//! How other OS threads reach this one, and how it falls asleep without missing them (D4, L7, L19).
//!
//! A message is a letter put into the inbox of the OS thread that is to read it, with bits that say what for. The letter is part of what it speaks of (see
//! `peer`): posting allocates nothing, and a letter stands in its inbox at most once.
//!
//! ```text
//!   head:   EMPTY ──post──▶ letter ──post──▶ letter ▶ letter          (newest first; taken as a whole, then turned round: FIFO)
//!             │ ▲              │
//!     fall    │ │ wake up      └──take──▶ EMPTY
//!     asleep  ▼ │
//!           ASLEEP ──post──▶ letter, and whoever posted rings
//!
//!           CLOSED  from any of them, for ever: the OS thread has gone, post says so
//! ```
//!
//! Why no message is slept through (L7), with one word and no fence:
//! - I1 The owner falls asleep only by changing `head` from EMPTY to ASLEEP. A post that came first left a letter there, so that change fails
//!   and the owner does not sleep.
//! - I2 A post that comes later finds ASLEEP, replaces it by its letter and rings. The ring is not lost: the owner waits for "`head` is no
//!   longer ASLEEP" under the bell's mutex, which the ringer takes between its post and its notification; a reactor's waker is level-like
//!   by its event counter.
//! - I3 `head` is changed by read-modify-writes alone, so every change is totally ordered and I1 or I2 is the case.
//!
//! Bits: the poster sets its bit first (release) and puts the letter in only when no bit was set before. The owner takes the letter out, then
//! swaps the bits to zero (acquire): whatever bit it does not see is set after that swap, by somebody who then finds zero and posts anew.
//!
//! - I4 A letter in an inbox stays where it is: whoever puts it in gives the inbox a reference to what it is part of, and whoever takes it out gets that.

#![expect(unsafe_code, reason = "letters are linked by address")]

use std::io::{self, Write as _};
use std::sync::{OnceLock, PoisonError, Weak};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use crate::base::atomic::{AtomicPtr, AtomicU8, Condvar, Mutex, Ordering};
use crate::base::biased::Biased;

/// `head` while there is no message.
const EMPTY: *mut Letter = std::ptr::null_mut();

/// `head` while the owner sleeps in the kernel, or is about to; set by the owner alone.
const ASLEEP: *mut Letter = std::ptr::without_provenance_mut(1);

/// `head` once the owner has gone; set by the owner alone, never left.
const CLOSED: *mut Letter = std::ptr::without_provenance_mut(2);

/// The OS thread that owned the target has gone (L19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// What a message is written on; part of what it speaks of.
#[derive(Debug)]
pub(crate) struct Letter {
    /// The next older one in the inbox; belongs to whoever has the list.
    next: AtomicPtr<Letter>,

    /// What it is in the inbox for; zero when it is not there.
    bits: AtomicU8,
}

impl Letter {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Letter {
            next: AtomicPtr::new(EMPTY),
            bits: AtomicU8::new(0),
        }
    }

    /// One that has these bits already, and so is put into no inbox until they were read.
    pub(crate) fn written(bits: u8) -> Self {
        Letter {
            next: AtomicPtr::new(EMPTY),
            bits: AtomicU8::new(bits),
        }
    }

    /// Adds bits; true when it must be put into the inbox for them.
    #[inline]
    pub(crate) fn write(&self, bits: u8) -> bool {
        self.bits.fetch_or(bits, Ordering::AcqRel) == 0
    }

    /// Takes the bits, after it was taken out of the inbox.
    #[inline]
    pub(crate) fn read(&self) -> u8 {
        self.bits.swap(0, Ordering::AcqRel)
    }
}

/// The part of an OS thread's scheduler that other OS threads may hold: counted, and outlives its OS thread.
#[derive(Debug)]
pub(crate) struct Home {
    /// The newest message, or one of the three states.
    head: AtomicPtr<Letter>,

    /// Wakes the owner when it sleeps without a reactor.
    bell: Bell,

    /// Wakes the owner when it sleeps in its reactor; set when that is made, while the owner is awake. It goes with the reactor.
    waker: OnceLock<Weak<mio::Waker>>,

    /// The owner.
    thread: ThreadId,
}

impl Home {
    /// For the OS thread that calls.
    pub(crate) fn new() -> Biased<Home> {
        Biased::new(Home {
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

    /// Puts `letter` in and rings the owner if it sleeps. From any OS thread.
    ///
    /// # Safety
    /// It is in no inbox, and the inbox gets a reference to what it is part of (I4), unless this fails.
    pub(crate) unsafe fn post(&self, letter: &Letter) -> Result<(), Gone> {
        let mut head = self.head.load(Ordering::Relaxed);
        while head != CLOSED {
            let older = if head == ASLEEP { EMPTY } else { head };
            letter.next.store(older, Ordering::Relaxed);
            match self.head.compare_exchange_weak(
                head,
                std::ptr::from_ref(letter).cast_mut(),
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
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
            // None when the owner's reactor has gone: it is awake, and ends.
            Some(waker) => drop(waker.upgrade().map(|waker| ring_by(&waker))),
            None => self.bell.ring(),
        }
    }

    /// Whether a look inside is worth while. Owner only.
    #[inline]
    pub(crate) fn has_messages(&self) -> bool {
        self.head.load(Ordering::Relaxed) != EMPTY
    }

    /// Takes all letters out, oldest first. Owner only, awake.
    pub(crate) fn take(&self) -> Letters {
        Letters::oldest_first(self.head.swap(EMPTY, Ordering::AcqRel))
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
        let _ = self
            .head
            .compare_exchange(ASLEEP, EMPTY, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Whether the owner sleeps and nothing has been posted since.
    pub(crate) fn is_asleep(&self) -> bool {
        self.head.load(Ordering::Acquire) == ASLEEP
    }

    /// Sleeps, after [`fall_asleep`](Self::fall_asleep) and without a reactor, until rung or for `limit`. Owner only.
    pub(crate) fn doze(&self, limit: Option<Duration>) {
        self.bell.wait_while(|| self.is_asleep(), limit);
    }

    /// Closes the inbox for ever and returns what was still in it. Owner only, at the end of its OS thread (L19).
    pub(crate) fn close(&self) -> Letters {
        Letters::oldest_first(self.head.swap(CLOSED, Ordering::AcqRel))
    }
}

/// Wakes an OS thread that sleeps in its reactor. A full counter wakes it anyway: mio sees to that.
fn ring_by(waker: &mio::Waker) {
    while let Err(error) = waker.wake() {
        if error.kind() != io::ErrorKind::Interrupted {
            give_up(&error);
        }
    }
}

/// Somebody closed the waker's descriptor, most likely. Going on would leave an OS thread asleep that has a message (L7), perhaps for ever.
#[cold]
fn give_up(error: &io::Error) -> ! {
    let _ = writeln!(
        io::stderr(),
        "greenthread: another OS thread cannot be woken: {error}; has other code closed a descriptor of its reactor?"
    );
    std::process::abort();
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

    #[allow(
        clippy::disallowed_methods,
        reason = "the OS thread itself is to sleep here, by real time"
    )]
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

/// Letters taken out of an inbox, oldest first; each comes with its reference (I4).
#[derive(Debug)]
pub(crate) struct Letters {
    /// The oldest one left.
    next: *mut Letter,
}

impl Letters {
    /// Turns the list round.
    fn oldest_first(mut newest: *mut Letter) -> Self {
        let mut oldest = EMPTY;
        while newest != EMPTY && newest != ASLEEP && newest != CLOSED {
            // SAFETY: I4.
            let letter = unsafe { &*newest };
            let older = letter.next.load(Ordering::Relaxed);
            letter.next.store(oldest, Ordering::Relaxed);
            oldest = newest;
            newest = older;
        }
        Letters { next: oldest }
    }
}

impl Iterator for Letters {
    type Item = *const Letter;

    fn next(&mut self) -> Option<*const Letter> {
        // SAFETY: I4.
        let letter = unsafe { self.next.as_ref() }?;
        self.next = letter.next.load(Ordering::Relaxed);
        Some(letter)
    }
}
