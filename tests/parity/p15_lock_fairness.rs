//! A lock is handed over in request order; its last owner cannot overtake those already waiting.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use greenthread::sync::Mutex;
use greenthread::{sleep, spawn};

use crate::log::say;
use crate::{Log, U, run, yes};

fn greedy(log: &Log, lock: &Mutex<()>) {
    for turn in [1, 2] {
        let _held = lock.lock();
        say!(log, "greedy: has the lock, turn {turn}");
        sleep(3 * U);
        say!(log, "greedy: releasing");
    }
}

fn polite(log: &Log, name: &str, lock: &Mutex<()>) {
    say!(log, "{name}: asking");
    {
        let _held = lock.lock();
        say!(log, "{name}: has the lock");
        sleep(U);
    }
    say!(log, "{name}: done");
}

fn main(log: &Log) {
    let lock = Rc::new(Mutex::new(()));
    let (own_log, own_lock) = (log.clone(), Rc::clone(&lock));
    let mut tasks = vec![spawn(move || greedy(&own_log, &own_lock))];
    for name in ["p1", "p2", "p3"] {
        let (own_log, own_lock) = (log.clone(), Rc::clone(&lock));
        tasks.push(spawn(move || polite(&own_log, name, &own_lock)));
    }
    for task in tasks {
        task.join().unwrap();
    }
    say!(log, "locked at the end: {}", yes(lock.is_locked()));
    log.instead(
        "releasing a free lock is an error",
        only_a_guard_releases(&lock),
    );
    let raised = catch_unwind(AssertUnwindSafe(|| {
        let _held = lock.lock();
        resume_unwind(Box::new("inside"))
    }));
    if raised.is_err() {
        say!(
            log,
            "locked after an error inside: {}",
            yes(lock.is_locked())
        );
    }
}

/// Names that a method to release a lock without its guard would have: these here are found only as long as `Mutex` has none.
trait NoSuchMethod {
    fn release(&self) -> &'static str {
        "no method of Mutex"
    }

    fn unlock(&self) -> &'static str {
        "no method of Mutex"
    }
}

impl NoSuchMethod for Mutex<()> {}

/// In place of the error: the only release is to drop the guard, once; after that the lock is free and can be taken.
fn only_a_guard_releases(lock: &Mutex<()>) -> bool {
    let guard = lock.try_lock().expect("nobody holds it");
    let held = lock.is_locked() && lock.try_lock().is_none();
    drop(guard);
    let free = !lock.is_locked() && lock.try_lock().is_some();
    held && free && lock.release() == "no method of Mutex" && lock.unlock() == "no method of Mutex"
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/15_lock_fairness.out"));
}
