//! Which handles `wait` gives back as done or pending in each of its modes; a timeout cancels nothing.

use std::panic::resume_unwind;

use greenthread::{Builder, JoinHandle, WaitFor, Waited, gather, sleep, wait};

use crate::log::say;
use crate::{Log, U, run};

fn job(units: u32, fail: bool) {
    sleep(units * U);
    if fail {
        resume_unwind(Box::new("planned failure"));
    }
}

fn start() -> [JoinHandle<()>; 3] {
    let plan = [("quick", 1, false), ("broken", 3, true), ("slow", 5, false)];
    plan.map(|(name, units, fail)| {
        let task = Builder::new().name(name.into());
        task.spawn(move || job(units, fail)).unwrap()
    })
}

fn name(task: &JoinHandle<()>) -> String {
    task.thread().name().unwrap_or_default().to_owned()
}

fn show(log: &Log, label: &str, waited: &Waited<()>) {
    let [done, pending] = [&waited.done, &waited.pending].map(|group| {
        let mut names: Vec<String> = group.iter().map(name).collect();
        names.sort();
        if names.is_empty() {
            String::from("none")
        } else {
            names.join(" ")
        }
    });
    say!(log, "{label}: done {done}, pending {pending}");
}

/// Says the names of those that ended so, behind `label`.
fn say_ended(
    log: &Log,
    label: &str,
    tasks: Vec<JoinHandle<()>>,
    so: fn(&greenthread::JoinError) -> bool,
) {
    let names: Vec<String> = tasks.iter().map(name).collect();
    let ended = names.iter().zip(gather(tasks));
    let line = ended.filter(|(_, result)| result.as_ref().is_err_and(so));
    let line: String = line.map(|(name, _)| format!(" {name}")).collect();
    say!(log, "{label}:{line}");
}

fn main(log: &Log) {
    let modes = [
        ("first completed", WaitFor::First),
        ("first exception", WaitFor::FirstError),
        ("all completed", WaitFor::All),
    ];
    for (label, mode) in modes {
        let waited = wait(start(), mode, None);
        show(log, label, &waited);
        say_ended(log, "failed", waited.done, |error| error.is_panic());
        for task in &waited.pending {
            task.cancel();
        }
        say_ended(log, "cancelled by main", waited.pending, |error| {
            error.is_cancelled()
        });
    }
    let waited = wait(start(), WaitFor::All, Some(2 * U));
    show(log, "timeout", &waited);
    let tasks = waited.done.into_iter().chain(waited.pending);
    let waited = wait(tasks, WaitFor::All, None);
    show(log, "no timeout", &waited);
    say_ended(log, "failed", waited.done, |error| error.is_panic());
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/08_wait_modes.out"));
}
