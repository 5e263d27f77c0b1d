//! Plain calls run jobs one after another; gather overlaps them and gives results in argument order.

use greenthread::{JoinHandle, WaitFor, gather, sleep, spawn, wait};

use crate::log::say;
use crate::{Log, U, run};

fn job(log: &Log, name: &str, units: u32) -> String {
    say!(log, "{name}: start");
    sleep(units * U);
    say!(log, "{name}: finish");
    name.to_uppercase()
}

fn create_task(log: &Log, name: &'static str, units: u32) -> JoinHandle<String> {
    let log = log.clone();
    spawn(move || job(&log, name, units))
}

fn gathered<const N: usize>(tasks: [JoinHandle<String>; N]) -> String {
    let results: Vec<String> = gather(tasks).into_iter().map(Result::unwrap).collect();
    results.join(" ")
}

fn main(log: &Log) {
    say!(log, "one after another");
    let first = job(log, "slow", 3);
    let second = job(log, "fast", 1);
    say!(log, "results {first} {second}");
    say!(log, "gathered");
    let both = [create_task(log, "slow", 3), create_task(log, "fast", 1)];
    say!(log, "results {}", gathered(both));
    say!(log, "gathered with a task and a finished task");
    let mut ready = wait([create_task(log, "early", 0)], WaitFor::All, None).done;
    let task = create_task(log, "task", 2);
    let all = [create_task(log, "last", 1), task, ready.remove(0)];
    say!(log, "results {}", gathered(all));
    let nothing = gather::<String>([]);
    say!(log, "gathering nothing gives {} results", nothing.len());
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/06_sequential_vs_gather.out"));
}
