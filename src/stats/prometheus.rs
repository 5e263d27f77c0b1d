//! The numbers in the text format that Prometheus reads, version 0.0.4 (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::fmt::{self, Display, Write};

use super::{SchedulingStats, Stats};

/// Whether a number only grows.
#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
}

/// What one number of [`SchedulingStats`] is called and where it stands.
struct Family {
    /// After the prefix; what only grows ends in `_total`.
    name: &'static str,

    /// Whether it does.
    kind: Kind,

    /// What it is, in words.
    help: &'static str,

    /// Where it stands.
    of: fn(&SchedulingStats) -> u64,
}

/// All of them.
const FAMILIES: [Family; 13] = [
    family(
        "green_threads",
        Kind::Gauge,
        "Green threads that have not ended.",
        |s| s.alive as u64,
    ),
    family(
        "ready",
        Kind::Gauge,
        "Green threads and roots in line to be run.",
        |s| s.ready as u64,
    ),
    family(
        "parked",
        Kind::Gauge,
        "Green threads and roots that wait.",
        |s| s.parked as u64,
    ),
    family(
        "spawns_total",
        Kind::Counter,
        "Green threads that were spawned.",
        |s| s.spawned,
    ),
    family(
        "switches_total",
        Kind::Counter,
        "Times that an event loop gave its OS thread to somebody.",
        |s| s.switches,
    ),
    family(
        "yields_total",
        Kind::Counter,
        "Times that somebody let the others go first.",
        |s| s.yields,
    ),
    family(
        "parks_total",
        Kind::Counter,
        "Times that somebody stopped at a wait point.",
        |s| s.parks,
    ),
    family(
        "wakes_local_total",
        Kind::Counter,
        "Waits that were ended on their own OS thread.",
        |s| s.wakes_local,
    ),
    family(
        "wakes_remote_total",
        Kind::Counter,
        "Waits that were ended by another OS thread.",
        |s| s.wakes_remote,
    ),
    family(
        "polls_total",
        Kind::Counter,
        "Times that the kernel was asked which sources are ready.",
        |s| s.polls,
    ),
    family("timers", Kind::Gauge, "Timers that are set.", |s| {
        s.timers as u64
    }),
    family(
        "sources",
        Kind::Gauge,
        "Sockets, pipes and the like that event loops watch.",
        |s| s.sources as u64,
    ),
    family("stacks", Kind::Gauge, "Stacks in use.", |s| s.stacks as u64),
];

const fn family(
    name: &'static str,
    kind: Kind,
    help: &'static str,
    of: fn(&SchedulingStats) -> u64,
) -> Family {
    Family {
        name,
        kind,
        help,
        of,
    }
}

impl Stats {
    /// Returns the numbers in Prometheus' text format, version 0.0.4.
    ///
    /// Serve it as `text/plain; version=0.0.4`. What only grows ends in `_total`, bytes in `_bytes`; the rest are numbers of things. Each name has its `HELP` line.
    ///
    /// | names | of what |
    /// |---|---|
    /// | `greenthread_green_threads`, `_ready`, `_parked`, `_timers`, `_sources`, `_stacks`; `_spawns_total`, `_switches_total`, `_yields_total`, `_parks_total`, `_wakes_local_total`, `_wakes_remote_total`, `_polls_total` | [`scheduling`](Self::scheduling): all OS threads together |
    /// | `greenthread_operation_parks_total{operation="Mutex::lock"}` | [`parks`](Self::parks) |
    /// | `greenthread_worker_` and the names of the first row, `{worker="0"}`; `greenthread_worker_begun_total`, `_taken_from_others_total`, `_waiting` | [`workers`](Self::workers) |
    /// | `greenthread_unplaced` | [`unplaced`](Self::unplaced) |
    /// | `greenthread_blocking_threads`, `_idle_threads`, `_jobs_running`, `_jobs_queued`, `_jobs_done_total` | [`blocking`](Self::blocking) |
    /// | `greenthread_stack_pool_live`, `_warm`, `_cold`, `_high_water`, `_resident_bytes` | [`stacks`](Self::stacks): the OS thread that asks |
    ///
    /// # Examples
    /// ```
    /// greenthread::spawn(|| ()).join().unwrap();
    /// let text = greenthread::stats().to_prometheus();
    /// assert!(text.contains("\n# TYPE greenthread_switches_total counter\ngreenthread_switches_total "));
    /// ```
    #[must_use]
    pub fn to_prometheus(&self) -> String {
        let mut page = Page::default();
        for family in &FAMILIES {
            page.one(
                family.name,
                family.kind,
                family.help,
                (family.of)(&self.scheduling),
            );
        }
        page.parks(self);
        page.workers(self);
        page.blocking(self);
        page.stacks(self);
        page.text
    }
}

/// What is written so far.
#[derive(Default)]
struct Page {
    /// The text.
    text: String,
}

impl Page {
    fn line(&mut self, line: fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.text.write_fmt(line);
        self.text.push('\n');
    }

    fn head(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        self.line(format_args!("# HELP greenthread_{name} {help}"));
        self.line(format_args!("# TYPE greenthread_{name} {kind}"));
    }

    fn one(&mut self, name: &str, kind: Kind, help: &str, value: impl Display) {
        self.head(name, kind, help);
        self.line(format_args!("greenthread_{name} {value}"));
    }

    fn gauge(&mut self, name: &str, help: &str, value: usize) {
        self.one(name, Kind::Gauge, help, value);
    }

    /// One family with a number for each worker.
    fn each_worker(
        &mut self,
        stats: &Stats,
        (name, kind, help): (&str, Kind, &str),
        of: impl Fn(&super::WorkerStats) -> u64,
    ) {
        self.head(name, kind, help);
        for (number, worker) in stats.workers.iter().enumerate() {
            let value = of(worker);
            self.line(format_args!(
                "greenthread_{name}{{worker=\"{number}\"}} {value}"
            ));
        }
    }

    fn parks(&mut self, stats: &Stats) {
        let name = "operation_parks_total";
        self.head(
            name,
            Kind::Counter,
            "Times that somebody stopped at this wait point.",
        );
        for one in &stats.parks {
            // The names are our own, without quotes and backslashes.
            let (operation, parks) = (one.operation, one.parks);
            self.line(format_args!(
                "greenthread_{name}{{operation=\"{operation}\"}} {parks}"
            ));
        }
    }

    fn workers(&mut self, stats: &Stats) {
        for family in &FAMILIES {
            let name = format!("worker_{}", family.name);
            self.each_worker(stats, (&name, family.kind, family.help), |worker| {
                (family.of)(&worker.scheduling)
            });
        }
        let begun = (
            "worker_begun_total",
            Kind::Counter,
            "Green threads from anywhere that it has begun.",
        );
        self.each_worker(stats, begun, |worker| worker.begun as u64);
        let taken = (
            "worker_taken_from_others_total",
            Kind::Counter,
            "Those of them that waited at another worker.",
        );
        self.each_worker(stats, taken, |worker| worker.from_others as u64);
        let waiting = (
            "worker_waiting",
            Kind::Gauge,
            "Green threads that wait at this worker to be begun.",
        );
        self.each_worker(stats, waiting, |worker| worker.waiting as u64);
        self.gauge(
            "unplaced",
            "Green threads that wait for any worker to begin them.",
            stats.unplaced,
        );
    }

    fn blocking(&mut self, stats: &Stats) {
        let pool = &stats.blocking;
        self.gauge(
            "blocking_threads",
            "OS threads of the blocking pool.",
            pool.threads,
        );
        self.gauge(
            "blocking_idle_threads",
            "OS threads of the blocking pool that do nothing.",
            pool.idle,
        );
        self.gauge(
            "blocking_jobs_running",
            "Blocking jobs that are being done.",
            pool.running,
        );
        self.gauge(
            "blocking_jobs_queued",
            "Blocking jobs that have not begun.",
            pool.queued,
        );
        self.one(
            "blocking_jobs_done_total",
            Kind::Counter,
            "Blocking jobs that were done.",
            pool.done,
        );
    }

    fn stacks(&mut self, stats: &Stats) {
        let stacks = &stats.stacks;
        self.gauge(
            "stack_pool_live",
            "Stacks of this OS thread in use.",
            stacks.live,
        );
        self.gauge(
            "stack_pool_warm",
            "Free stacks of this OS thread that keep their memory.",
            stacks.warm,
        );
        self.gauge(
            "stack_pool_cold",
            "Free stacks of this OS thread without memory.",
            stacks.cold,
        );
        self.gauge(
            "stack_pool_high_water",
            "The most stacks of this OS thread that were in use at once.",
            stacks.high_water,
        );
        self.gauge(
            "stack_pool_resident_bytes",
            "Memory of the stacks of this OS thread.",
            stacks.bytes_touched,
        );
    }
}
