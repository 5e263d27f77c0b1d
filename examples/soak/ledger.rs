//! What was done, and what was wrong: shared by all kinds of work on all OS threads.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// A kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Messages of honest clients that came back whole.
    Echoes,

    /// Hostile clients that were shown the door.
    Hostile,

    /// Honest clients whom the machine kept from asking for so long that they were shown the door too.
    Late,

    /// Sleeps.
    Timers,

    /// Items through channels.
    Items,

    /// Green threads that were cancelled while they waited.
    Cancels,

    /// Panics that were kept for `join`.
    Panics,

    /// Jobs of the blocking pool.
    Jobs,

    /// Values that generators yielded.
    Yields,
}

/// All kinds.
pub(crate) const KINDS: [Kind; 9] = [
    Kind::Echoes,
    Kind::Hostile,
    Kind::Late,
    Kind::Timers,
    Kind::Items,
    Kind::Cancels,
    Kind::Panics,
    Kind::Jobs,
    Kind::Yields,
];

impl Kind {
    /// Whether a run without any is at fault.
    pub(crate) fn is_meant(self) -> bool {
        !matches!(self, Kind::Late)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Echoes => "echoes of honest clients",
            Kind::Hostile => "hostile clients turned away",
            Kind::Late => "honest clients whom the machine kept for too long",
            Kind::Timers => "sleeps",
            Kind::Items => "items through channels",
            Kind::Cancels => "cancelled waits",
            Kind::Panics => "panics kept for join",
            Kind::Jobs => "blocking jobs",
            Kind::Yields => "values of generators",
        })
    }
}

/// The counts; clones count together.
#[derive(Clone)]
pub(crate) struct Ledger(Arc<Entries>);

/// What a ledger holds.
struct Entries {
    /// When it was begun.
    begun: Instant,

    /// By kind.
    counts: [AtomicU64; KINDS.len()],

    /// Whether everybody is to come to an end.
    stopping: AtomicBool,

    /// What was wrong.
    faults: Mutex<Vec<String>>,

    /// How long each echo took that was sampled, in microseconds.
    latencies: Mutex<Vec<u32>>,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Ledger(Arc::new(Entries {
            begun: Instant::now(),
            counts: Default::default(),
            stopping: AtomicBool::new(false),
            faults: Mutex::default(),
            latencies: Mutex::default(),
        }))
    }

    pub(crate) fn add(&self, kind: Kind, count: u64) {
        self.0.counts[kind as usize].fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn count(&self, kind: Kind) -> u64 {
        self.0.counts[kind as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn total(&self) -> u64 {
        KINDS.into_iter().map(|kind| self.count(kind)).sum()
    }

    /// Notes a fault and stops everything, unless `right`.
    pub(crate) fn check(&self, right: bool, what: impl FnOnce() -> String) {
        if !right {
            self.faults_locked().push(what());
            self.stop();
        }
    }

    pub(crate) fn faults(&self) -> Vec<String> {
        self.faults_locked().clone()
    }

    pub(crate) fn has_failed(&self) -> bool {
        !self.faults_locked().is_empty()
    }

    pub(crate) fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }

    /// Notes how long an echo took.
    pub(crate) fn took(&self, latency: Duration) {
        let micros = u32::try_from(latency.as_micros()).unwrap_or(u32::MAX);
        self.latencies_locked().push(micros);
    }

    // Held for a push: no wait point comes under either lock.
    fn faults_locked(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.faults.lock().expect("nobody panics under it")
    }

    fn latencies_locked(&self) -> MutexGuard<'_, Vec<u32>> {
        self.0.latencies.lock().expect("nobody panics under it")
    }

    /// Microseconds that `share` of the echoes that were sampled took at the most.
    fn percentile(&self, share: f64) -> u32 {
        let mut sorted = self.latencies_locked().clone();
        sorted.sort_unstable();
        let place = (sorted.len() as f64 * share) as usize;
        sorted.get(place).copied().unwrap_or(0)
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.begun.elapsed().as_secs_f64();
        for kind in KINDS {
            let count = self.count(kind);
            let rate = count as f64 / seconds;
            writeln!(f, "{count:>12}  {kind} ({rate:.0} a second)")?;
        }
        write!(
            f,
            "honest echoes beside hostile clients: p50 {} us, p99 {} us",
            self.percentile(0.5),
            self.percentile(0.99)
        )
    }
}
