//! Looking again before parking, where the other end is likely to be awake on another OS thread (D4).
//!
//! What ends that wait then is an item in the channel and not a message in the inbox, which takes a dozen cache lines from core to core. Between two looks it pauses for as long as the
//! other end needs to fill or drain a good part of the channel: both go on by turns, each for a whole batch, instead of taking the same lines away from each other at every item.
//!
//! Where one message goes at a time there is no batch to wait for. Then one watches the mark that was left at the channel's lock (`base::lock`), which changes when the other end is done,
//! and an item takes one cache line there and back. Since nothing is gained by parking now and then, one who watches yields when the loop is to look at time and IO.
//!
//! It is done where staying awake has paid (`vigil`), for two microseconds at the most, and while nobody else needs the OS thread. Time and IO cannot starve by it: each look counts
//! as a resume, so one who is never kept waiting parks after a few all the same, and the loop looks up.

use super::scheduler::Scheduler;
use crate::base::moment;

/// The longest time, in nanoseconds, that one looks again before it parks, but for the last pause.
const LONGEST_LINGER: u64 = 1_500;

/// Nanoseconds that the other end needs for an item, nearly.
const OF_AN_ITEM: u64 = 13;

/// The other end needs as long for fewer items: some cache lines must go to its core.
const SMALL: usize = 16;

/// The most items that are waited for.
const LARGE: usize = 64;

/// Looks that one takes at what has not come, before it parks.
#[derive(Debug)]
pub(crate) struct Linger {
    /// Nanoseconds between two of them: what the other end needs for a batch.
    pause: u64,

    /// Nanoseconds that are left.
    left: u64,
}

impl Linger {
    /// Whether to look again may pay on this OS thread.
    #[inline(always)]
    pub(crate) fn is_due() -> bool {
        Scheduler::if_made().is_some_and(|scheduler| scheduler.vigil.is_due())
    }

    /// `batch` is how many items the other end may be about to put in or take out; none when looking again does not help.
    pub(crate) fn new(batch: usize) -> Self {
        Linger {
            pause: OF_AN_ITEM * batch.clamp(SMALL, LARGE) as u64,
            left: if batch == 0 { 0 } else { LONGEST_LINGER },
        }
    }

    /// Whether to look again.
    pub(crate) fn pays(&self) -> bool {
        self.left > 0 && Scheduler::if_made().is_some_and(Scheduler::nobody_else_needs_it)
    }

    /// Whether to go on watching, for one who holds no lock. Where the loop must come to look at time and IO, it does so here.
    pub(crate) fn goes_on(&self) -> bool {
        let scheduler = Scheduler::if_made().filter(|scheduler| scheduler.may_watch());
        scheduler.inspect(|scheduler| scheduler.let_loop_look());
        scheduler.is_some() && self.pays()
    }

    /// Waits for the other end as long as `unchanged` says yes, and at most for a pause.
    pub(crate) fn watch(&mut self, unchanged: impl Fn() -> bool) {
        moment::pass_while(self.pause, unchanged);
        self.left = self.left.saturating_sub(self.pause);
    }

    /// Lets the other end work.
    pub(crate) fn pause(&mut self) {
        self.watch(|| true);
    }
}

impl Scheduler {
    /// Whether to watch may pay, and nobody wants the turns to be as they would be otherwise (D8). Where others are in line one parks: to yield before would be a whole round of theirs, or
    /// several, in which what comes is not seen and no deadline is set.
    fn may_watch(&self) -> bool {
        let is_free = !self.clock().is_virtual() && !self.looks_each_turn.get();
        is_free && !self.ledger.is_on() && self.vigil.is_due() && self.is_quiet()
    }

    /// When the countdown is about to end, has it end: the loop looks after the turn at which it does, which is the next or the one after it. A request is raised where one parks.
    fn let_loop_look(&self) {
        for _ in 0..2 {
            if self.countdown.get() <= 1 && !self.has_requests() {
                self.yield_now();
            }
        }
    }

    /// Whether this OS thread has nothing else to do. To be asked counts as a resume: the loop must come to look at time and IO. While time is virtual, when it looks must not follow
    /// from whether it paid to stay awake before (D8).
    fn nobody_else_needs_it(&self) -> bool {
        let left = self.countdown.get();
        let may_wait = left > 1 && !self.clock().is_virtual();
        let is_idle = may_wait && self.is_quiet();
        if is_idle {
            self.countdown.set(left - 1);
        }
        is_idle
    }

    /// Whether nobody is in line, and nobody is about to be.
    fn is_quiet(&self) -> bool {
        self.ready.is_empty() && !self.home().has_messages()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_who_lingers_gives_up_after_a_few_looks_whatever_the_batch() {
        for batch in [0, 1, 64, usize::MAX] {
            let mut linger = Linger::new(batch);
            let looks = (0..).take_while(|_| linger.left > 0 && (linger.pause(), true).1);
            let looks = looks.count();
            assert!(looks <= 8 && (looks == 0) == (batch == 0), "{looks}");
        }
    }

    #[test]
    fn one_who_watches_does_not_yield_to_those_in_line() {
        let scheduler = Scheduler::get();
        scheduler.vigil.slept(true);
        let other = crate::spawn(|| ());
        scheduler.countdown.set(1);
        let goes_on = Linger::new(1).goes_on();
        assert!(!other.is_finished());
        assert!(!goes_on);
        other.join().unwrap();
    }
}
