//! What the files of this test share.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, ThreadId};

use greenthread::{JoinHandle, Runtime, spawn_anywhere};

/// A runtime with so many workers.
pub(crate) fn with_workers(count: usize) -> Runtime {
    Runtime::builder().workers(count).build().unwrap()
}

/// Runs `f` in the `run` of a runtime with so many workers.
pub(crate) fn on_workers<T>(count: usize, f: impl FnOnce() -> T) -> T {
    with_workers(count).run(f)
}

/// The OS thread that calls.
pub(crate) fn here() -> ThreadId {
    thread::current().id()
}

/// The name of the OS thread that calls.
pub(crate) fn own_name() -> String {
    String::from(thread::current().name().unwrap_or("unnamed"))
}

/// A worker that is held by a green thread which blocks its OS thread.
pub(crate) struct Held {
    /// The green thread.
    handle: JoinHandle<()>,

    /// Which worker it is.
    pub(crate) worker: ThreadId,

    /// It goes on when this is dropped.
    end: Sender<()>,
}

impl Held {
    /// Holds a worker, and waits until it is held.
    pub(crate) fn one() -> Self {
        Held::one_that_first(|| ())
    }

    /// The same; the green thread first does `work` there.
    pub(crate) fn one_that_first(work: impl FnOnce() + Send + 'static) -> Self {
        let (tell, told) = mpsc::channel();
        let (end, ends) = mpsc::channel();
        let handle = spawn_anywhere(move || hold(work, &tell, &ends));
        let worker = told.recv().expect("it begins");
        Held {
            handle,
            worker,
            end,
        }
    }

    /// Lets the worker go on.
    pub(crate) fn let_go(self) {
        drop(self.end);
        self.handle.join().unwrap();
    }
}

fn hold(work: impl FnOnce(), tell: &Sender<ThreadId>, ends: &Receiver<()>) {
    work();
    tell.send(here()).expect("somebody waits");
    // The OS thread itself waits, so nobody else runs on this worker.
    let _ = ends.recv();
}
