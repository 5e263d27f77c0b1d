//! Searching: one seed after the other, until one fails.

use std::collections::HashSet;
use std::ops::Range;
use std::panic::resume_unwind;

use super::failure::Failure;
use super::progress::Progress;
use super::schedule::{self, Schedule};
use super::seeds;
use crate::sched::clock::Deadline;
use crate::trace::Timeline;

/// What a search has seen that found no failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explored {
    /// How many were run.
    schedules: u64,

    /// How many of them were unlike all others.
    different: u64,
}

impl Explored {
    /// Returns how many schedules were run.
    pub fn schedules(self) -> u64 {
        self.schedules
    }

    /// Returns how many of these chose differently from all others.
    ///
    /// When it is 1, there is nothing to choose: at most one green thread was ready at a time.
    pub fn different(self) -> u64 {
        self.different
    }
}

/// Runs `f` under `n` schedules, and panics at the first that fails.
///
/// Each schedule is a [`Runtime`](crate::Runtime) of its own with [`virtual_time`](crate::RuntimeBuilder::virtual_time), [`only_our_threads`](crate::RuntimeBuilder::only_our_threads)
/// and [`shuffle`](crate::RuntimeBuilder::shuffle), and `f` is called on its root with the seed: 0, 1, and so on. It must begin anew each time: what one schedule leaves in
/// variables outside, the next one finds.
///
/// A schedule fails by a panic of `f`, by a deadlock, and by the panic of a green thread that nobody joined. Then stderr gets the seed, the
/// [timeline](crate::trace::Timeline) of a second run with it, cut to its last rows, and how to run that schedule alone:
///
/// ```text
/// GREENTHREAD_SEED=17 cargo test name_of_the_test
/// ```
///
/// With this variable every `explore` of the process tries that seed only, or those of a range, as in `1000..5000`, whatever `n` says. The order is not chosen inside code
/// that does not wait: where another could come between if there were two OS threads, put a [`yield_now`](crate::yield_now).
///
/// Every ten seconds stderr is told how far it has come; [`search_with`] tells a closure. A schedule that aborts the process is not drawn, and one that never ends is not noticed; the report of a deadlock names the seed by itself.
///
/// Blocks until all have ended; on the root only.
///
/// # Panics
/// With what the first failure panicked with. When `n` is 0, because such a test would pass without a look. On a green thread and inside [`run`](crate::run), as `run` does.
///
/// # Examples
/// ```
/// use greenthread::{explore, scope, sync::Mutex, yield_now};
/// let explored = explore(100, |_seed| {
///     let sum = Mutex::new(0);
///     scope(|s| for _ in 0..3 {
///         s.spawn(|| { let mut held = sum.lock(); let before = *held; yield_now(); *held = before + 1; });
///     });
///     assert_eq!(*sum.lock(), 3); // fails without the lock
/// });
/// assert_eq!(explored.schedules(), 100);
/// assert!(explored.different() > 10);
/// ```
#[track_caller]
pub fn explore(n: u64, mut f: impl FnMut(u64)) -> Explored {
    demand_schedules(n, "explore");
    let seeds = seeds::to_try(n);
    let mut progress = Progress::new(seeds.end - seeds.start);
    let mut tell = |run| {
        if let Some(line) = progress.line(run, Deadline::real_now()) {
            eprintln!("{line}");
        }
    };
    match search_in(seeds, &mut f, &mut tell) {
        Ok(explored) => explored,
        Err(failure) => {
            eprintln!("{failure}");
            resume_unwind(failure.into_panic())
        }
    }
}

/// Runs `f` under `n` schedules as [`explore()`] does, and returns the first failure instead of panicking.
///
/// It neither writes to stderr (the panic hook does) nor asks the environment.
///
/// Blocks until all have ended; on the root only.
///
/// # Errors
/// The first failure.
///
/// # Panics
/// When `n` is 0. On a green thread and inside [`run`](crate::run), as `run` does.
///
/// # Examples
/// ```
/// use greenthread::{explore, spawn};
/// use std::{cell::RefCell, rc::Rc};
/// let failure = explore::search(100, |_seed| {
///     let order = Rc::new(RefCell::new(Vec::new()));
///     let both = [1, 2].map(|n| { let order = Rc::clone(&order); spawn(move || order.borrow_mut().push(n)) });
///     both.map(|green_thread| green_thread.join().unwrap());
///     assert_eq!(*order.borrow(), [1, 2], "who comes first?");
/// }).unwrap_err();
/// assert!(failure.message().contains("who comes first?"));
/// ```
#[track_caller]
pub fn search(n: u64, mut f: impl FnMut(u64)) -> Result<Explored, Failure> {
    demand_schedules(n, "search");
    search_in(0..n, &mut f, &mut |_| ())
}

/// As [`search()`], and calls `each` after each schedule that did not fail, with how many have been run: for whoever draws how far it has come.
///
/// # Errors
/// The first failure.
///
/// # Panics
/// As `search`, and with what `each` panics with.
///
/// # Examples
/// ```
/// use greenthread::{explore, yield_now};
/// use indicatif::ProgressBar;
/// let bar = ProgressBar::new(100);
/// explore::search_with(100, |_seed| yield_now(), |run| bar.set_position(run)).unwrap();
/// assert_eq!(bar.position(), 100);
/// ```
#[track_caller]
pub fn search_with(
    n: u64,
    mut f: impl FnMut(u64),
    mut each: impl FnMut(u64),
) -> Result<Explored, Failure> {
    demand_schedules(n, "search_with");
    search_in(0..n, &mut f, &mut each)
}

/// Runs `f` under the schedule of one seed, and returns what happened.
///
/// Blocks until it has ended; on the root only.
///
/// # Errors
/// When it fails, in one of the ways that [`explore()`] knows.
///
/// # Panics
/// On a green thread and inside [`run`](crate::run), as `run` does.
///
/// # Examples
/// ```
/// use greenthread::{explore, scope};
/// let draw = |seed| {
///     let drawn = explore::replay(seed, |_| scope(|s| for _ in 0..4 { s.spawn(|| ()); }));
///     drawn.unwrap().to_text()
/// };
/// assert_eq!(draw(1), draw(1));
/// assert_ne!(draw(1), draw(2));
/// ```
#[track_caller]
pub fn replay(seed: u64, mut f: impl FnMut(u64)) -> Result<Timeline, Failure> {
    let Schedule {
        result, timeline, ..
    } = schedule::run(seed, true, &mut f);
    match result {
        Ok(()) => Ok(timeline),
        Err(payload) => Err(Failure::new(seed, 1, payload, timeline)),
    }
}

#[track_caller]
fn demand_schedules(n: u64, what: &str) {
    assert!(
        n > 0,
        "{what}(0): a test under no schedule would pass without a look"
    );
}

#[track_caller]
fn search_in(
    seeds: Range<u64>,
    f: &mut dyn FnMut(u64),
    each: &mut dyn FnMut(u64),
) -> Result<Explored, Failure> {
    let mut prints = HashSet::new();
    for seed in seeds.clone() {
        let schedule = schedule::run(seed, false, f);
        let nth = seed - seeds.start + 1;
        if let Err(payload) = schedule.result {
            return Err(draw(seed, nth, payload, f));
        }
        prints.insert(schedule.print);
        each(nth);
    }
    Ok(Explored {
        schedules: seeds.end - seeds.start,
        different: prints.len() as u64,
    })
}

/// Once more, to see what happens. Only this run is recorded: those that do not fail are not slowed down.
fn draw(seed: u64, nth: u64, first: schedule::Payload, f: &mut dyn FnMut(u64)) -> Failure {
    let again = schedule::run(seed, true, f);
    match again.result {
        Err(payload) => Failure::new(seed, nth, payload, again.timeline),
        Ok(()) => Failure::once(seed, nth, first, again.timeline),
    }
}
