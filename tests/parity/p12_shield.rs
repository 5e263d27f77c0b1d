//! Cancelling whoever waits on a shielded job leaves the job running, so that its result can be collected later.
//!
//! `asyncio.shield(job)` is spawn and join: a cancelled join leaves the job alone. Awaiting a bare task passes the cancel on to it, which `exposed` does by hand.

use greenthread::{SharedHandle, WaitFor, catch_cancel, shield, sleep, spawn, wait};

use crate::log::say;
use crate::{Log, U, run};

fn job(log: &Log, name: &str) -> String {
    if let Err(cancelled) = catch_cancel(|| sleep(4 * U)) {
        say!(log, "{name}: cancelled");
        cancelled.resume();
    }
    say!(log, "{name}: finished");
    format!("{name} result")
}

/// `await asyncio.shield(task)`
fn shielded(target: &SharedHandle<String>) {
    let _ = target.join();
}

/// `await task`
fn exposed(target: &SharedHandle<String>) {
    if let Err(cancelled) = catch_cancel(|| target.join()) {
        target.cancel();
        let _ = shield(|| target.join());
        cancelled.resume();
    }
}

fn waiter(log: &Log, target: &SharedHandle<String>, protect: bool) {
    let waited = catch_cancel(|| {
        if protect {
            shielded(target)
        } else {
            exposed(target)
        }
    });
    if let Err(cancelled) = waited {
        say!(log, "waiter: cancelled");
        cancelled.resume();
    }
}

fn trial(log: &Log, name: &'static str, protect: bool) {
    let own_log = log.clone();
    let work = spawn(move || job(&own_log, name)).shared();
    let (own_log, target) = (log.clone(), work.clone());
    let task = spawn(move || waiter(&own_log, &target, protect));
    sleep(U);
    task.cancel();
    let task = wait([task], WaitFor::All, None).done.remove(0);
    let cancelled = task.join().is_err_and(|error| error.is_cancelled());
    let (over, how) = (
        work.is_finished(),
        if cancelled { "cancelled" } else { "done" },
    );
    say!(log, "main: waiter is {how}");
    say!(
        log,
        "main: job is {}",
        if over { "over" } else { "still running" }
    );
    match work.join() {
        Ok(value) => say!(log, "main: later got {value}"),
        Err(error) if error.is_cancelled() => say!(log, "main: later found the job cancelled"),
        Err(error) => unreachable!("{error}"),
    }
}

fn main(log: &Log) {
    trial(log, "shielded", true);
    trial(log, "exposed", false);
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/12_shield.out"));
}
