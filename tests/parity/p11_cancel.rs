//! What cancel does to a green thread that is unstarted, sleeping, cleaning up, refusing to stop, or already finished.

use greenthread::{catch_cancel, sleep, spawn};

use crate::log::say;
use crate::{Log, U, run};

#[derive(Clone, Copy, Default)]
struct Options {
    cleanup: u32,
    swallow: bool,
}

fn sleeper(log: &Log, name: &str, options: Options) -> &'static str {
    say!(log, "{name}: running");
    let slept = catch_cancel(|| sleep(20 * U));
    if slept.is_err() {
        say!(log, "{name}: sees the cancel");
    }
    // Python's `finally`: the cancel was consumed, so waiting is as ever.
    sleep(options.cleanup * U);
    say!(log, "{name}: cleanup over");
    match slept {
        Err(cancelled) if !options.swallow => cancelled.resume(),
        _ => "a value all the same",
    }
}

fn trial(log: &Log, name: &'static str, wait_first: bool, options: Options) {
    let own_log = log.clone();
    let task = spawn(move || sleeper(&own_log, name, options));
    let thread = task.thread().clone();
    if wait_first {
        sleep(U);
    }
    let answer = |accepted| if accepted { "accepted" } else { "refused" };
    say!(log, "main: cancel {name}, {}", answer(task.cancel()));
    let over = task.is_finished();
    say!(
        log,
        "main: {name} is {}",
        if over { "over" } else { "not over yet" }
    );
    let ended = task.join();
    match &ended {
        Ok(value) => say!(log, "main: got {value}"),
        Err(error) if error.is_cancelled() => {
            say!(log, "main: awaiting {name} raised CancelledError");
        }
        Err(error) => unreachable!("{error}"),
    }
    say!(
        log,
        "main: {name} ended as {}",
        if ended.is_err() {
            "cancelled"
        } else {
            "finished"
        }
    );
    say!(log, "main: cancel again, {}", answer(thread.cancel()));
}

fn main(log: &Log) {
    let plain = Options::default();
    trial(log, "unstarted", false, plain);
    trial(log, "asleep", true, plain);
    trial(
        log,
        "tidy",
        true,
        Options {
            cleanup: 2,
            ..plain
        },
    );
    trial(
        log,
        "stubborn",
        true,
        Options {
            swallow: true,
            ..plain
        },
    );
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/11_cancel.out"));
}
