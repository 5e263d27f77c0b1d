//! Staying awake for a moment before sleeping, where that has paid (D4).
//!
//! To be woken out of the kernel takes microseconds, and tens of them where the core has been let idle meanwhile. A message that comes sooner than that is better waited for awake;
//! one that comes later, or never, is not worth the core. Nobody knows which it will be, so the past decides:
//!
//! ```text
//!                   ended by a message                    a message came
//!   SLEEP, `owed` ──────────────────────▶ owed - 1 = 0 ──▶ STAY AWAKE ─────────▶ owed = 0, `price` = 1
//!         ▲    ended by a socket or timer:                     │
//!         │    owed is 1 at least                              │ nothing came within LIMIT
//!         └─────────────────────────────── owed = price, price doubles ◀┘
//! ```
//!
//! So an OS thread that waits for sockets and timers alone never stays awake, and one whose messages are rare does so once in `DEAREST` sleeps: some ten nanoseconds for each
//! of them.
//!
//! Where it is due, whoever finds a channel empty or full looks again before parking, too: see `linger`.
//!
//! It comes before the inbox is told that its owner sleeps, and looks at what the loop would look at anyway: the proof of L7 knows nothing of it.

use std::cell::Cell;
use std::hint::spin_loop;
#[cfg(not(loom))]
use std::sync::OnceLock;
#[cfg(not(loom))]
use std::thread::available_parallelism;
use std::time::Duration;

use super::clock::Deadline;

/// The longest time awake, about what it takes to be woken on an idle core.
pub(super) const LIMIT: Duration = Duration::from_micros(20);

/// Looks between two looks at the clock.
const LOOKS: u32 = 32;

/// The most sleeps that are owed for one time awake in vain.
const DEAREST: u32 = 256;

/// Whether one OS thread runs while another does. The first to ask asks the system, and nobody does again, though the cores that a process may use can change. That is whoever makes
/// the first scheduler or workers: those may be pinned to a core each. And on Linux std opens files to find out, which must not happen at some later moment: if the program has just
/// closed its standard input, such a file would be in its place.
#[cfg(not(loom))]
pub(crate) fn has_several_cores() -> bool {
    static SEVERAL: OnceLock<bool> = OnceLock::new();
    *SEVERAL.get_or_init(|| available_parallelism().is_ok_and(|cores| cores.get() > 1))
}

/// A model checker cannot tell a spin from a hang.
#[cfg(loom)]
pub(crate) fn has_several_cores() -> bool {
    false
}

/// Whether an OS thread stays awake before it sleeps.
#[derive(Debug)]
pub(super) struct Vigil {
    /// How many sleeps must be ended by messages before the next time awake.
    owed: Cell<u32>,

    /// What the next time awake costs in sleeps, if nothing comes.
    price: Cell<u32>,
}

impl Vigil {
    pub(super) fn new() -> Self {
        Vigil {
            owed: Cell::new(1),
            price: Cell::new(1),
        }
    }

    /// Whether it is worth staying awake now.
    #[inline]
    pub(super) fn is_due(&self) -> bool {
        self.is_paid() && has_several_cores()
    }

    #[inline]
    fn is_paid(&self) -> bool {
        self.owed.get() == 0
    }

    /// Stays awake until `end` at the latest; says whether `has_come` did say yes.
    pub(super) fn keep(&self, end: Deadline, has_come: impl Fn() -> bool) -> bool {
        let came = watch(end, has_come);
        if came {
            self.price.set(1);
        } else {
            self.owed.set(self.price.get());
            self.price.set((self.price.get() * 2).min(DEAREST));
        }
        came
    }

    /// A sleep was ended.
    pub(super) fn slept(&self, by_message: bool) {
        let owed = self.owed.get();
        self.owed.set(if by_message {
            owed.saturating_sub(1)
        } else {
            owed.max(1)
        });
    }
}

fn watch(end: Deadline, has_come: impl Fn() -> bool) -> bool {
    loop {
        for _ in 0..LOOKS {
            if has_come() {
                return true;
            }
            spin_loop();
        }
        if end <= Deadline::real_now() {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stays awake in vain, and sleeps until it would again; says how often it slept.
    fn sleeps_until_due_again(vigil: &Vigil) -> u32 {
        assert!(!vigil.keep(Deadline::BEGINNING, || false));
        (0..)
            .find(|_| vigil.is_paid() || (vigil.slept(true), false).1)
            .expect("at last")
    }

    #[test]
    fn nobody_stays_awake_before_a_message_has_ended_a_sleep() {
        let vigil = Vigil::new();
        assert!(!vigil.is_paid());
        vigil.slept(false);
        assert!(!vigil.is_paid());
        vigil.slept(true);
        assert!(vigil.is_paid());
        vigil.slept(false);
        assert!(!vigil.is_paid());
    }

    #[test]
    fn each_time_awake_in_vain_costs_twice_as_many_sleeps_up_to_a_bound() {
        let vigil = Vigil::new();
        let sleeps: Vec<_> = (0..11).map(|_| sleeps_until_due_again(&vigil)).collect();
        assert_eq!(sleeps, [1, 2, 4, 8, 16, 32, 64, 128, 256, 256, 256]);
    }

    #[test]
    fn one_time_awake_that_paid_makes_the_next_cheap() {
        let vigil = Vigil::new();
        (0..5).for_each(|_| _ = sleeps_until_due_again(&vigil));
        assert!(vigil.keep(Deadline::NEVER, || true));
        assert!(vigil.is_paid());
        assert_eq!(sleeps_until_due_again(&vigil), 1);
    }

    #[test]
    fn staying_awake_ends_at_its_end_when_nothing_comes() {
        let vigil = Vigil::new();
        assert!(!vigil.keep(Deadline::real_now().after(LIMIT), || false));
        assert!(!vigil.is_paid());
    }

    #[test]
    fn what_is_there_already_is_seen_at_the_first_look() {
        let looks = Cell::new(0);
        let sees = || looks.replace(looks.get() + 1) == 0;
        assert!(Vigil::new().keep(Deadline::BEGINNING, sees));
        assert_eq!(looks.get(), 1);
    }
}
