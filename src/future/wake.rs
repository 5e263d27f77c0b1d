//! The waker of `block_on`, and how wakers are woken from the loop.
//!
//! ```text
//!   wake, on any OS thread ──▶ woken = true, and whoever is parked is made ready
//!   block_on: poll ──Pending──▶ woken? ──yes──▶ take it back, let others go first ─▶ poll
//!                                 │no
//!                                 ▼
//!                               park until woken ─▶ take it back ─▶ poll
//! ```
//!
//! Invariants:
//! - W1 `woken` is set, and looked at before parking, under one lock: a wake that comes before the park is not lost.
//! - W2 The signal is counted: a waker that outlives its `block_on` sets a flag that nobody reads.
//!
//! One signal serves one `block_on`; to park allocates nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::task::{RawWakerVTable, Wake, Waker};

use crate::base::lock::Lock;
use crate::sched::list::{Node, WaitList};
use crate::sched::park::{self, Grant, Waiter};
use crate::sched::scheduler::Scheduler;
use crate::sched::task::Task;
use crate::sched::wait::Operation;
use crate::thread::spawn::spawn;

static BLOCK_ON: Operation = Operation::new("future::block_on");

/// What the wakers of signals are made of.
static OURS: OnceLock<&'static RawWakerVTable> = OnceLock::new();

/// What one `block_on` waits for.
pub(super) struct Signal(Lock<State>);

/// Under the lock.
struct State {
    /// W1.
    woken: bool,

    /// Who runs the `block_on`, while parked.
    waiters: WaitList,
}

impl Signal {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Signal(Lock::new(State {
            woken: false,
            waiters: WaitList::new(),
        })))
    }

    /// A waker that sets it.
    pub(super) fn waker(self: &Arc<Self>) -> Waker {
        let waker = Waker::from(Arc::clone(self));
        OURS.get_or_init(|| waker.vtable());
        waker
    }

    /// Returns when it was set since it was last waited for.
    pub(super) fn wait(&self) {
        if std::mem::take(&mut self.0.lock().woken) {
            // Woken while it was polled: most likely by itself, to let others run.
            return park::let_others_go_first();
        }
        let nothing = Grant::GiveBack(nothing_to_give_back);
        let waiter = Waiter::new(&self.0, &BLOCK_ON, 0, nothing);
        loop {
            let mut state = self.0.lock();
            if std::mem::take(&mut state.woken) {
                return;
            }
            waiter.park(state, |state| &mut state.waiters, None);
        }
    }

    fn set(&self) {
        let mut state = self.0.lock();
        state.woken = true;
        let wake = state.waiters.wake_first();
        drop(state);
        drop(wake);
    }
}

/// Whoever is woken and cancelled at once polls no more: the future is dropped.
fn nothing_to_give_back(_: &Lock<State>, _: &Node) {}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.set();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.set();
    }
}

/// Has `waker` woken by what may come from the loop.
pub(super) fn task(waker: &Waker) -> Task {
    let wake = if is_ours(waker) {
        Waker::wake
    } else {
        wake_on_a_stack
    };
    Task::new(waker.clone(), wake)
}

/// Whether waking and dropping it runs nothing of the user's. Two tables are equal only if they name the same code, and that is then ours.
fn is_ours(waker: &Waker) -> bool {
    OURS.get().is_some_and(|ours| *ours == waker.vtable())
}

/// Wakes where code of the user's may run (L18): on a green thread of this OS thread, which may stand in its loop now; where the OS thread ends, on a passing one.
#[cold]
fn wake_on_a_stack(waker: Waker) {
    let wakes = WakesOnDrop(Some(waker));
    match Scheduler::if_made() {
        Some(scheduler) if scheduler.is_ending() => {
            let last = std::thread::Builder::new().spawn(move || drop(wakes));
            // Without an OS thread to be had it was dropped, and so woken, here.
            drop(last);
        }
        Some(_) => drop(spawn(move || drop(wakes))),
        None => drop(wakes),
    }
}

/// Wakes when dropped, so that a green thread which is cancelled before it begins, or finds no stack, has woken too.
struct WakesOnDrop(Option<Waker>);

impl Drop for WakesOnDrop {
    fn drop(&mut self) {
        if let Some(waker) = self.0.take() {
            let woken = catch_unwind(AssertUnwindSafe(|| waker.wake()));
            // The panic hook has told of it; the payload may panic again when it is dropped.
            std::mem::forget(woken);
        }
    }
}
