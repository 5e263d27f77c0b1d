//! Callbacks run once, in the order added, before a later joiner resumes, for success, error and cancel alike.

use greenthread::{JoinError, WaitFor, sleep, spawn, wait};

use crate::log::say;
use crate::{Log, U, run};

type Ended = Result<Result<i32, &'static str>, JoinError>;

fn job(fail: bool) -> Result<i32, &'static str> {
    sleep(U);
    if fail { Err("no good") } else { Ok(42) }
}

fn describe(ended: &Ended) -> String {
    match ended {
        Ok(Ok(value)) => format!("value {value}"),
        Ok(Err(error)) => format!("error {error}"),
        Err(error) if error.is_cancelled() => String::from("cancelled"),
        Err(error) => unreachable!("{error}"),
    }
}

/// The callback with this label and count.
fn report(log: &Log, label: &'static str, count: i32) -> impl FnOnce(&Ended) + Send + 'static {
    let log = log.clone();
    move |ended| say!(log, "callback {label} {count}: {}", describe(ended))
}

fn trial(log: &Log, title: &str, fail: bool, cancel: bool) {
    say!(log, "{title}");
    let task = spawn(move || job(fail));
    for (label, count) in [("one", 1), ("two", 2), ("three", 3)] {
        task.on_finish(report(log, label, count));
    }
    let extra = task.on_finish(report(log, "removed", 0));
    let removed = i32::from(task.remove_on_finish(extra));
    say!(log, "removed callbacks: {removed}");
    if cancel {
        task.cancel();
    }
    let task = wait([task], WaitFor::All, None).done.remove(0);
    say!(log, "awaiter resumes: {}", describe(&task.join()));
}

fn main(log: &Log) {
    trial(log, "success", false, false);
    trial(log, "error", true, false);
    trial(log, "cancel", false, true);
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/13_done_callbacks.out"));
}
