//! Roots under the model checker: what waits is a thread of loom's, and everything else is the real thing.
//!
//! Stacks cannot be switched there, and need not be: a root that waits runs its OS thread's loop. So each thread of a model has a real scheduler with nobody on it but
//! the root, and the one thing that differs is that the loop runs on the root's own stack. The door, judges, lists, timers, letters, frames and requests, the sleep and the end of the OS thread
//! are those of every build, and so are the primitives above them.
//!
//! Time is virtual: it jumps to the next deadline when this thread has nothing to do and no letter has come. So a deadline passes before, between and after whatever the others do.
//!
//! What such models prove: that in every interleaving of a small program (with a bound on preemptions) the judge, the lists, the letters and the states under the locks lose nothing and double
//! nothing, with the orderings that are written there. What they cannot: the leaning lock, which is loom's mutex here (no model has its barrier); the switch; values in std's `UnsafeCell`, whose
//! reach loom does not watch; what several green threads of one OS thread do to each other; unwinding in the midst of which others run, for all threads of a model share one OS thread.

#![cfg_attr(
    test,
    expect(unsafe_code, reason = "frees the scheduler of a thread that ends")
)]

use std::time::Duration;

use super::scheduler::Scheduler;

/// Of virtual time: passes as soon as its thread has nothing else to do.
pub(crate) const SOON: Duration = Duration::from_millis(1);

impl Scheduler {
    /// Runs the loop until the root is ready.
    pub(super) fn run_loop(&self) {
        self.looping.set(true);
        while self.ready.pop().is_none() {
            self.idle();
        }
        self.looping.set(false);
        self.set_current(self.root.as_ptr());
    }
}

/// Runs `f` on the root of a scheduler of this thread's own, and ends that as the end of an OS thread does.
#[cfg(test)]
pub(crate) fn on_root<T>(f: impl FnOnce() -> T) -> T {
    let scheduler = Scheduler::make();
    scheduler.clock().make_virtual();
    let result = f();
    scheduler.end();
    let scheduler = std::ptr::from_ref(scheduler).cast_mut();
    // SAFETY: S1: made by `make` in a box, reached by this thread alone, and forgotten by `end`.
    drop(unsafe { Box::from_raw(scheduler) });
    result
}

/// A thread of the model, with a root.
#[cfg(test)]
pub(crate) fn root<T: 'static>(f: impl FnOnce() -> T + 'static) -> loom::thread::JoinHandle<T> {
    loom::thread::spawn(|| on_root(f))
}

/// Runs every interleaving of `program`, itself on a root, with at most two preemptions.
#[cfg(test)]
pub(crate) fn check(program: impl Fn() + Send + Sync + 'static) {
    check_within(2, program);
}

/// The same, with at most so many.
#[cfg(test)]
pub(crate) fn check_within(preemptions: usize, program: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(move || on_root(&program));
}
