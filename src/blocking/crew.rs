//! A queue of jobs and the OS threads that do them: hired while there are more jobs than hands, gone after idling for a while.
//!
//! An idle OS thread waits through the door like anybody, so that its loop serves what finds its home there meanwhile.
//!
//! Invariants:
//! - C1 While a job is queued, somebody of the crew will look: whoever queues one wakes an idle OS thread, or hires one, or all `most` are busy; and nobody
//!   leaves without a last look under the lock.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::base::lock::Lock;
use crate::sched::list::{Node, WaitList, wake_all};
use crate::sched::park::{Grant, Outcome, Waiter, deadline_in};
use crate::sched::scheduler::Scheduler;
use crate::sched::wait::Operation;
use crate::thread::job::{self, Job};
use crate::thread::join::JoinHandle;
use crate::thread::report;
use crate::thread::shield::shield;

static IDLE: Operation = Operation::new("waiting for a blocking job");

static DROP: Operation = Operation::new("blocking::Pool::drop");

thread_local! {
    /// The crew that this OS thread is of, by address; zero for others.
    static OF: Cell<usize> = const { Cell::new(0) };
}

/// Whether this OS thread is one of a crew's.
pub(super) fn works_here() -> bool {
    OF.get() != 0
}

/// What a crew is like.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// The OS threads are called this, a hyphen and a number.
    pub(crate) name: String,

    /// The most OS threads at once.
    pub(crate) most: usize,

    /// How long one that has nothing to do stays.
    pub(crate) idle: Duration,
}

/// Jobs and those who do them.
pub(crate) struct Crew {
    /// What it is like.
    terms: Terms,

    /// Who does what.
    state: Lock<State>,
}

/// Under the lock.
#[derive(Default)]
struct State {
    /// Not begun, oldest first.
    jobs: VecDeque<Job>,

    /// OS threads with nothing to do.
    idle: WaitList,

    /// How many OS threads there are.
    threads: usize,

    /// How many of them do a job.
    running: usize,

    /// How many jobs were done.
    done: u64,

    /// How many there ever were.
    hired: usize,

    /// Whether they go when the queue is empty.
    closed: bool,

    /// Waits for the last to go.
    closer: WaitList,
}

/// How a crew stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Standing {
    /// How many OS threads there are.
    pub(crate) threads: usize,

    /// How many of them do a job.
    pub(crate) running: usize,

    /// Jobs that have not begun.
    pub(crate) queued: usize,

    /// Jobs that were done.
    pub(crate) done: u64,
}

impl State {
    /// Takes the next job; whoever does that does it at once.
    fn begin(&mut self) -> Option<Job> {
        let job = self.jobs.pop_front();
        self.running += usize::from(job.is_some());
        job
    }
}

impl Crew {
    /// A crew of nobody yet.
    pub(crate) fn new(terms: Terms) -> Arc<Self> {
        let state = Lock::new(State::default());
        Arc::new(Crew { terms, state })
    }

    pub(crate) fn terms(&self) -> &Terms {
        &self.terms
    }

    /// How it stands now.
    pub(crate) fn standing(&self) -> Standing {
        let state = self.state.lock();
        Standing {
            threads: state.threads,
            running: state.running,
            queued: state.jobs.len(),
            done: state.done,
        }
    }

    /// Has `f` done.
    pub(crate) fn spawn<F, T>(
        self: &Arc<Self>,
        site: &'static Location<'static>,
        f: F,
    ) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (job, handle) = job::make(site, f);
        if let Some(number) = self.queue(job) {
            self.hire(number);
        }
        handle
    }

    /// Queues a job; the number of the OS thread that is to be hired for it, if one is (C1).
    fn queue(&self, job: Job) -> Option<usize> {
        let mut state = self.state.lock();
        state.jobs.push_back(job);
        let wake = state.idle.wake_first();
        let hires = wake.is_none() && state.threads < self.terms.most;
        if hires {
            state.threads += 1;
            state.hired += 1;
        }
        let number = state.hired;
        drop(state);
        drop(wake);
        hires.then_some(number)
    }

    fn hire(self: &Arc<Self>, number: usize) {
        let crew = Arc::clone(self);
        let name = format!("{}-{number}", self.terms.name);
        let builder = std::thread::Builder::new().name(name);
        if let Err(error) = builder.spawn(move || crew.work()) {
            self.hired_nobody(&error);
        }
    }

    /// The system gives no further OS thread. If there are others they do it in time; otherwise nobody will.
    #[cold]
    fn hired_nobody(&self, error: &io::Error) {
        let mut state = self.state.lock();
        state.threads -= 1;
        let orphans = match state.threads {
            0 => std::mem::take(&mut state.jobs),
            _ => VecDeque::new(),
        };
        drop(state);
        for job in orphans {
            let text = format!("no OS thread for a blocking job: {error}");
            job.refuse(io::Error::new(error.kind(), text));
        }
    }

    /// The life of an OS thread of the crew.
    fn work(self: Arc<Self>) {
        OF.set(self.address());
        // Shielded: whoever has got hold of this OS thread's root in a job may ask for its end at any time.
        while let Some(job) = shield(|| self.next()) {
            // A job catches what its closure raises; what is left is the drop of what somebody asked of it (L18).
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| job.run())) {
                report::caught(panic);
            }
            self.end();
        }
    }

    /// A job was done.
    fn end(&self) {
        let mut state = self.state.lock();
        state.running -= 1;
        state.done += 1;
    }

    /// The next job, waited for as long as the terms say; `None` when this OS thread is to go, and counts no more.
    fn next(&self) -> Option<Job> {
        let grant = Grant::GiveBack(Self::pass_on);
        let waiter = Waiter::new(&self.state, &IDLE, 0, grant);
        loop {
            let until = deadline_in(self.terms.idle);
            let mut state = self.state.lock();
            if let Some(job) = state.begin() {
                return Some(job);
            }
            if state.closed {
                break;
            }
            let outcome = Scheduler::get()
                .resting(|| waiter.park(state, |state| &mut state.idle, Some(until)));
            if outcome == Outcome::TimedOut {
                break;
            }
        }
        self.leave()
    }

    /// The wake of one who does not use it.
    fn pass_on(state: &Lock<State>, _: &Node) {
        let wake = state.lock().idle.wake_first();
        drop(wake);
    }

    /// The last look of C1.
    fn leave(&self) -> Option<Job> {
        let mut state = self.state.lock();
        let job = state.begin();
        if job.is_some() {
            return job;
        }
        state.threads -= 1;
        let wake = match state.threads {
            0 => state.closer.wake_first(),
            _ => None,
        };
        drop(state);
        drop(wake);
        None
    }

    /// Waits until every job is done and every OS thread has gone; no request ends that. One of the crew's own OS threads does not wait for itself.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        wake_all(&self.state, |state| &mut state.idle);
        if OF.get() == self.address() || self.state.lock().threads == 0 {
            return;
        }
        let _outside = Scheduler::get().begin_outside();
        let waiter = Waiter::protected(&self.state, &DROP, Grant::Keep);
        loop {
            let state = self.state.lock();
            if state.threads == 0 {
                return;
            }
            waiter.park(state, |state| &mut state.closer, None);
        }
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

impl fmt::Debug for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock();
        f.debug_struct("Crew")
            .field("terms", &self.terms)
            .field("threads", &state.threads)
            .field("queued", &state.jobs.len())
            .finish_non_exhaustive()
    }
}
