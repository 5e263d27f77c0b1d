//! How many run before the loop looks at time and IO again: a good number of those who are quick, and of those who are slow as many as take a millisecond.
//!
//! To ask for the time at every turn would cost more than a turn. So it is asked for at each look, and how many run until the next one follows from how long the last ones took: where
//! green threads compute for long between two wait points, timers and sockets are late by one such turn and not by thirty-two.
//!
//! While time is virtual it is always the greatest number: how often the loop looks then must not depend on the machine's clock (D8).

use std::cell::Cell;
use std::time::Duration;

use super::clock::Deadline;

/// The most resumes between two looks. A look costs about 25 ns when a timer is set or a source is registered, else nothing: under 1 ns a resume.
pub(super) const MOST: u32 = 32;

/// How long those should take together who run between two looks.
const LENGTH: Duration = Duration::from_millis(1);

/// The turns between two looks.
#[derive(Debug)]
pub(super) struct Stint {
    /// When the present one began, if the loop has not slept since.
    began: Cell<Option<Deadline>>,

    /// How many turns one has.
    turns: Cell<u32>,
}

impl Stint {
    pub(super) fn new() -> Self {
        Stint {
            began: Cell::new(None),
            turns: Cell::new(MOST),
        }
    }

    /// How many run until the next look.
    #[inline]
    pub(super) fn turns(&self) -> u32 {
        self.turns.get()
    }

    /// Whether the turns were quick, as far as is known.
    pub(super) fn is_longest(&self) -> bool {
        self.turns.get() == MOST
    }

    /// The present one ends, and the next one begins.
    pub(super) fn end(&self, now: Deadline) {
        if let Some(began) = self.began.replace(Some(now)) {
            let fitting = fitting(self.turns.get(), now.since(began));
            self.turns.set(fitting);
        }
    }

    /// What time passes now is not that of turns: the loop sleeps. Or nobody needs it.
    pub(super) fn interrupt(&self) {
        self.began.set(None);
    }

    /// Nothing is known any more.
    pub(super) fn forget(&self) {
        self.began.set(None);
        self.turns.set(MOST);
    }
}

/// How many turns should take [`LENGTH`], when so many took so long; twice as many at the most, for a few quick ones may have stood between slow ones.
fn fitting(turns: u32, took: Duration) -> u32 {
    let fitting = u128::from(turns) * LENGTH.as_nanos() / took.as_nanos().max(1);
    let most = MOST.min(turns * 2);
    fitting.clamp(1, most.into()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns_after(stint: &Stint, now: &mut Deadline, took: Duration) -> u32 {
        *now = now.after(took);
        stint.end(*now);
        stint.turns()
    }

    #[test]
    fn after_slow_turns_few_run_until_the_next_look_and_after_quick_ones_many_again() {
        let (stint, mut now) = (Stint::new(), Deadline::BEGINNING);
        let mut after = |took| turns_after(&stint, &mut now, took);
        assert_eq!(after(LENGTH * 320), MOST);
        assert_eq!(after(LENGTH * 320), 1);
        assert_eq!(after(LENGTH * 10), 1);
        let growing = [(); 6].map(|()| after(LENGTH / 10));
        assert_eq!(growing, [2, 4, 8, 16, MOST, MOST]);
        assert_eq!(after(LENGTH * 2), MOST / 2);
    }

    #[test]
    fn a_sleep_is_no_slow_turn_and_changes_nothing_of_what_is_known() {
        let (stint, mut now) = (Stint::new(), Deadline::BEGINNING);
        let mut after = |took| turns_after(&stint, &mut now, took);
        after(LENGTH);
        assert_eq!(after(LENGTH * 8), 4);
        stint.interrupt();
        assert_eq!(after(LENGTH * 100), 4);
        stint.forget();
        assert_eq!(after(LENGTH * 100), MOST);
    }
}
