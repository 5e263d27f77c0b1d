//! A `try_scope` waits for all its children, cancels the siblings of a failure, and gives every error.

use std::cell::RefCell;

use greenthread::{catch_cancel, sleep, try_scope};

use crate::log::say;
use crate::{Log, U, run};

/// A job's name, how long it takes, and how it ends.
type Row = (&'static str, u32, &'static str);

fn job(log: &Log, row: Row, stopped: &RefCell<Vec<&'static str>>) -> Result<&'static str, String> {
    let (name, units, end) = row;
    if let Err(cancelled) = catch_cancel(|| sleep(units * U)) {
        stopped.borrow_mut().push(name);
        if end == "messy" {
            return Err(format!("{name} made a mess"));
        }
        cancelled.resume();
    }
    say!(log, "{name}: {end}");
    if end == "fails" {
        return Err(format!("{name} broke"));
    }
    Ok(name)
}

fn trial(log: &Log, title: &str, plan: &[Row], body_fails: bool) {
    say!(log, "{title}");
    let stopped = RefCell::new(Vec::new());
    let ended = try_scope(|group| {
        let tasks = plan
            .iter()
            .map(|row| group.spawn(|| job(log, *row, &stopped)));
        let tasks: Vec<_> = tasks.collect();
        sleep(U);
        if body_fails {
            return Err(String::from("body broke"));
        }
        say!(log, "body: end reached");
        let results = tasks.into_iter().map(|task| task.join().unwrap());
        Ok(results.collect::<Vec<_>>())
    });
    match ended {
        Ok(results) => say!(log, "results: {}", results.join(" ")),
        Err(errors) => say!(log, "group raised: {}", errors.all().join(", ")),
    }
    let mut stopped = stopped.take();
    stopped.sort_unstable();
    let nobody = stopped.is_empty();
    say!(
        log,
        "told to stop: {}",
        if nobody {
            String::from("nobody")
        } else {
            stopped.join(" ")
        }
    );
}

fn main(log: &Log) {
    trial(
        log,
        "all succeed",
        &[("a", 4, "ends"), ("b", 2, "ends")],
        false,
    );
    trial(
        log,
        "one fails",
        &[("c", 6, "ends"), ("d", 3, "fails")],
        false,
    );
    let mess = [("e", 3, "fails"), ("f", 6, "messy")];
    trial(log, "one fails, one makes a mess", &mess, false);
    trial(
        log,
        "body fails",
        &[("g", 5, "ends"), ("h", 6, "ends")],
        true,
    );
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/22_taskgroup.out"));
}
