//! A blocking call handed to an executor lets other tasks run meanwhile, and its result or error comes back to the awaiter.
//!
//! In real time: a virtual clock stands while a blocking job runs. Where Python's call sleeps for longer than the ticker needs, this one waits for the ticker.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, ThreadId};

use greenthread::blocking::Pool;
use greenthread::{gather, run, sleep, spawn, spawn_blocking};

use crate::log::say;
use crate::{Log, U};

fn blocking(n: i32, loop_thread: ThreadId, ticker: Option<&Receiver<()>>) -> (i32, bool) {
    if let Some(ticker) = ticker {
        ticker.recv().unwrap_err();
    }
    (n * n, thread::current().id() != loop_thread)
}

fn failing() -> io::Result<()> {
    Err(io::Error::other("disk on strike"))
}

fn ticker(log: &Log, done: Sender<()>) {
    for n in [1, 2, 3] {
        say!(log, "tick {n}");
        sleep(U);
    }
    drop(done);
}

fn main(log: &Log) {
    let here = thread::current().id();
    let (done, ticked) = mpsc::channel();
    let own = log.clone();
    let ticks = spawn(move || ticker(&own, done));
    let job = spawn_blocking(move || blocking(7, here, Some(&ticked)));
    let (value, other) = job.join().unwrap();
    let place = if other { "another" } else { "the same" };
    say!(log, "blocking gave {value} on {place} thread");
    let state = if ticks.is_finished() {
        "done"
    } else {
        "held up"
    };
    say!(log, "ticker is {state}");

    let pool = Pool::new(2);
    let jobs = [1, 2].map(|n| pool.spawn(move || blocking(n, here, None)));
    let values = gather(jobs).into_iter().map(|job| job.unwrap().0);
    let values: Vec<String> = values.map(|value| value.to_string()).collect();
    say!(log, "pool gave {}", values.join(" "));
    if let Err(err) = pool.spawn(failing).join().unwrap() {
        say!(log, "executor raised: {err}");
    }
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/23_executor.out"));
}
