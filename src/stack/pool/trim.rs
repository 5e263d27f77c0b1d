//! Memory of stacks that nobody uses goes back to the kernel. Never on the way of a `take` or a give-back.
//!
//! Of each class [`WARM`] free stacks stay as they are but for what lies deep in them, and as many more as were in use since the last look. Of the rest,
//! slabs without a live stack are unmapped, page tables and all; single stacks between live ones give up their pages and become cold.

#![expect(unsafe_code, reason = "gives memory of free slots back")]

use std::ptr::{self, NonNull};

use super::{Head, POOL, Pool, Shelf, Slab};
use crate::stack::platform;

/// How many free stacks of a class stay warm.
const WARM: usize = 1024;

/// Bytes at the top of a warm stack that stay: what one that went deep touched below goes back.
const WARM_DEPTH: usize = 16 * 1024;

/// The stacks of this OS thread, counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// In use, or leaked with what used them.
    pub(crate) live: usize,

    /// Free, with their memory.
    pub(crate) warm: usize,

    /// Free, without memory.
    pub(crate) cold: usize,

    /// Bytes of memory that all of them take.
    pub(crate) bytes_touched: usize,

    /// The sum, over the classes, of the most that were live at once.
    pub(crate) high_water: usize,
}

/// Whether a stack was given back since the last trim.
#[inline]
pub(crate) fn was_used() -> bool {
    POOL.with(|pool| pool.used.get())
}

/// Whether there may be something to give back.
pub(crate) fn has_idle() -> bool {
    POOL.with(|pool| pool.used.get() || pool.shelves.iter().any(|shelf| shelf.free() > WARM))
}

/// How many stacks of this OS thread are in use, or leaked.
pub(crate) fn live() -> usize {
    POOL.with(|pool| pool.shelves.iter().map(|shelf| shelf.live.get()).sum())
}

/// Whether a burst is ending: many came back between the two counts, and many are still to come.
pub(crate) fn is_falling(before: usize, now: usize) -> bool {
    now > WARM && now + WARM < before
}

/// Begins a span of time, at whose end `trim_idle` knows what was not used in it.
pub(crate) fn begin_span() {
    POOL.with(|pool| pool.shelves.iter().for_each(Shelf::begin_span));
}

/// Gives back what was not used since `begin_span`.
pub(crate) fn trim_idle() {
    POOL.with(|pool| pool.trim(|shelf| shelf.peak.get() - shelf.live.get()));
}

/// Gives back all but the warm ones now.
pub(crate) fn trim_all() {
    POOL.with(|pool| pool.trim(|_| 0));
}

/// Counts the stacks of this OS thread. Asks the kernel about every page of them.
pub(crate) fn count() -> Counts {
    POOL.with(Pool::count)
}

/// What becomes of the free stacks of a slab.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// All are free, and stay warm.
    Stays,

    /// All are free, and the slab goes.
    Goes,

    /// Some are live: the free ones are looked at one by one.
    Mixed,
}

impl Pool {
    /// Gives back all free stacks of each class but [`WARM`] of them, or as many as `needed` says if that is more.
    fn trim(&self, needed: impl Fn(&Shelf) -> usize) {
        if self.closed.get() {
            return;
        }
        self.used.set(false);
        for shelf in &self.shelves {
            let quota = needed(shelf).max(WARM);
            if shelf.free() > quota {
                self.trim_shelf(shelf, quota);
            }
            shelf.make_shallow();
        }
    }

    fn trim_shelf(&self, shelf: &Shelf, mut quota: usize) {
        let free: Vec<&Head> = shelf.take_all().collect();
        let fates = self.fates(&free, &mut quota);
        let mut kept = Vec::new();
        let mut cooled = vec![Vec::new(); fates.len()];
        for head in free {
            let slab = head.slab as usize;
            let keep = fates[slab] == Fate::Stays || (fates[slab] == Fate::Mixed && quota > 0);
            if keep {
                quota -= usize::from(fates[slab] == Fate::Mixed);
                kept.push(head);
            } else {
                cooled[slab].push(ptr::from_ref(head).addr());
            }
        }
        shelf.put_back(&kept);
        shelf.made.set(shelf.live.get() + kept.len());
        for (slab, cooled) in cooled.into_iter().enumerate() {
            self.cool(slab, fates[slab], cooled);
        }
    }

    /// What becomes of each slab, and how much of the quota is left for single stacks.
    fn fates(&self, free: &[&Head], quota: &mut usize) -> Vec<Fate> {
        let slabs = self.slabs.borrow();
        let mut count = vec![0; slabs.len()];
        free.iter().for_each(|head| count[head.slab as usize] += 1);
        let fate = |(slab, count): (&Option<Slab>, usize)| {
            let all_free = slab.as_ref().is_some_and(|slab| slab.warm() == count);
            if count == 0 || !all_free {
                return Fate::Mixed;
            }
            match quota.checked_sub(count) {
                Some(rest) => {
                    *quota = rest;
                    Fate::Stays
                }
                None => Fate::Goes,
            }
        };
        slabs.iter().zip(count).map(fate).collect()
    }

    /// Gives back the memory of these free stacks, which are on no list any more.
    fn cool(&self, at: usize, fate: Fate, heads: Vec<usize>) {
        let mut slabs = self.slabs.borrow_mut();
        if fate == Fate::Goes {
            if let Some(slab) = slabs[at].take() {
                // SAFETY: P2: as many slots are free as were handed out, and none is listed.
                unsafe { slab.unmap() }
            }
        } else if let Some(slab) = &mut slabs[at] {
            let slots = heads.iter().map(|head| slab.index_of(*head) as u32);
            let slots = slots.collect();
            // SAFETY: P1: they were free, and were taken off the free list.
            unsafe { slab.cool(slots) };
        }
    }

    fn count(&self) -> Counts {
        let slabs = self.slabs.borrow();
        let sum = |of: fn(&Shelf) -> usize| self.shelves.iter().map(of).sum();
        Counts {
            live: sum(|shelf| shelf.live.get()),
            warm: sum(Shelf::free),
            cold: slabs.iter().flatten().map(Slab::cold).sum(),
            bytes_touched: slabs.iter().flatten().map(Slab::resident).sum(),
            high_water: sum(|shelf| shelf.highest.get().max(shelf.peak.get())),
        }
    }
}

impl Shelf {
    fn free(&self) -> usize {
        self.made.get() - self.live.get()
    }

    fn begin_span(&self) {
        self.highest.set(self.highest.get().max(self.peak.get()));
        self.peak.set(self.live.get());
    }

    /// Makes this the free list, newest first. It was empty.
    fn put_back(&self, heads: &[&Head]) {
        for head in heads.iter().rev() {
            head.next.set(self.free.replace(*head));
        }
    }

    /// Gives back what the free stacks that are next to be used have touched deep down.
    fn make_shallow(&self) {
        // SAFETY: P1: what is on a free list is an initialised head.
        let newest = unsafe { self.free.get().as_ref() };
        // SAFETY: as above.
        let free = std::iter::successors(newest, |head| unsafe { head.next.get().as_ref() });
        free.take(WARM)
            .filter(|head| !head.shallow.replace(true))
            .for_each(Head::give_up_depth);
    }
}

impl Head {
    fn give_up_depth(&self) {
        let span = self.link.span();
        let depth = span.len().saturating_sub(WARM_DEPTH);
        if let (Some(limit), true) = (
            NonNull::new(ptr::with_exposed_provenance_mut(span.start)),
            depth > 0,
        ) {
            // SAFETY: P1: the stack is free, so nobody needs what is below its head.
            unsafe { platform::give_up(limit, depth) };
        }
    }
}

#[cfg(test)]
#[path = "trim_tests.rs"]
mod tests;
