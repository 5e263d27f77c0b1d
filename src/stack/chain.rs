//! Which stack runs now, and who drives it.
//!
//! Every coroutine's stack has a [`Link`] at its top. One word per OS thread names the innermost running one; from it the links lead
//! outward, each generator to the stack that drives it, to the base: a green thread's link, or nothing, which is the root.
//!
//! ```text
//!   RUNNING ──▶ inner generator ──▶ outer generator ──▶ green thread ──▶ (null)
//!   RUNNING ──▶ generator ──▶ root ──▶ (null)
//! ```
//!
//! The word answers three questions: may this yielder yield (L14: only from the innermost stack), what frames are in force (D9, L12:
//! those of the running chain), and whose stack is this.
//!
//! A generator that yields leaves the word as it is and only notes in its link that it is idle: the word is corrected when something
//! else is spliced in. So driving the same generator again and again stores nothing but that note, which matters: two stores to two more
//! cache lines for each way cost a third of a round trip.
//!
//! Invariants:
//! - C1 `RUNNING` leads to the stack that executes: it is that stack's link, or that of an idle generator which it has just driven, and
//!   which is alive: a generator can only end after it has been spliced in, and takes the word along. Null stands for the root as
//!   long as that has no link: the scheduler brings one (`adopt_root`), generators alone need none.
//! - C2 While a generator is being driven it is not idle, and its link's `driver` points to a live link, or is null for a root without a
//!   link. A base is never idle and has no driver. The driver of an idle generator is followed only from the word.
//! - C3 A link lives as long as its stack slot is taken, at a fixed address.

#![expect(unsafe_code, reason = "follows the raw pointers of the running chain")]

use std::cell::Cell;
use std::fmt;
use std::ops::Range;
use std::panic::Location;
use std::ptr;
use std::sync::OnceLock;

use crate::base::atomic::thread_local;

thread_local! {
    /// C1: leads to the innermost running stack of this OS thread; null for the root's own.
    static RUNNING: Cell<*const Link> = const { Cell::new(ptr::null()) };

    /// How many stacks of this OS thread were switched away from while `std::thread::panicking()` was true (L10). An upper bound on how
    /// many stand in the middle of an unwind: while it is zero, `panicking()` speaks of the running chain alone.
    static PARKED_UNWINDING: Cell<usize> = const { Cell::new(0) };
}

/// How the layer above speaks of its green threads.
static OWNERS: OnceLock<Owners> = OnceLock::new();

/// Speaks of the green thread with a given header, for messages. Called on its own OS thread, from a signal handler too: neither allocates.
#[derive(Debug)]
pub(crate) struct Owners {
    /// Writes its number and its name.
    pub(crate) name: fn(*const (), &mut dyn fmt::Write) -> fmt::Result,

    /// Where it was spawned.
    pub(crate) site: fn(*const ()) -> &'static Location<'static>,
}

/// Where a debugger finds what, in bytes.
pub(crate) mod layout {
    use std::mem::offset_of;

    use super::Link;

    /// In a link: the address of the header of the green thread whose base it is.
    pub(crate) const OWNER: usize = offset_of!(Link, owner);

    /// In a link: the lowest address of its stack.
    pub(crate) const START: usize = offset_of!(Link, span.start);

    /// In a link: the address behind its stack.
    pub(crate) const END: usize = offset_of!(Link, span.end);
}

/// Bits of `Link::notes`.
mod note {
    /// This stack counts in `PARKED_UNWINDING`.
    pub(super) const UNWINDING: u8 = 1;

    /// It is not to go on, only to say where it stands.
    pub(super) const ASKED: u8 = 2;

    /// It is never switched back to: nobody has it any more, and it could not be closed.
    pub(super) const LOST: u8 = 4;
}

/// What a stack needs to be part of the chain. At the top of its slot (C3); the root has one in its header.
#[derive(Debug)]
pub(crate) struct Link {
    /// The stack that drives this one (C2).
    driver: Cell<*const Link>,

    /// The newest frame entered on this stack (D9). Opaque here: the scheduler knows what a frame is.
    frames: Cell<*const ()>,

    /// The green thread whose base this is, as its header's address; null for a generator.
    owner: Cell<*const ()>,

    /// The addresses of the stack, lowest to highest; empty for the root, whose stack is the OS thread's.
    span: Range<usize>,

    /// What is to be seen to when it is switched back to: bits of [`note`]. One look serves them all.
    notes: Cell<u8>,

    /// Whether this is a generator's and stands at a yield.
    idle: Cell<bool>,
}

impl Link {
    /// A link for the stack with these addresses; `0..0` for the root.
    pub(crate) const fn new(span: Range<usize>) -> Self {
        Link {
            driver: Cell::new(ptr::null()),
            frames: Cell::new(ptr::null()),
            owner: Cell::new(ptr::null()),
            span,
            notes: Cell::new(0),
            idle: Cell::new(false),
        }
    }

    /// What drives this stack now; null for a base, and for a generator that stands at a yield.
    pub(crate) fn driver(&self) -> *const Link {
        if self.is_idle() {
            return ptr::null();
        }
        self.driver.get()
    }

    pub(crate) fn frames(&self) -> *const () {
        self.frames.get()
    }

    pub(crate) fn set_frames(&self, newest: *const ()) {
        self.frames.set(newest);
    }

    pub(crate) fn owner(&self) -> *const () {
        self.owner.get()
    }

    pub(crate) fn set_owner(&self, header: *const ()) {
        self.owner.set(header);
    }

    /// Makes the link as good as new, for the next use of its slot.
    #[inline]
    pub(crate) fn clear(&self) {
        self.driver.set(ptr::null());
        self.idle.set(false);
        self.frames.set(ptr::null());
        self.owner.set(ptr::null());
    }

    pub(crate) fn span(&self) -> &Range<usize> {
        &self.span
    }

    /// Whether this is the link of an OS thread's own stack.
    pub(crate) fn is_root(&self) -> bool {
        self.span.is_empty()
    }

    /// Splices this generator's stack in: it is driven by whatever runs now. Undone by [`pause`](Link::pause) or [`leave`](Link::leave).
    #[inline]
    pub(crate) fn enter(&self) {
        // If the word still leads here, then to the same driver as before: whatever else ran since has changed it (C1).
        if !ptr::eq(RUNNING.with(Cell::get), self) {
            self.splice();
        }
        self.idle.set(false);
    }

    /// Splices this stack out at a yield, on its driver's stack.
    #[inline]
    pub(crate) fn pause(&self) {
        // It may lead to a generator that this one has driven, and must not when this one stands still.
        if !ptr::eq(RUNNING.with(Cell::get), self) {
            self.take_word();
        }
        self.idle.set(true);
    }

    #[cold]
    #[inline(never)]
    fn take_word(&self) {
        RUNNING.with(|running| running.set(self));
    }

    /// Splices this stack out for good, on its driver's stack.
    #[inline]
    pub(crate) fn leave(&self) {
        RUNNING.with(|running| running.set(self.driver.get()));
    }

    #[cold]
    #[inline(never)]
    fn splice(&self) {
        self.driver.set(running());
        RUNNING.with(|running| running.set(self));
    }

    /// Whether this is a generator that stands at a yield.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.idle.get()
    }

    /// Nobody can drive this generator any more, which stands at a yield.
    pub(crate) fn lose(&self) {
        self.notes.set(self.notes.get() | note::LOST);
    }

    /// Whether that was said of it.
    pub(crate) fn is_lost(&self) -> bool {
        self.notes.get() & note::LOST != 0
    }

    /// Whether this is the innermost running stack.
    #[inline]
    pub(crate) fn is_running(&self) -> bool {
        ptr::eq(running(), self)
    }

    /// Call just before a switch away from this stack: counts it when an unwind may be under way on it (L10).
    #[inline]
    pub(crate) fn before_switch(&self) {
        if std::thread::panicking() {
            self.count_unwinding();
        }
    }

    #[cold]
    fn count_unwinding(&self) {
        self.notes.set(note::UNWINDING);
        PARKED_UNWINDING.with(|parked| parked.set(parked.get() + 1));
    }

    /// Call just after a switch back to this stack.
    #[inline]
    pub(crate) fn after_switch(&self) {
        if self.has_notes() {
            self.uncount_unwinding();
        }
    }

    /// Whether a switch back to this stack has something to see to: [`uncount_unwinding`](Self::uncount_unwinding), or [`take_question`](Self::take_question).
    #[inline]
    pub(crate) fn has_notes(&self) -> bool {
        self.notes.get() != 0
    }

    /// The rest of [`after_switch`](Self::after_switch).
    #[cold]
    pub(crate) fn uncount_unwinding(&self) {
        if self.notes.replace(0) & note::UNWINDING != 0 {
            PARKED_UNWINDING.with(|parked| parked.set(parked.get() - 1));
        }
    }

    /// Asks this stack, which stands still, where it stands: the next switch to it is for that alone.
    pub(crate) fn ask(&self) {
        self.notes.set(self.notes.get() | note::ASKED);
    }

    /// Whether it was switched to for that alone; once.
    pub(crate) fn take_question(&self) -> bool {
        let notes = self.notes.get();
        self.notes.set(notes & !note::ASKED);
        notes & note::ASKED != 0
    }
}

/// The innermost running stack of this OS thread; null for the root's own.
#[inline]
pub(crate) fn running() -> *const Link {
    let word = RUNNING.with(Cell::get);
    // SAFETY: C1: what the word leads to is alive.
    match unsafe { word.as_ref() } {
        Some(link) if link.is_idle() => link.driver.get(),
        _ => word,
    }
}

/// Names the innermost running stack: for the scheduler, around its switches.
#[inline]
pub(crate) fn set_running(innermost: *const Link) {
    RUNNING.with(|running| running.set(innermost));
}

/// Gives the root its link, or takes it away again (null): the chain that runs now ends there from now on.
///
/// # Safety
/// `root` is null or outlives its being the root's link.
pub(crate) unsafe fn adopt_root(root: *const Link) {
    let innermost = running();
    // SAFETY: the running chain is running, and does not change here.
    let outermost = unsafe { outward(innermost) }
        .filter(|link| !link.is_root())
        .last();
    match outermost {
        Some(link) => link.driver.set(root),
        None => RUNNING.with(|running| running.set(root)),
    }
}

/// How many stacks of this OS thread may stand in the middle of an unwind while another runs.
#[inline]
pub(crate) fn parked_unwinding() -> usize {
    PARKED_UNWINDING.with(Cell::get)
}

/// The links from `innermost` outward to the base; empty for the root's own stack.
///
/// # Safety
/// `innermost` is null or the innermost link of a chain that is running or parked as a whole on this OS thread, and stays so while
/// the iterator is used.
pub(crate) unsafe fn outward<'a>(innermost: *const Link) -> impl Iterator<Item = &'a Link> {
    // SAFETY: the caller's duty, and C3.
    let first = unsafe { innermost.as_ref() };
    // SAFETY: C2 with the caller's duty: each driver of a driven link is null or alive.
    std::iter::successors(first, |link| unsafe { link.driver().as_ref() })
}

/// The word itself, which may name a stack that has gone while the loop runs.
pub(crate) fn word() -> *const Link {
    RUNNING.with(Cell::get)
}

/// Lets messages name green threads.
pub(crate) fn name_owners_with(owners: Owners) {
    // A second scheduler sets the same functions again.
    let _ = OWNERS.set(owners);
}

/// How to speak of green threads, once there is a scheduler.
pub(crate) fn owners() -> Option<&'static Owners> {
    OWNERS.get()
}

/// Who drives this stack, in words: the base of its chain. "nobody" when it is not being driven.
pub(crate) fn name_driver(link: &Link) -> String {
    if running_chain().any(|running| ptr::eq(running, link)) {
        return "the chain that asks: a generator cannot drive itself".into();
    }
    // SAFETY: C2: `link` is driven, so its chain is parked as a whole, and stays so while this runs.
    match unsafe { outward(link) }.find(|link| !link.owner().is_null()) {
        Some(base) if !base.is_root() => name_of(base),
        _ => "the root of this OS thread".into(),
    }
}

/// What a green thread is called, by its base.
fn name_of(base: &Link) -> String {
    let mut text = String::new();
    let written = OWNERS
        .get()
        .map(|owners| (owners.name)(base.owner(), &mut text));
    match written {
        Some(Ok(())) => text,
        _ => "a green thread".into(),
    }
}

/// The links of the chain that runs now.
fn running_chain<'a>() -> impl Iterator<Item = &'a Link> {
    // SAFETY: C1, C2: the chain from `RUNNING` is running.
    unsafe { outward(running()) }
}
