//! What the scheduler of one OS thread counts, and how it stands, in numbers, for whoever asks from any OS thread.
//!
//! The way of a `yield_now` and of a wake on the same OS thread counts nothing: how often somebody was given the OS thread, and how many were put in line, the line
//! in `ready` knows anyway. What is counted besides is counted where it costs little beside what is done there. The rest follows: every wait that is over was ended by
//! one wake, and whoever was put in line was spawned, woken, or has yielded.
//!
//! Only the OS thread itself writes, with plain loads and stores; others read. What it would have to collect it notes before it sleeps, and now and then while somebody
//! is always in line, so others see that as it was at most some five hundred switches ago.
//!
//! Invariant K1: the number of an operation is a place in `NAMES`: `Operation`'s constructors alone give numbers, and those come from `number_of`.

#![expect(unsafe_code, reason = "a table without bounds checks")]

use std::ops::AddAssign;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use super::operations::{COUNT, NAMES};
use super::wait::Operation;

/// What those OS threads counted that have gone.
static OF_THOSE_GONE: Mutex<Option<Standing>> = Mutex::new(None);

/// A number that one OS thread writes and any reads.
#[derive(Debug)]
pub(super) struct Count(AtomicU64);

impl Count {
    const fn new() -> Self {
        Count(AtomicU64::new(0))
    }

    /// Counts up: one instruction, because nobody else writes.
    #[inline(always)]
    pub(super) fn add_one(&self) {
        self.add(1);
    }

    #[inline(always)]
    pub(super) fn add(&self, more: u64) {
        self.set(self.get().wrapping_add(more));
    }

    pub(super) fn set(&self, now: u64) {
        self.0.store(now, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What one OS thread counts, since its scheduler was made.
#[derive(Debug)]
pub(crate) struct Counts {
    /// Green threads taken in, see `Scheduler::admit`.
    pub(super) spawns: Count,

    /// Those who were put in line by a message of another OS thread, and were not new.
    pub(super) wakes_remote: Count,

    /// Polls of the reactor.
    pub(super) polls: Count,

    /// Parks, by the operation's number.
    parks: [Count; COUNT],

    /// Noted now and then: how many were put in line.
    pub(super) pushed: Count,

    /// As `pushed`: how many were taken from it.
    pub(super) taken: Count,

    /// As `pushed`: how many have not ended.
    pub(super) alive: Count,

    /// As `pushed`: how many of those, and of the root, are parked.
    pub(super) parked: Count,

    /// As `pushed`: how many timers are set.
    pub(super) timers: Count,

    /// As `pushed`: how many sources the reactor watches.
    pub(super) sources: Count,

    /// As `pushed`: how many stacks are in use.
    pub(super) stacks: Count,
}

impl Counts {
    pub(super) const fn new() -> Self {
        Counts {
            spawns: Count::new(),
            wakes_remote: Count::new(),
            polls: Count::new(),
            parks: [const { Count::new() }; COUNT],
            pushed: Count::new(),
            taken: Count::new(),
            alive: Count::new(),
            parked: Count::new(),
            timers: Count::new(),
            sources: Count::new(),
            stacks: Count::new(),
        }
    }

    /// Somebody stops to wait.
    #[inline(always)]
    pub(super) fn park(&self, operation: &Operation) {
        let number = usize::from(operation.number);
        // SAFETY: K1: the table has a place for every number.
        unsafe { self.parks.get_unchecked(number) }.add_one();
    }

    /// What was counted and noted.
    pub(crate) fn read(&self) -> Standing {
        // Its OS thread may be writing just now: nobody leaves the line who has not come into it.
        let taken = self.taken.get();
        let pushed = self.pushed.get().max(taken);
        let parks = [(); COUNT].map(|()| 0);
        let mut standing = Standing {
            alive: self.alive.get(),
            ready: pushed - taken,
            parked: self.parked.get(),
            spawns: self.spawns.get(),
            switches: taken,
            pushed,
            wakes_remote: self.wakes_remote.get(),
            polls: self.polls.get(),
            timers: self.timers.get(),
            sources: self.sources.get(),
            stacks: self.stacks.get(),
            parks,
        };
        for (sum, count) in standing.parks.iter_mut().zip(&self.parks) {
            *sum = count.get();
        }
        standing
    }
}

/// How one OS thread stands, or several together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    /// Green threads that have not ended.
    pub(crate) alive: u64,

    /// Those in line, roots included.
    pub(crate) ready: u64,

    /// Those who wait, roots included.
    pub(crate) parked: u64,

    /// Green threads that were taken in.
    pub(crate) spawns: u64,

    /// How often somebody was given the OS thread.
    pub(crate) switches: u64,

    /// How often somebody was put in line.
    pushed: u64,

    /// How many of them were put there for another OS thread, and were not new.
    pub(crate) wakes_remote: u64,

    /// Polls of the reactor.
    pub(crate) polls: u64,

    /// Timers that are set.
    pub(crate) timers: u64,

    /// Sources that the reactor watches.
    pub(crate) sources: u64,

    /// Stacks in use.
    pub(crate) stacks: u64,

    /// Parks, by the operation's number.
    parks: [u64; COUNT],
}

impl Default for Standing {
    fn default() -> Self {
        Counts::new().read()
    }
}

impl Standing {
    /// How often somebody stopped to wait.
    pub(crate) fn parks(&self) -> u64 {
        self.parks.iter().sum()
    }

    /// How often a wait was ended here: every park that is over.
    fn wakes(&self) -> u64 {
        self.parks().saturating_sub(self.parked)
    }

    /// Those that came from the same OS thread: its green threads, its timers, its sockets.
    pub(crate) fn wakes_local(&self) -> u64 {
        self.wakes().saturating_sub(self.wakes_remote)
    }

    /// How often somebody let the others go first.
    pub(crate) fn yields(&self) -> u64 {
        let known = self.spawns + self.wakes();
        self.pushed.saturating_sub(known)
    }

    /// The wait points at which somebody parked, and how often.
    pub(crate) fn parks_by_operation(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counted = NAMES.into_iter().zip(self.parks);
        counted.filter(|(_, parks)| *parks > 0)
    }

    /// What is left of it when its OS thread has gone: what only grows.
    fn without_gauges(self) -> Self {
        Standing {
            alive: 0,
            ready: 0,
            parked: 0,
            timers: 0,
            sources: 0,
            stacks: 0,
            ..self
        }
    }
}

impl AddAssign<&Standing> for Standing {
    fn add_assign(&mut self, more: &Standing) {
        self.alive += more.alive;
        self.ready += more.ready;
        self.parked += more.parked;
        self.spawns += more.spawns;
        self.switches += more.switches;
        self.pushed += more.pushed;
        self.wakes_remote += more.wakes_remote;
        self.polls += more.polls;
        self.timers += more.timers;
        self.sources += more.sources;
        self.stacks += more.stacks;
        for (sum, parks) in self.parks.iter_mut().zip(more.parks) {
            *sum += parks;
        }
    }
}

/// What those OS threads counted that have gone, together.
pub(crate) fn of_those_gone() -> Standing {
    let gone = OF_THOSE_GONE.lock();
    gone.unwrap_or_else(PoisonError::into_inner)
        .unwrap_or_default()
}

/// An OS thread goes that has counted this.
pub(super) fn leave(counts: &Counts) {
    let mut gone = OF_THOSE_GONE.lock().unwrap_or_else(PoisonError::into_inner);
    let sum = gone.get_or_insert_default();
    *sum += &counts.read().without_gauges();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_between_two_notes_of_another_os_thread_finds_nobody_in_line_rather_than_fewer() {
        let counts = Counts::new();
        counts.pushed.set(3);
        counts.taken.set(5);
        assert_eq!(counts.read().ready, 0);
    }
}
