//! The program itself: the example `timeline` records and draws it too.

use greenthread::{Builder, JoinHandle, sleep};

use crate::log::say;
use crate::{Log, U};

fn worker(log: &Log, name: &str) -> String {
    say!(log, "{name}: start");
    sleep(4 * U);
    say!(log, "{name}: after the long sleep");
    sleep(2 * U);
    say!(log, "{name}: end");
    format!("{name} result")
}

fn create_task(log: &Log, name: &'static str) -> JoinHandle<String> {
    let log = log.clone();
    let task = Builder::new().name(name.into());
    let task = task.spawn(move || worker(&log, name));
    task.expect("there is a stack for it")
}

pub(crate) fn main(log: &Log, run: i32) -> i32 {
    say!(log, "run {run}: main begins");
    let task1 = create_task(log, "task1");
    let task2 = create_task(log, "task2");
    say!(log, "main: both tasks created, none has run");
    say!(log, "main: awaited {}", task2.join().unwrap());
    let done = task1.is_finished();
    say!(
        log,
        "main: task1 is {}",
        if done {
            "already done"
        } else {
            "still running"
        }
    );
    say!(log, "main: awaited {}", task1.join().unwrap());
    run * 10
}
