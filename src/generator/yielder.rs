//! The inner end of a generator: what its body yields with.
//!
//! Invariants:
//! - Y1 A yielder lives in the base frame of its generator's stack and never leaves it: bodies see it borrowed.
//! - Y2 A switch away happens only while this stack is the innermost running one (L14): checked before each, by where the stack pointer
//!   is, and only if that is elsewhere by the running chain.
//! - Y3 The value that comes with a resume is there exactly when no mail is.

#![expect(
    unsafe_code,
    reason = "takes what the driver passed through the switch"
)]

use std::cell::Cell;
use std::fmt;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::thread;

use super::raised::Raised;
use super::switch::SwitchBack;
use crate::stack::chain::Link;
use crate::stack::unwinding;

/// Set in `notes`: the driver has put something into `mail`.
const MAIL: u8 = 1;

/// Set in `notes` while suspended in a way in which nothing may be raised: in the middle of an unwind.
pub(super) const UNWINDING: u8 = 2;

/// Set in `notes` while suspended and counted as possibly unwinding.
const COUNTED: u8 = 4;

/// The end of a generator that its body holds: yields values and receives what is sent.
///
/// It works only on the generator's own stack, while that is the innermost one running. Used from anywhere else, for example from a green
/// thread that the body spawned, it panics.
pub struct Yielder<In, Out> {
    /// The way out of this stack (Y1).
    switch: NonNull<SwitchBack<In, Out>>,

    /// This stack's link.
    link: *const Link,

    /// Bytes of this stack below this yielder.
    room: usize,

    /// What to look at after a switch back; zero on the hot path.
    notes: Cell<u8>,

    /// What the driver wants raised, with `MAIL` set.
    mail: Cell<Option<Raised>>,
}

impl<In, Out> Yielder<In, Out> {
    #[inline]
    pub(super) fn new(switch: &SwitchBack<In, Out>, link: *const Link) -> Self {
        Yielder {
            switch: NonNull::from(switch),
            link,
            room: 0,
            notes: Cell::new(0),
            mail: Cell::new(None),
        }
    }

    /// Measures the stack below this place, where the yielder stays from now on (Y1).
    #[inline]
    pub(super) fn settle(&mut self) {
        self.room = ptr::from_ref(self).addr() - self.link().span().start;
    }

    /// Yields a value, and returns what is sent.
    ///
    /// It suspends the generator; the driver goes on. Closing or throwing raises [`Raised`] here, as an unwind without a message.
    ///
    /// # Panics
    /// When the generator's stack is not the innermost one running.
    ///
    /// # Examples
    /// ```
    /// # use greenthread::generator::Generator;
    /// let echo = Generator::new(|y| y.yield_("ready") + 1);
    /// assert_eq!(echo.start().yielded(), Some("ready"));
    /// assert_eq!(echo.send(41).complete(), Some(42));
    /// ```
    #[inline]
    #[track_caller]
    pub fn yield_(&self, out: Out) -> In {
        match self.exchange(out, UNWINDING) {
            Ok(value) => value,
            Err(raised) => raised.resume(),
        }
    }

    /// Yields a value, and returns what is sent or, as a value, what the driver raised.
    ///
    /// # Errors
    /// What was thrown, or the close. A generator that goes on to yield after a close makes the `close` panic.
    ///
    /// # Panics
    /// When the generator's stack is not the innermost one running.
    ///
    /// # Examples
    /// ```
    /// # use greenthread::generator::Generator;
    /// let g = Generator::new(|y| match y.yield_caught(()) {
    ///     Ok(()) => "sent",
    ///     Err(raised) if raised.is_close() => "closed",
    ///     Err(_) => "thrown",
    /// });
    /// g.start();
    /// assert_eq!(g.close(), Some("closed"));
    /// ```
    #[inline]
    #[track_caller]
    pub fn yield_caught(&self, out: Out) -> Result<In, Raised> {
        self.exchange(out, 0)
    }

    /// Yields every item of an iterator, and drops what is sent.
    ///
    /// # Panics
    /// As [`yield_`](Self::yield_) does.
    #[track_caller]
    pub fn yield_all(&self, items: impl IntoIterator<Item = Out>) {
        for item in items {
            drop(self.yield_(item));
        }
    }

    /// Switches to the driver and back. `forbidding` is noted for the driver when this stack is in the middle of an unwind.
    #[inline(always)]
    #[track_caller]
    pub(super) fn exchange(&self, out: Out, forbidding: u8) -> Result<In, Raised> {
        if !self.is_on_this_stack() && !self.link().is_running() {
            not_innermost();
        }
        if thread::panicking() {
            self.note_unwinding(forbidding);
        }
        // SAFETY: Y1: the base frame outlives every call that borrows this yielder.
        let switch = unsafe { self.switch.as_ref() };
        let value = switch.suspend(out);
        if self.notes.get() != 0
            && let Some(raised) = self.read_notes()
        {
            return Err(raised);
        }
        // SAFETY: Y3: resumed without mail, so with a value.
        Ok(unsafe { value.assume_init() })
    }

    /// Whether the caller's frame stands on this stack, below this yielder (Y1): then this is the stack that runs (Y2).
    #[inline(always)]
    fn is_on_this_stack(&self) -> bool {
        let here = MaybeUninit::<u8>::uninit();
        let depth = ptr::from_ref(self)
            .addr()
            .wrapping_sub(here.as_ptr().addr());
        depth < self.room
    }

    /// Just before a switch away while a panic is under way on this OS thread, on whichever stack (L10).
    #[cold]
    fn note_unwinding(&self, forbidding: u8) {
        self.link().before_switch();
        let forbids = forbidding != 0 && unwinding::own_stack_is_unwinding();
        self.notes
            .set(COUNTED | if forbids { forbidding } else { 0 });
    }

    /// Just after a switch back: what the driver wants raised.
    #[cold]
    fn read_notes(&self) -> Option<Raised> {
        if self.notes.replace(0) & COUNTED != 0 {
            self.link().after_switch();
        }
        self.mail.take()
    }

    /// For the driver: whether this generator is suspended in the middle of an unwind, where nothing may be raised.
    pub(super) fn is_unwinding(&self) -> bool {
        self.notes.get() & UNWINDING != 0
    }

    /// For the driver: asks for something to be raised at the yield where this generator is suspended. Handed back when it must not be.
    pub(super) fn post(&self, raised: Raised) -> Result<(), Raised> {
        if self.is_unwinding() {
            return Err(raised);
        }
        self.notes.set(self.notes.get() | MAIL);
        self.mail.set(Some(raised));
        Ok(())
    }

    #[inline]
    fn link(&self) -> &Link {
        // SAFETY: C3 of `chain`: this stack is in use as long as its base frame, where this yielder lives (Y1).
        unsafe { &*self.link }
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn not_innermost() -> ! {
    panic!(
        "a yielder was used off its generator's own stack: only the body itself may yield, \
         not a green thread that it spawned nor a generator that it drives"
    )
}

impl<In, Out> fmt::Debug for Yielder<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Yielder").finish_non_exhaustive()
    }
}
