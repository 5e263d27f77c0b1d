//! What the crate keeps, in numbers, and a way to give it back.

use crate::sched::scheduler::Scheduler;
use crate::sched::work::{Placed, Work};
use crate::stack::{idle, pool};
use crate::workers::of_process;

/// What an OS thread keeps, in numbers, and how its workers stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Its stacks: of green threads, generators, `grow` and the event loop.
    pub stacks: StackStats,

    /// The workers that [`spawn_anywhere`](crate::spawn_anywhere) uses here, by number; none while there are none.
    pub workers: Vec<WorkerStats>,

    /// How many green threads from elsewhere wait for any of these workers to begin them.
    pub unplaced: usize,
}

/// What a worker has begun, in numbers, since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerStats {
    /// How many green threads of [`spawn_anywhere`](crate::spawn_anywhere) it has begun.
    pub begun: usize,

    /// How many of them were spawned on another worker, which was busy.
    pub from_others: usize,

    /// How many were spawned on it and wait to be begun, by it or by another.
    pub waiting: usize,
}

impl From<Placed> for WorkerStats {
    fn from(placed: Placed) -> Self {
        WorkerStats {
            begun: placed.begun,
            from_others: placed.from_others,
            waiting: placed.waiting,
        }
    }
}

/// The stacks of an OS thread, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackStats {
    /// How many are in use. Those of forgotten generators and abandoned green threads count for ever.
    pub live: usize,

    /// How many are free and keep their memory, to be used next.
    pub warm: usize,

    /// How many were used, are free, and have given their memory back.
    pub cold: usize,

    /// Bytes of memory that all of them take.
    pub bytes_touched: usize,

    /// The most that were live at once, summed over the size classes.
    pub high_water: usize,
}

/// Returns what this OS thread keeps, and how the workers stand that it uses.
///
/// Does not block. It asks the kernel about every page of every stack that was ever used here: 2 ms for ten thousand stacks.
///
/// # Examples
/// ```
/// let (stop, wait) = greenthread::channel::bounded::<()>(1);
/// let parked = greenthread::spawn(move || wait.recv());
/// greenthread::yield_now();
/// assert!(greenthread::stats().stacks.live >= 1);
/// drop(stop);
/// assert!(parked.join().unwrap().is_err());
/// ```
#[must_use]
pub fn stats() -> Stats {
    let counts = pool::trim::count();
    let own = Scheduler::if_made().and_then(Scheduler::work);
    let work = own.or_else(|| of_process::work_if_made().cloned());
    let placed = work.as_deref().map(Work::placed).unwrap_or_default();
    Stats {
        workers: placed.into_iter().map(WorkerStats::from).collect(),
        unplaced: work.map_or(0, |work| work.waiting_for_any()),
        stacks: StackStats {
            live: counts.live,
            warm: counts.warm,
            cold: counts.cold,
            bytes_touched: counts.bytes_touched,
            high_water: counts.high_water,
        },
    }
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
