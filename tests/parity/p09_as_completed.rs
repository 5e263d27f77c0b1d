//! `as_completed` hands results over in finishing order, errors included; a timeout around it leaves the jobs running.

use greenthread::{JoinHandle, as_completed, sleep, spawn, time, timeout_at};

use crate::log::say;
use crate::{Log, U, run};

type Outcome = Result<&'static str, String>;

fn job(log: &Log, name: &'static str, units: u32, fail: bool) -> Outcome {
    sleep(units * U);
    if fail {
        return Err(format!("{name} failed"));
    }
    say!(log, "{name}: ends");
    Ok(name)
}

fn create_task(log: &Log, name: &'static str, units: u32, fail: bool) -> JoinHandle<Outcome> {
    let log = log.clone();
    spawn(move || job(&log, name, units, fail))
}

fn main(log: &Log) {
    let jobs = [
        create_task(log, "third", 5, false),
        create_task(log, "first", 1, false),
        create_task(log, "second", 3, true),
    ];
    for result in as_completed(jobs) {
        match result.unwrap() {
            Ok(value) => say!(log, "main: received {value}"),
            Err(error) => say!(log, "main: received an error, {error}"),
        }
    }

    let late = create_task(log, "late", 5, false);
    let soon = create_task(log, "soon", 1, false);
    let deadline = time::now() + 3 * U;
    let mut completed = as_completed([late, soon]);
    while let Ok(Some(result)) = timeout_at(deadline, || completed.next()) {
        say!(log, "main: received {}", result.unwrap().unwrap());
    }
    let late = completed.into_pending().remove(0);
    let done = late.is_finished();
    say!(
        log,
        "main: ran out of time, late is {}",
        if done { "done" } else { "still running" }
    );
    say!(
        log,
        "main: later received {}",
        late.join().unwrap().unwrap()
    );
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/09_as_completed.out"));
}
