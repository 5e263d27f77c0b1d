//! The numbers that are told.

use crate::blocking::crew;
use crate::sched::counts::Standing;
use crate::sched::work::Placed;
use crate::stack::pool::trim;

/// What goes on in the process and on this OS thread, in numbers; made by [`stats()`](crate::stats()).
///
/// [`to_prometheus`](Self::to_prometheus) writes it for Prometheus, [`to_json`](Self::to_json) for programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// The green threads and event loops of all OS threads of the process together. What only grows counts those OS threads too that have gone.
    pub scheduling: SchedulingStats,

    /// The same of the OS thread that asks; all zero before it has used the crate.
    pub here: SchedulingStats,

    /// Where green threads and roots of the process parked so far, and how often: wait points at which nobody did are not listed.
    pub parks: Vec<ParkStats>,

    /// Every OS thread that has a scheduler, in no order.
    pub os_threads: Vec<OsThreadStats>,

    /// The stacks of the OS thread that asks: of green threads, generators, `grow` and the event loop.
    pub stacks: StackStats,

    /// The workers that [`spawn_anywhere`](crate::spawn_anywhere) uses here, by number; none while there are none.
    pub workers: Vec<WorkerStats>,

    /// How many green threads from elsewhere wait for any of these workers to begin them.
    pub unplaced: usize,

    /// The pool that does the jobs that [`spawn_blocking`](crate::spawn_blocking) is given here; all zero while there is none.
    pub blocking: BlockingStats,
}

/// Green threads and their event loop, in numbers. What only grows counts from the first use of the crate on that OS thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchedulingStats {
    /// How many green threads have begun or are to begin, and have not ended.
    pub alive: usize,

    /// How many green threads stand in line to be run: the depth of the run queue. The root too, when it does.
    pub ready: usize,

    /// How many green threads wait at a wait point. The root too, when it does.
    pub parked: usize,

    /// How many green threads were spawned here, or were spawned elsewhere and have come here. Grows only.
    pub spawned: u64,

    /// How often an event loop gave its OS thread to somebody: to a green thread, or back to the root. Grows only.
    pub switches: u64,

    /// How often somebody let the others go first ([`yield_now`](crate::yield_now)). Grows only.
    pub yields: u64,

    /// How often a green thread or a root stopped at a wait point. Grows only.
    pub parks: u64,

    /// How many waits were ended on their own OS thread: by its green threads, its timers, its sockets. Grows only.
    pub wakes_local: u64,

    /// How many waits were ended by another OS thread. Grows only.
    pub wakes_remote: u64,

    /// How often the kernel was asked which sources are ready, with or without waiting. Grows only.
    pub polls: u64,

    /// How many timers are set: of sleeps, of waits with a limit, of [`timeout`](crate::timeout).
    pub timers: usize,

    /// How many sockets, pipes and the like the event loop watches.
    pub sources: usize,

    /// How many stacks are in use: of green threads, generators, `grow`, and two for the event loop itself.
    pub stacks: usize,
}

impl From<&Standing> for SchedulingStats {
    fn from(standing: &Standing) -> Self {
        SchedulingStats {
            alive: standing.alive as usize,
            ready: standing.ready as usize,
            parked: standing.parked as usize,
            spawned: standing.spawns,
            switches: standing.switches,
            yields: standing.yields(),
            parks: standing.parks(),
            wakes_local: standing.wakes_local(),
            wakes_remote: standing.wakes_remote,
            polls: standing.polls,
            timers: standing.timers as usize,
            sources: standing.sources as usize,
            stacks: standing.stacks as usize,
        }
    }
}

/// A wait point, and how often somebody stopped there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParkStats {
    /// What it is called, as dumps call it: `"Mutex::lock"`.
    pub operation: &'static str,

    /// How often somebody parked there. Grows only.
    pub parks: u64,
}

impl From<(&'static str, u64)> for ParkStats {
    fn from((operation, parks): (&'static str, u64)) -> Self {
        ParkStats { operation, parks }
    }
}

/// An OS thread that has a scheduler, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OsThreadStats {
    /// The kernel's number for it; zero where that is not known.
    pub number: i32,

    /// Its name, if it has one.
    pub name: Option<String>,

    /// Its green threads and its event loop.
    pub scheduling: SchedulingStats,
}

/// A blocking pool, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockingStats {
    /// How many OS threads it has.
    pub threads: usize,

    /// How many of them do nothing now.
    pub idle: usize,

    /// How many jobs are being done. One whose handle says that it is done may be counted for a moment more.
    pub running: usize,

    /// How many jobs have not begun.
    pub queued: usize,

    /// How many jobs were done. Grows only.
    pub done: u64,
}

impl From<crew::Standing> for BlockingStats {
    fn from(standing: crew::Standing) -> Self {
        BlockingStats {
            threads: standing.threads,
            idle: standing.threads.saturating_sub(standing.running),
            running: standing.running,
            queued: standing.queued,
            done: standing.done,
        }
    }
}

/// A worker, in numbers, since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerStats {
    /// How many green threads of [`spawn_anywhere`](crate::spawn_anywhere) it has begun.
    pub begun: usize,

    /// How many of them were spawned on another worker, which was busy.
    pub from_others: usize,

    /// How many were spawned on it and wait to be begun, by it or by another.
    pub waiting: usize,

    /// Its green threads and its event loop, as it last noted them.
    pub scheduling: SchedulingStats,
}

impl WorkerStats {
    pub(super) fn new(placed: Placed, scheduling: SchedulingStats) -> Self {
        WorkerStats {
            begun: placed.begun,
            from_others: placed.from_others,
            waiting: placed.waiting,
            scheduling,
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

impl From<trim::Counts> for StackStats {
    fn from(counts: trim::Counts) -> Self {
        StackStats {
            live: counts.live,
            warm: counts.warm,
            cold: counts.cold,
            bytes_touched: counts.bytes_touched,
            high_water: counts.high_water,
        }
    }
}
