//! What goes on, in numbers, and a way to give back what is kept: [`stats()`] and [`release_memory`].
//!
//! ```text
//!   numbers     what is told: the public types
//!   prometheus  the same for Prometheus and what reads its format
//!   json        the same for programs
//! ```
//!
//! What is counted, and where, is in `sched::counts`.

mod json;
mod numbers;
mod prometheus;

pub use numbers::{
    BlockingStats, OsThreadStats, ParkStats, SchedulingStats, StackStats, Stats, WorkerStats,
};

use crate::blocking::spawn::crew_if_made;
use crate::sched::counts::{self, Standing};
use crate::sched::residents::residents;
use crate::sched::scheduler::Scheduler;
use crate::sched::work::Work;
use crate::stack::{idle, pool};
use crate::workers::of_process;

/// Returns what goes on in the process, and what this OS thread keeps, in numbers.
///
/// Does not block, and asks nobody: every OS thread notes how it stands before it sleeps, and at least once in 512 switches. This one notes it now. What it costs to
/// keep the numbers is below one instruction in a hundred of a `yield_now` or of a send and a receive that wait, and nothing turns it off. To ask costs a few
/// microseconds for each OS thread, and a look of the kernel's at every page of every stack that was ever used on this one: 2 ms for ten thousand stacks.
///
/// # Examples
/// ```
/// let before = greenthread::stats().here;
/// let one = greenthread::spawn(|| (0..3).for_each(|_| greenthread::yield_now()));
/// one.join().unwrap();
/// let after = greenthread::stats().here;
/// assert_eq!(after.spawned - before.spawned, 1);
/// assert_eq!(after.yields - before.yields, 3);
/// ```
#[must_use]
pub fn stats() -> Stats {
    let scheduler = Scheduler::if_made();
    if let Some(scheduler) = scheduler {
        scheduler.note_standing();
    }
    let here = scheduler.map(|one| one.counts().read());
    Stats {
        here: here.as_ref().map(SchedulingStats::from).unwrap_or_default(),
        stacks: pool::trim::count().into(),
        ..stats_from_outside()
    }
}

/// The same for an OS thread of ours without a scheduler: nothing of its own.
pub(crate) fn stats_from_outside() -> Stats {
    let (all, os_threads) = everywhere();
    let own = Scheduler::if_made().and_then(Scheduler::work);
    let work = own.or_else(|| of_process::work_if_made().cloned());
    let crew = crew_if_made().map(|crew| crew.standing());
    Stats {
        scheduling: SchedulingStats::from(&all),
        parks: all.parks_by_operation().map(ParkStats::from).collect(),
        workers: work.as_deref().map(workers).unwrap_or_default(),
        unplaced: work.map_or(0, |work| work.waiting_for_any()),
        blocking: crew.unwrap_or_default().into(),
        os_threads,
        ..Stats::default()
    }
}

/// All OS threads together, those that have gone with them, and each that is there. Under the lock, none goes meanwhile: none is counted twice.
fn everywhere() -> (Standing, Vec<OsThreadStats>) {
    let residents = residents();
    let mut all = counts::of_those_gone();
    let mut each = Vec::with_capacity(residents.len());
    for resident in residents.iter() {
        let standing = resident.standing();
        all += &standing;
        each.push(OsThreadStats {
            number: resident.number(),
            name: resident.name().map(String::from),
            scheduling: SchedulingStats::from(&standing),
        });
    }
    (all, each)
}

fn workers(work: &Work) -> Vec<WorkerStats> {
    let residents = residents();
    let standing_of = |root: Option<u64>| {
        let mut all = residents.iter();
        let one = all.find(|resident| Some(resident.root()) == root)?;
        Some(SchedulingStats::from(&one.standing()))
    };
    let placed = work.placed().into_iter();
    let worker = |placed| WorkerStats::new(placed, standing_of(placed.root).unwrap_or_default());
    placed.map(worker).collect()
}

/// Gives back to the system what this OS thread keeps for later: free stacks and freed control blocks.
///
/// Does not block, and is never needed: what lies idle goes back by itself while the event loop runs, half a second after it was used last, and at the end of
/// [`run`](crate::run). Call it where a program leaves the event loop for long after a burst. About a thousand stacks of each size stay, with 16 KiB of each at the most.
///
/// # Examples
/// ```
/// greenthread::spawn(|| ()).join().unwrap();
/// greenthread::release_memory();
/// assert_eq!(greenthread::stats().stacks.cold, 0);
/// ```
pub fn release_memory() {
    idle::release();
}
