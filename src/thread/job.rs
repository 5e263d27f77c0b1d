//! Jobs: closures that run on the own stack of an OS thread which is not known before, behind an ordinary handle.
//!
//! ```text
//!              ┌─ a thread of the pool, in its turn ─▶ runs it ───────────────┐
//!   UNSTARTED ─┤                                                              ├─▶ ENDED ─▶ OVER, and its home is told
//!              └─ cancelled: a green thread of its home ─▶ drops the closure ─┘
//! ```
//!
//! A job is a block like a green thread's, but no scheduler takes it in. Its home is the OS thread that spawned it: there somebody drops the closure of a
//! job that was cancelled before it began (L18), runs callbacks that were added late, and counts the job as at work outside until it has ended (L8).
//!
//! - J1 Whoever changes the state from UNSTARTED, under the lock of `finish`, has begun the job and brings it to its end; a request is accepted only before,
//!   under the same lock. When the home has gone, a cancelled job is dropped by the pool in its turn.

#![expect(
    unsafe_code,
    reason = "runs what is behind a header, and makes handles"
)]

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::ptr;

use super::block::{self, After, Birth};
use super::join::JoinHandle;
use super::join_error::JoinError;
use super::leftover::end_what_was_left;
use super::local_table;
use super::report;
use crate::base::recorder;
use crate::sched::header::{Counted, Header, state};
use crate::sched::hooks::OnPanic;
use crate::sched::payload;
use crate::sched::peer::mail;
use crate::sched::scheduler::{Outside, Scheduler};
use crate::sched::token;

thread_local! {
    /// The jobs of this OS thread that have not ended, by number.
    static AT_WORK: RefCell<HashMap<u64, Outside>> = RefCell::default();
}

/// A job that waits for an OS thread: the duty to bring it to its end.
pub(crate) struct Job {
    /// The block.
    header: Counted,

    /// Where it was spawned, this is called with panics that nobody joins (L13).
    on_panic: Option<OnPanic>,
}

/// Makes a job, whose home is the OS thread that calls.
pub(crate) fn make<F, T>(site: &'static Location<'static>, f: F) -> (Job, JoinHandle<T>)
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let scheduler = Scheduler::get();
    let birth = Birth {
        by: Some(scheduler),
        home: Some(scheduler.home().clone()),
        name: None,
        site,
        stack_size: 0,
    };
    // SAFETY: `'static` borrows nothing that ends.
    let (header, handle) = unsafe { block::make(birth, move || alone(f), Attended) };
    let outside = scheduler.begin_outside();
    // In a thread-local's destructor nobody counts any more.
    let _ = AT_WORK.try_with(|jobs| jobs.borrow_mut().insert(header.id(), outside));
    let on_panic = scheduler.hooks().on_panic.borrow().clone();
    let job = Job { header, on_panic };
    // SAFETY: `make` made it with this result type, and this is its one handle.
    (job, unsafe { JoinHandle::new(handle) })
}

impl Job {
    /// Runs it on the caller's stack, which is the root of an OS thread of the pool; drops it unrun when it was cancelled.
    pub(crate) fn run(self) {
        let scheduler = Scheduler::get();
        forget_the_last_job(scheduler.current_header());
        let hooks = scheduler.hooks();
        let before = hooks.on_panic.replace(self.on_panic.clone());
        bring_to_end(&self.header, |header| {
            recorder::job_began(header.id());
            // SAFETY: J1: once, and nothing of the loop's is on this stack.
            unsafe { (header.vtable().run)(header) }
            recorder::job_ended(header.id());
        });
        hooks.on_panic.replace(before);
    }

    /// There is no OS thread to run it: drops the closure on the caller's stack, and the handle says why.
    pub(crate) fn refuse(self, error: io::Error) {
        bring_to_end(&self.header, |header| {
            // SAFETY: J1: once, and the caller is no loop.
            unsafe { (header.vtable().refuse)(header, error) }
        });
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.header.fmt(f)
    }
}

/// Ends the job by `how`, if nobody else has begun it.
fn bring_to_end(header: &Counted, how: impl FnOnce(&Header)) {
    if !begin(header) {
        return;
    }
    // SAFETY: H2: J1: we have begun it.
    let locals = unsafe { header.local() }.locals.replace(ptr::null_mut());
    // SAFETY: G1 of `local_table`: copies made for this job, which nobody has used yet.
    unsafe { local_table::instead(locals, || how(header)) };
    attend(header);
}

/// J1.
fn begin(header: &Header) -> bool {
    let _held = header.finish().lock();
    let unstarted = header.state() == state::UNSTARTED;
    if unstarted {
        header.set_state(state::STARTED);
    }
    unstarted
}

/// Runs the closure of a job on its OS thread, and leaves nothing of it behind there.
fn alone<T>(f: impl FnOnce() -> T) -> T {
    let scheduler = Scheduler::get();
    let result = catch_unwind(AssertUnwindSafe(f));
    end_what_was_left(scheduler, Scheduler::everybody);
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Takes from the root of an OS thread of the pool what somebody wanted of the job before.
fn forget_the_last_job(root: &Header) {
    if root.is_requested()
        && let Err(panic) = catch_unwind(AssertUnwindSafe(|| payload::consume(root)))
    {
        // The reason is of the user's type (L18).
        report::dropped(root, panic);
    }
    token::forget();
}

/// What a job does at its end besides: nothing, for whoever brings it there tells its home.
struct Attended;

impl After for Attended {
    const ATTEND: Option<fn(&Counted)> = Some(attend);

    fn panicked(&self, header: &Header, payload: Box<dyn std::any::Any + Send>) -> JoinError {
        JoinError::panicked(header, payload)
    }

    fn ended(self) {}
}

/// Sees to a job that was cancelled or has ended, on its home's OS thread; elsewhere it writes there. When that has gone, there is nothing to see to.
fn attend(header: &Counted) {
    let Some(scheduler) = Scheduler::of(header) else {
        header.post(mail::REQUEST);
        return;
    };
    if header.has_ended() {
        let _ = AT_WORK.try_with(|jobs| jobs.borrow_mut().remove(&header.id()));
    } else if header.is_requested() {
        let unrun = Unrun(header.clone());
        block::run_for(header, scheduler, move || drop(unrun));
    }
}

/// The request was accepted, so the job has not begun unless the pool is just dropping it: its drop, on a green thread of its home, brings it to its end.
struct Unrun(Counted);

impl Drop for Unrun {
    fn drop(&mut self) {
        bring_to_end(&self.0, |header| {
            // SAFETY: J1: once, on a green thread's own stack; the request is there, so the closure is dropped.
            unsafe { (header.vtable().run)(header) }
        });
    }
}
