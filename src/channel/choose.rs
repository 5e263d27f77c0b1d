//! Choosing one arm: tries all, then waits for all at once.
//!
//! Fairness: the first look goes round from a random arm, so of two arms that are always ready neither is left out; the one that a wait was granted through comes
//! first after it, so a wake is never turned down in favour of another arm (and no baton is dropped, C1). The random numbers are the same in each run of a program (D8), and follow from the seed where that chooses who runs
//! next (`shuffle`).

use std::time::Duration;

use super::arm::AnyArm;
use super::moments::earlier;
use crate::base::random::below_here;
use crate::sched::choice::{Chosen, Line, wait_for_any};
use crate::sched::clock::Deadline;
use crate::sched::park;
use crate::sched::wait::Operation;

static SELECT: Operation = Operation::new("select!");

/// So many arms are waited for without an allocation.
const FEW: usize = 32;

/// How long a selection waits.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Patience {
    /// Until an arm is ready.
    Endless,

    /// Not at all.
    None,

    /// So long.
    Until(Duration),
}

/// The number of the arm that was done; `None` when patience ended first.
#[doc(hidden)]
pub fn choose(arms: &mut [AnyArm<'_>], patience: Patience) -> Option<usize> {
    let mut first = below_here(arms.len());
    let mut limit = None;
    loop {
        if let Some(number) = attempt_all(arms, first) {
            return Some(number);
        }
        limit = match patience {
            Patience::None => return None,
            Patience::Endless => None,
            Patience::Until(duration) => limit.or_else(|| Some(park::deadline_in(duration))),
        };
        match wait(arms, first, limit) {
            Chosen::Granted(number) | Chosen::Open(number) => first = number,
            Chosen::TimedOut => {
                let done = attempt_due(arms, first);
                if done.is_some() || limit.is_some_and(|limit| limit <= park::now()) {
                    return done;
                }
            }
        }
    }
}

fn round(first: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |step| (first + step) % count)
}

fn attempt_all(arms: &mut [AnyArm<'_>], first: usize) -> Option<usize> {
    round(first, arms.len()).find(|&number| arms[number].0.attempt())
}

/// At a deadline: only the arms that follow the clock. What came to the others at the same moment has woken somebody else already.
fn attempt_due(arms: &mut [AnyArm<'_>], first: usize) -> Option<usize> {
    round(first, arms.len()).find(|&number| {
        let arm = &mut *arms[number].0;
        arm.due().is_some() && arm.attempt()
    })
}

fn wait(arms: &[AnyArm<'_>], first: usize, limit: Option<Deadline>) -> Chosen {
    let due = arms.iter().filter_map(|arm| arm.0.due()).min();
    let deadline = earlier(due, limit);
    let line = |number: usize| -> &dyn Line { arms[number].0.line() };
    match arms.len() {
        0 => wait_for_any(&SELECT, &[], 0, deadline),
        count @ 1..=FEW => {
            let lines: [&dyn Line; FEW] = std::array::from_fn(|n| line(n.min(count - 1)));
            wait_for_any(&SELECT, &lines[..count], first, deadline)
        }
        count => {
            let lines: Vec<_> = (0..count).map(line).collect();
            wait_for_any(&SELECT, &lines, first, deadline)
        }
    }
}
