//! Blocking work: jobs, their handles, and the OS threads that do them.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod cancelling;
mod ending;
mod jobs;
mod threads;

use std::sync::mpsc::{self, Receiver, Sender};

use greenthread::JoinHandle;
use greenthread::blocking::Pool;

/// A job that has begun and goes on until this is told to end.
pub(crate) struct Busy {
    /// Its handle.
    pub(crate) job: JoinHandle<&'static str>,

    /// It ends when this is dropped.
    end: Sender<()>,
}

impl Busy {
    /// Occupies one OS thread of the pool.
    pub(crate) fn on(pool: &Pool) -> Self {
        Busy::with(|work| pool.spawn(work))
    }

    /// Begins a job by `spawn`, and waits until it runs.
    pub(crate) fn with(spawn: impl FnOnce(Work) -> JoinHandle<&'static str>) -> Self {
        let (begins, begun) = mpsc::channel();
        let (end, ends) = mpsc::channel();
        let job = spawn(Box::new(move || work(&begins, &ends)));
        begun.recv().expect("it begins");
        Busy { job, end }
    }

    /// Lets it end.
    pub(crate) fn end(self) -> JoinHandle<&'static str> {
        drop(self.end);
        self.job
    }
}

/// What a busy job does.
pub(crate) type Work = Box<dyn FnOnce() -> &'static str + Send>;

fn work(begins: &Sender<()>, ends: &Receiver<()>) -> &'static str {
    begins.send(()).expect("somebody waits");
    ends.recv().expect_err("nothing is sent");
    "worked to its end"
}

/// The name of the OS thread that calls.
pub(crate) fn own_name() -> String {
    String::from(std::thread::current().name().expect("a named OS thread"))
}
