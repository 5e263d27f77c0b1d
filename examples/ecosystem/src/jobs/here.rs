//! Jobs of one process, on one OS thread.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use greenthread::sync::Queue;

use super::{Error, Job, Taken};

/// How many jobs wait at most; who adds more waits too.
const WAITING: usize = 64;

/// A queue of jobs, shared by its clones.
#[derive(Clone)]
pub struct Here {
    /// What is to be done.
    queue: Rc<Queue<Job>>,

    /// What came out of it.
    results: Rc<RefCell<BTreeMap<Job, u64>>>,
}

impl Here {
    /// An empty one.
    #[expect(clippy::new_without_default, reason = "a queue is made, not defaulted")]
    pub fn new() -> Self {
        Here {
            queue: Rc::new(Queue::bounded(WAITING)),
            results: Rc::default(),
        }
    }

    /// Says that no job comes any more: workers end when the last is done.
    pub fn close(&self) {
        self.queue.close();
    }

    pub(super) fn put(&self, job: Job) -> Result<(), Error> {
        self.queue
            .put(job)
            .map_err(|closed| format!("job {} came after the end", closed.0).into())
    }

    pub(super) fn take(&self) -> Option<Taken> {
        let id = String::new();
        self.queue.get().ok().map(|job| Taken { job, id })
    }

    pub(super) fn finish(&self, taken: &Taken, result: u64) {
        self.results.borrow_mut().entry(taken.job).or_insert(result);
    }

    pub(super) fn done(&self) -> u64 {
        self.results.borrow().len() as u64
    }

    pub(super) fn total(&self) -> u64 {
        self.results.borrow().values().sum()
    }
}

impl fmt::Debug for Here {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Here")
            .field("waiting", &self.queue.len())
            .field("done", &self.done())
            .finish()
    }
}
