//! The stacks of this OS thread, reused last-in first-out (D6).
//!
//! There is a free list for each size class, a class being a slot size: a power of two, guard included. The list runs through the
//! heads of the free slots themselves. A warm `take` and its give-back are a handful of instructions, without allocation or system call.
//!
//! ```text
//!   slot   │ guard │ usable, grows down          │ Head │ colour │
//!                  ▲ limit                       ▲ top           ▲ end of the slot
//! ```
//!
//! A slot is live (owned or leaked), warm (on its free list), or cold: its memory was given back (`trim`), only its guard and its place in the slab
//! are left.
//!
//! Invariants:
//! - P1 A slot is on its free list, or cold, or owned by exactly one [`Stack`], or was leaked with one; `Head` is initialised in all but the cold ones.
//! - P2 A slab is unmapped only when none of its slots is owned or leaked: by a trim, on the OS thread's exit, or when the last slot comes
//!   back after it. A leaked slot keeps its slab for ever (L1).
//! - P3 A `Stack` never leaves its OS thread, so the pool it goes back to is the one it came from.

#![expect(
    unsafe_code,
    reason = "puts heads into slots and runs lists through them"
)]

use std::cell::{Cell, RefCell};
use std::io;
use std::mem::{self, ManuallyDrop};
use std::num::NonZeroUsize;
use std::ptr::{self, NonNull};

use super::chain::Link;
use super::overflow;
use super::slab::{GUARD, Slab, Slot};

pub(crate) mod trim;

/// The stack size in bytes when nothing else is asked for: with its guard, 256 KiB of address space.
pub(crate) const DEFAULT_SIZE: usize = 256 * 1024 - GUARD;

/// The least stack size in bytes; a smaller wish is rounded up to it.
pub(crate) const LEAST_SIZE: usize = 16 * 1024;

/// The greatest stack size in bytes.
pub(crate) const GREATEST_SIZE: usize = 1 << 30;

/// The class of [`DEFAULT_SIZE`].
const DEFAULT_CLASS: usize =
    (DEFAULT_SIZE + GUARD).trailing_zeros() as usize - FIRST_SHIFT as usize;

/// The slot size of class 0, as a power of two.
const FIRST_SHIFT: u32 = (LEAST_SIZE + GUARD).next_power_of_two().trailing_zeros();

/// How many classes there are.
const CLASSES: usize = {
    let last = (GREATEST_SIZE + GUARD).next_power_of_two().trailing_zeros();
    (last - FIRST_SHIFT) as usize + 1
};

/// The slots of a class's first slab; each later one has four times as many as the one before.
const FIRST_SLOTS: usize = 16;

/// The most slots in a slab.
const MOST_SLOTS: usize = 1024;

/// The most bytes of address space in a slab, unless one slot alone is bigger.
const MOST_SLAB_BYTES: usize = 256 << 20;

/// Stack tops at equal page offsets fight for the same cache sets: each is shifted by one of so many lines (D6).
const COLOURS: usize = 32;

/// Bytes between two colours: a cache line.
const COLOUR: usize = 64;

/// Where a debugger finds what: a slot's link lies at its end, less the head's size and a colour times the slot's number modulo the colours.
pub(crate) mod layout {
    /// Bytes of the head.
    pub(crate) const HEAD: usize = size_of::<super::Head>();

    /// Bytes between two colours.
    pub(crate) const COLOUR: usize = super::COLOUR;

    /// How many colours there are.
    pub(crate) const COLOURS: usize = super::COLOURS;
}

thread_local! {
    /// Has no destructor of its own, so it can be reached until the OS thread is gone, and without a check.
    static POOL: Pool = const { Pool::new() };

    /// Tells `POOL` that the OS thread exits.
    static AT_EXIT: AtExit = const { AtExit };
}

/// The stacks of one OS thread.
struct Pool {
    /// The stacks of each class.
    shelves: [Shelf; CLASSES],

    /// Every slab, `None` once unmapped: heads know theirs by its index.
    slabs: RefCell<ManuallyDrop<Vec<Option<Slab>>>>,

    /// For each slab, how many slots are owned or leaked. Filled in when the pool closes, and kept only from then on.
    taken: RefCell<ManuallyDrop<Vec<usize>>>,

    /// Whether a slot came back since the last trim.
    used: Cell<bool>,

    /// Set when the OS thread's exit has reached `AT_EXIT`: from then on slots are counted, not listed.
    closed: Cell<bool>,
}

/// The stacks of one class.
struct Shelf {
    /// The newest free slot.
    free: Cell<*const Head>,

    /// How many slots are owned or leaked.
    live: Cell<usize>,

    /// The most that were live since the last look at what is idle.
    peak: Cell<usize>,

    /// The most that were ever live, up to that look.
    highest: Cell<usize>,

    /// How many slots are live or free.
    made: Cell<usize>,

    /// The slab that had room last: where to begin to look.
    roomy: Cell<usize>,
}

/// What stands at the top of every slot that was ever used.
#[repr(C, align(64))]
struct Head {
    /// First, so that a stack's top is also its link's address.
    link: Link,

    /// The next older free slot, while this one is free (P1).
    next: Cell<*const Head>,

    /// The slab that it is cut from.
    slab: u32,

    /// Its size class.
    class: u8,

    /// Whether nothing below its warm part was touched since that was given back.
    shallow: Cell<bool>,
}

/// A slot in use: a stack with a guard below it and its link at the top. Goes back to its pool when dropped.
#[derive(Debug)]
pub(crate) struct Stack {
    /// Initialised, and owned by this value alone (P1).
    head: NonNull<Head>,
}

/// Takes a stack of at least `size` bytes, of which up to 2 KiB are the pool's own: the one given back last, else a fresh slot.
#[inline]
pub(crate) fn take(size: usize) -> io::Result<Stack> {
    if size == DEFAULT_SIZE {
        return POOL.with(|pool| pool.take(DEFAULT_CLASS));
    }
    take_odd(size)
}

/// One of another size than most have.
#[cold]
fn take_odd(size: usize) -> io::Result<Stack> {
    let class = class_of(size)?;
    POOL.with(|pool| pool.take(class))
}

/// The size class whose slots have room for `size` bytes.
fn class_of(size: usize) -> io::Result<usize> {
    if size > GREATEST_SIZE {
        return Err(outside(size));
    }
    let slot = (size.max(LEAST_SIZE) + GUARD).next_power_of_two();
    Ok((slot.trailing_zeros() - FIRST_SHIFT) as usize)
}

#[cold]
fn outside(size: usize) -> io::Error {
    let text = format!("stack size {size} is outside {LEAST_SIZE}..={GREATEST_SIZE} bytes");
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

/// How many stacks of this OS thread are in use, or leaked with what used them.
pub(crate) fn live() -> usize {
    POOL.with(|pool| pool.shelves.iter().map(|shelf| shelf.live.get()).sum())
}

impl Pool {
    const fn new() -> Self {
        Pool {
            shelves: [const { Shelf::new() }; CLASSES],
            slabs: RefCell::new(ManuallyDrop::new(Vec::new())),
            taken: RefCell::new(ManuallyDrop::new(Vec::new())),
            used: Cell::new(false),
            closed: Cell::new(false),
        }
    }

    #[inline(always)]
    fn take(&self, class: usize) -> io::Result<Stack> {
        let shelf = &self.shelves[class];
        let newest = shelf.free.get();
        // SAFETY: P1: what is on a free list is an initialised head.
        let Some(head) = (unsafe { newest.as_ref() }) else {
            return self.take_fresh(class);
        };
        shelf.free.set(head.next.get());
        head.shallow.set(false);
        shelf.count_live();
        Ok(Stack { head: head.into() })
    }

    /// Hands out a slot that was never used, from a new slab if need be.
    #[cold]
    fn take_fresh(&self, class: usize) -> io::Result<Stack> {
        if AT_EXIT.try_with(|_| ()).is_err() {
            self.close();
        }
        let stride = 1 << (FIRST_SHIFT as usize + class);
        let mut slabs = self.slabs.borrow_mut();
        let shelf = &self.shelves[class];
        let at = match with_room(&slabs, stride, shelf.roomy.get()) {
            Some(at) => at,
            None => self.grow(&mut slabs, stride)?,
        };
        shelf.roomy.set(at);
        let slab = slabs[at].as_mut().ok_or(io::ErrorKind::Other)?;
        let stack = Stack::in_slot(slab.hand_out()?, at, class);
        shelf.made.set(shelf.made.get() + 1);
        shelf.count_live();
        if self.closed.get() {
            self.taken.borrow_mut()[at] += 1;
        }
        Ok(stack)
    }

    /// Maps one more slab, a smaller one when the wanted size is refused.
    fn grow(&self, slabs: &mut Vec<Option<Slab>>, stride: usize) -> io::Result<usize> {
        overflow::watch();
        let mut slots = if self.closed.get() {
            1
        } else {
            wanted_slots(slabs, stride)
        };
        let slab = loop {
            match Slab::map(stride, slots) {
                Err(_) if slots > 1 => slots /= 2,
                outcome => break outcome?,
            }
        };
        let vacant = slabs.iter().position(Option::is_none);
        let at = vacant.unwrap_or(slabs.len());
        if vacant.is_none() {
            slabs.push(None);
        }
        slabs[at] = Some(slab);
        if self.closed.get() {
            self.taken.borrow_mut().resize(slabs.len(), 0);
        }
        Ok(at)
    }

    #[inline(always)]
    fn give_back(&self, head: &Head) {
        head.link.clear();
        if self.closed.get() {
            return self.give_back_late(head.slab as usize);
        }
        let shelf = &self.shelves[head.class as usize];
        head.next.set(shelf.free.replace(head));
        shelf.live.set(shelf.live.get() - 1);
        self.used.set(true);
    }

    /// After the exit: the slab goes with its last slot (P2).
    #[cold]
    fn give_back_late(&self, slab: usize) {
        self.taken.borrow_mut()[slab] -= 1;
        self.unmap_idle();
    }

    /// Counts what is out and unmaps the rest: the OS thread is about to go.
    fn close(&self) {
        if self.closed.replace(true) {
            return;
        }
        let mut taken = self.taken.borrow_mut();
        let used = |slab: &Option<Slab>| slab.as_ref().map_or(0, Slab::warm);
        taken.extend(self.slabs.borrow().iter().map(used));
        for head in self.shelves.iter().flat_map(Shelf::take_all) {
            taken[head.slab as usize] -= 1;
        }
        drop(taken);
        self.unmap_idle();
    }

    /// After the exit: unmaps the slabs of which no slot is out, and with the last one frees the lists themselves.
    fn unmap_idle(&self) {
        let mut taken = self.taken.borrow_mut();
        let mut slabs = self.slabs.borrow_mut();
        for (slab, _) in slabs
            .iter_mut()
            .zip(&**taken)
            .filter(|(_, taken)| **taken == 0)
        {
            if let Some(idle) = slab.take() {
                // SAFETY: P2: none of its slots is owned or leaked, and the free lists are empty since `close`.
                unsafe { idle.unmap() }
            }
        }
        if slabs.iter().all(Option::is_none) {
            drop(mem::take(&mut **slabs));
            drop(mem::take(&mut **taken));
        }
    }
}

/// A slab of this slot size that has room, the one at `hint` if it does.
fn with_room(slabs: &[Option<Slab>], stride: usize, hint: usize) -> Option<usize> {
    let fits = |slab: &Option<Slab>| {
        slab.as_ref()
            .is_some_and(|slab| slab.stride() == stride && slab.has_room())
    };
    if slabs.get(hint).is_some_and(fits) {
        return Some(hint);
    }
    slabs.iter().rposition(fits)
}

/// How many slots the next slab of this slot size should have.
fn wanted_slots(slabs: &[Option<Slab>], stride: usize) -> usize {
    let same = |slab: &&Slab| slab.stride() == stride;
    let newest = slabs.iter().flatten().rev().find(same);
    newest
        .map_or(FIRST_SLOTS, |slab| slab.slots() * 4)
        .min(MOST_SLOTS)
        .min(MOST_SLAB_BYTES / stride)
        .max(1)
}

impl Shelf {
    const fn new() -> Self {
        Shelf {
            free: Cell::new(ptr::null()),
            live: Cell::new(0),
            peak: Cell::new(0),
            highest: Cell::new(0),
            made: Cell::new(0),
            roomy: Cell::new(0),
        }
    }

    #[inline]
    fn count_live(&self) {
        let live = self.live.get() + 1;
        self.live.set(live);
        self.peak.set(self.peak.get().max(live));
    }

    /// Empties the free list, newest first.
    fn take_all<'a>(&self) -> impl Iterator<Item = &'a Head> + use<'a> {
        // SAFETY: P1; the slabs of what is listed are mapped.
        let newest = unsafe { self.free.replace(ptr::null()).as_ref() };
        // SAFETY: as above.
        std::iter::successors(newest, |head| unsafe { head.next.get().as_ref() })
    }
}

impl Stack {
    /// Puts a head into a fresh slot.
    fn in_slot(slot: Slot, slab: usize, class: usize) -> Self {
        let below = COLOUR * (slot.index % COLOURS) + size_of::<Head>();
        // SAFETY: the head and its colour together are smaller than the least slot.
        let head = unsafe { slot.limit.add(slot.bytes - below) }.cast::<Head>();
        let limit = slot.limit.addr().get();
        let value = Head {
            link: Link::new(limit..limit + slot.bytes),
            next: Cell::new(ptr::null()),
            slab: slab as u32,
            class: class as u8,
            shallow: Cell::new(false),
        };
        // SAFETY: inside the slot, which nobody else was given, and aligned: slots end on a page and colours are whole lines.
        unsafe { head.write(value) };
        Stack { head }
    }

    fn head(&self) -> &Head {
        // SAFETY: initialised, and it stays so as long as this value owns it (P1).
        unsafe { self.head.as_ref() }
    }

    /// The highest address that the stack's frames may use, exclusive: where the head begins.
    #[inline]
    pub(crate) fn top(&self) -> NonZeroUsize {
        self.head.addr()
    }

    /// The end of the slot.
    pub(crate) fn end(&self) -> usize {
        self.head().link.span().end
    }

    /// The lowest address that the stack's frames may use: the guard ends here.
    #[inline]
    pub(crate) fn limit(&self) -> NonZeroUsize {
        let limit = NonZeroUsize::new(self.head().link.span().start);
        limit.unwrap_or(NonZeroUsize::MIN)
    }

    /// The stack's link, which stays where it is as long as the slot is taken (C3 of `chain`).
    #[inline]
    pub(crate) fn link(&self) -> *const Link {
        self.head.as_ptr().cast()
    }
}

impl Drop for Stack {
    #[inline]
    fn drop(&mut self) {
        // P3: the pool of this OS thread is the one that it came from.
        POOL.with(|pool| pool.give_back(self.head()));
    }
}

/// Its destructor runs when the OS thread exits, after those of the keys that were first used later.
struct AtExit;

impl Drop for AtExit {
    fn drop(&mut self) {
        POOL.with(Pool::close);
    }
}

#[cfg(test)]
mod tests;
