//! A semaphore bounds how many jobs run at once and admits waiters in order; its bounded kind rejects over-release.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use greenthread::sync::Semaphore;
use greenthread::{JoinHandle, sleep, spawn};

use crate::log::say;
use crate::{Log, U, run};

#[derive(Debug, Default)]
struct State {
    /// How many jobs are in.
    active: Cell<u32>,

    /// The most that ever were.
    peak: Cell<u32>,
}

fn job(log: &Log, n: u32, sem: &Semaphore, state: &State) {
    let _permit = sem.acquire();
    state.active.set(state.active.get() + 1);
    state.peak.set(state.peak.get().max(state.active.get()));
    say!(log, "job {n}: in, {} active", state.active.get());
    sleep(if n < 3 { (2 * n + 1) * U } else { 4 * U });
    state.active.set(state.active.get() - 1);
    say!(log, "job {n}: out");
}

fn create_job(log: &Log, n: u32, sem: &Rc<Semaphore>, state: &Rc<State>) -> JoinHandle<()> {
    let (log, sem, state) = (log.clone(), Rc::clone(sem), Rc::clone(state));
    spawn(move || job(&log, n, &sem, &state))
}

fn full(sem: &Semaphore) -> &'static str {
    if sem.available() == 0 { "full" } else { "open" }
}

fn main(log: &Log) {
    let sem = Rc::new(Semaphore::new(2));
    let state = Rc::new(State::default());
    let jobs = [1, 2, 3, 4, 5].map(|n| create_job(log, n, &sem, &state));
    for job in jobs {
        job.join().unwrap();
    }
    say!(log, "most at once: {}", state.peak.get());
    sem.release(1);
    for _ in 0..3 {
        sem.acquire().forget();
    }
    say!(
        log,
        "an extra release made room for three, now {}",
        full(&sem)
    );

    let bounded = Semaphore::bounded(1);
    {
        let _permit = bounded.acquire();
        say!(log, "bounded is {}", full(&bounded));
    }
    if catch_unwind(AssertUnwindSafe(|| bounded.release(1))).is_err() {
        say!(log, "bounded: one release too many is an error");
    }
    log.instead("a negative start value is an error", no_start_is_negative());
}

/// In place of the error: a start value is a `usize`, which no negative number becomes; the least admits nobody.
fn no_start_is_negative() -> bool {
    let new: fn(usize) -> Semaphore = Semaphore::new;
    usize::try_from(-1).is_err() && new(usize::MIN).try_acquire().is_none()
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/17_semaphore.out"));
}
