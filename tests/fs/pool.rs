//! A pool of one OS thread that a test can keep busy: what is handed to it then waits for its turn.

use std::io;
use std::sync::mpsc::{self, Sender};

use greenthread::fs::File;
use greenthread::{JoinHandle, Runtime, spawn_blocking};

/// Runs `f` where the blocking pool has one OS thread.
pub(crate) fn with_one_thread<T>(f: impl FnOnce() -> T) -> T {
    let runtime = Runtime::builder().blocking_threads(1);
    runtime.build().unwrap().run(f)
}

/// The pool's one OS thread, kept busy.
pub(crate) struct Busy {
    /// Dropped to let it go.
    hold: Sender<()>,

    /// What it does.
    job: JoinHandle<()>,
}

/// Keeps the pool's one OS thread busy.
pub(crate) fn busy() -> Busy {
    let (hold, held) = mpsc::channel();
    let job = spawn_blocking(move || assert!(held.recv().is_err()));
    Busy { hold, job }
}

impl Busy {
    /// Lets it go, and waits until it has gone.
    pub(crate) fn end(self) {
        drop(self.hold);
        self.job.join().unwrap();
    }
}

/// A file whose reads always go through the pool: the kernel makes up its text when it is read.
pub(crate) fn made_up() -> io::Result<File> {
    File::open("/proc/version")
}

/// Its text.
pub(crate) fn made_up_text() -> String {
    std::fs::read_to_string("/proc/version").unwrap()
}
