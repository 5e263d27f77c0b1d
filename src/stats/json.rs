//! The numbers for programs.

use std::fmt::Write;

use super::{BlockingStats, OsThreadStats, SchedulingStats, StackStats, Stats, WorkerStats};
use crate::base::json::Text;

impl Stats {
    /// Returns the numbers as JSON (RFC 8259), in one line.
    ///
    /// The schema, of version 1; fields may be added within a version. The names are those of the fields here, and every field is always there.
    ///
    /// ```text
    /// { "greenthread_stats": 1,               the version of the schema
    ///   "scheduling": S,                      all OS threads together; S is
    ///     { "alive": 2, "ready": 0, "parked": 3, "spawned": 9, "switches": 70, "yields": 5, "parks": 60,
    ///       "wakes_local": 50, "wakes_remote": 7, "polls": 12, "timers": 1, "sources": 2, "stacks": 4 }
    ///   "here": S,                            the OS thread that asked; all zero when it has no green threads
    ///   "parks": [ { "operation": "Mutex::lock", "parks": 3 } ],
    ///   "os_threads": [ { "number": 17, "name": "main" or null, "scheduling": S } ],
    ///   "workers": [ { "begun": 1, "from_others": 0, "waiting": 0, "scheduling": S } ],
    ///   "unplaced": 0,
    ///   "blocking": { "threads": 1, "idle": 1, "running": 0, "queued": 0, "done": 4 },
    ///   "stacks": { "live": 4, "warm": 0, "cold": 0, "bytes_touched": 32768, "high_water": 4 } }
    /// ```
    ///
    /// # Examples
    /// ```
    /// let json = greenthread::stats().to_json();
    /// assert!(json.starts_with("{\"greenthread_stats\":1,"));
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::from("{\"greenthread_stats\":1");
        member(&mut out, "scheduling", &scheduling(&self.scheduling));
        member(&mut out, "here", &scheduling(&self.here));
        let parks = self.parks.iter().map(|one| {
            let operation = Text(one.operation);
            format!("{{\"operation\":{operation},\"parks\":{}}}", one.parks)
        });
        member(&mut out, "parks", &list(parks));
        member(
            &mut out,
            "os_threads",
            &list(self.os_threads.iter().map(os_thread)),
        );
        member(&mut out, "workers", &list(self.workers.iter().map(worker)));
        member(&mut out, "unplaced", &self.unplaced.to_string());
        member(&mut out, "blocking", &blocking(&self.blocking));
        member(&mut out, "stacks", &stacks(&self.stacks));
        out.push('}');
        out
    }
}

fn member(out: &mut String, name: &str, value: &str) {
    // Writing to a string does not fail.
    let _ = write!(out, ",\"{name}\":{value}");
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    format!("[{}]", items.join(","))
}

/// An object of numbers.
fn numbers(of: &[(&str, u64)]) -> String {
    let members = of.iter().map(|(name, value)| format!("\"{name}\":{value}"));
    let members: Vec<String> = members.collect();
    format!("{{{}}}", members.join(","))
}

fn scheduling(of: &SchedulingStats) -> String {
    numbers(&[
        ("alive", of.alive as u64),
        ("ready", of.ready as u64),
        ("parked", of.parked as u64),
        ("spawned", of.spawned),
        ("switches", of.switches),
        ("yields", of.yields),
        ("parks", of.parks),
        ("wakes_local", of.wakes_local),
        ("wakes_remote", of.wakes_remote),
        ("polls", of.polls),
        ("timers", of.timers as u64),
        ("sources", of.sources as u64),
        ("stacks", of.stacks as u64),
    ])
}

fn os_thread(of: &OsThreadStats) -> String {
    let name = of.name.as_deref();
    let name = name.map_or("null".into(), |name| Text(name).to_string());
    let scheduling = scheduling(&of.scheduling);
    format!(
        "{{\"number\":{},\"name\":{name},\"scheduling\":{scheduling}}}",
        of.number
    )
}

fn worker(of: &WorkerStats) -> String {
    let (begun, from_others, waiting) = (of.begun, of.from_others, of.waiting);
    let scheduling = scheduling(&of.scheduling);
    format!(
        "{{\"begun\":{begun},\"from_others\":{from_others},\"waiting\":{waiting},\"scheduling\":{scheduling}}}"
    )
}

fn blocking(of: &BlockingStats) -> String {
    numbers(&[
        ("threads", of.threads as u64),
        ("idle", of.idle as u64),
        ("running", of.running as u64),
        ("queued", of.queued as u64),
        ("done", of.done),
    ])
}

fn stacks(of: &StackStats) -> String {
    numbers(&[
        ("live", of.live as u64),
        ("warm", of.warm as u64),
        ("cold", of.cold as u64),
        ("bytes_touched", of.bytes_touched as u64),
        ("high_water", of.high_water as u64),
    ])
}
