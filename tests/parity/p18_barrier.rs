//! A barrier holds everyone until the last party arrives, numbers arrivals, can be reused, and breaks on abort.

use std::cell::RefCell;
use std::rc::Rc;

use greenthread::sync::{Barrier, Broken};
use greenthread::{gather, sleep, spawn};

use crate::log::say;
use crate::{Log, U, run};

/// Turn, position and name of those who went through.
type Passed = RefCell<Vec<(u32, usize, &'static str)>>;

fn party(log: &Log, name: &'static str, units: u32, barrier: &Barrier, passed: &Passed) {
    for turn in [1, 2] {
        sleep(units * U);
        let waiting = barrier.waiting();
        say!(
            log,
            "{name}: arrives, turn {turn}, {waiting} waiting already"
        );
        let met = barrier.wait().unwrap();
        passed.borrow_mut().push((turn, met.position(), name));
    }
}

fn doomed(name: &str, barrier: &Barrier) -> String {
    match barrier.wait() {
        Err(Broken) => format!("{name} found it broken"),
        Ok(met) => format!("{name} went through: {met:?}"),
    }
}

fn state(barrier: &Barrier) -> &'static str {
    if barrier.is_broken() {
        "broken"
    } else {
        "sound"
    }
}

fn main(log: &Log) {
    let (barrier, passed) = (Rc::new(Barrier::new(3)), Rc::new(Passed::default()));
    let parties = [("a", 3), ("b", 5), ("c", 1)].map(|(name, units)| {
        let (log, barrier, passed) = (log.clone(), Rc::clone(&barrier), Rc::clone(&passed));
        spawn(move || party(&log, name, units, &barrier, &passed))
    });
    for ended in gather(parties) {
        ended.unwrap();
    }
    passed.borrow_mut().sort_unstable();
    for (turn, index, name) in passed.borrow().iter() {
        say!(log, "turn {turn}: position {index} was {name}");
    }
    let tasks = ["d", "e"].map(|name| {
        let barrier = Rc::clone(&barrier);
        spawn(move || doomed(name, &barrier))
    });
    sleep(U);
    barrier.abort();
    for found in gather(tasks) {
        say!(log, "{}", found.unwrap());
    }
    say!(log, "{}", doomed("f", &barrier));
    say!(log, "state: {}", state(&barrier));
    barrier.reset();
    say!(log, "state after reset: {}", state(&barrier));
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/18_barrier.out"));
}
