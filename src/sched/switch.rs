//! The way out of a green thread and back in.
//!
//! ```text
//!   green thread ──suspend──▶ loop ──resume──▶ the next green thread
//!   root ──resume──▶ loop ──resume──▶ green threads ──suspend──▶ loop ──suspend──▶ root, when its turn comes
//! ```
//!
//! The loop is a coroutine of its own, so that a root that waits inside a generator does not run it on that generator's small stack.

#![expect(unsafe_code, reason = "switches stacks")]

use std::io;
use std::ptr;

use super::header::{Header, state};
use super::local::Local;
use super::scheduler::Scheduler;
use super::spans;
use super::wait::Wait;
use crate::stack::chain::{self, Link};
use crate::stack::coroutine::{Coroutine, CoroutineResult, Yielder};
use crate::stack::pool::{self, Stack};

impl Scheduler {
    /// Switches away until `wait` has ended; what ends it makes the owner ready.
    #[inline(always)]
    pub(super) fn park(&self, wait: &Wait, interruptible: bool) {
        let header = self.current_header();
        // SAFETY: H2: this is its OS thread.
        let local = unsafe { header.local() };
        self.counts.park(wait.operation());
        local.wait.set(wait);
        local.since.set(self.lately.get());
        local.interruptible.set(interruptible);
        self.switch_away(local);
        local.wait.set(ptr::null());
    }

    /// Lets everybody who is ready go first.
    #[inline(always)]
    pub(crate) fn yield_now(&self) {
        let header = self.current_header();
        self.make_ready(header);
        // SAFETY: H2: this is its OS thread.
        self.switch_away(unsafe { header.local() });
    }

    /// Leaves the running chain as a whole, and comes back when the loop picks its base.
    #[inline(always)]
    fn switch_away(&self, local: &Local) {
        let innermost = chain::running();
        local.innermost.set(innermost);
        // SAFETY: C3 of `chain`: the base is the running green thread's own stack, or the root's link.
        let base = unsafe { &*local.base.get() };
        let left = spans::leave();
        base.before_switch();
        let mut yielder = local.yielder.get();
        if yielder.is_null() {
            self.wait_as_root(base, innermost);
        }
        while !yielder.is_null() {
            // SAFETY: set at the first run, and alive as long as that stack.
            unsafe { &*yielder }.suspend(());
            if !base.has_notes() {
                break;
            }
            yielder = see_to_notes(base, innermost);
        }
        chain::set_running(innermost);
        spans::enter(left);
    }

    /// Runs the loop until the root is ready.
    #[inline(never)]
    fn wait_as_root(&self, base: &Link, innermost: *const Link) {
        loop {
            self.run_loop();
            if !base.has_notes() || !self.is_only_asked(base, innermost) {
                return;
            }
        }
    }

    /// After a switch back that has something to see to: whether that was only the question where it stands.
    fn is_only_asked(&self, base: &Link, innermost: *const Link) -> bool {
        let asked = base.take_question();
        if asked {
            self.tell_where(innermost);
        } else {
            base.uncount_unwinding();
        }
        asked
    }

    /// Runs the loop on the root's behalf until the root is ready.
    #[cfg(not(loom))]
    fn run_loop(&self) {
        // SAFETY: the root alone reaches the loop's coroutine, and it is here.
        let looper = unsafe { &mut *self.looper.get() };
        let looper = looper.get_or_insert_with(|| self.make_loop());
        self.looping.set(true);
        let _ = looper.resume(());
        self.looping.set(false);
        self.set_current(self.root.as_ptr());
    }

    #[cfg(not(loom))]
    fn make_loop(&self) -> Coroutine<(), (), ()> {
        let stack = self.loop_stack.borrow_mut().take();
        let stack = stack.expect("the loop is made once");
        let scheduler = ptr::from_ref(self);
        let body = move |yielder: &Yielder<(), ()>, ()| {
            // SAFETY: S1: the loop ends before its scheduler.
            let scheduler = unsafe { &*scheduler };
            scheduler.loop_yielder.set(yielder);
            scheduler.turn_until_end();
        };
        // SAFETY: the loop catches what the closures raise at their own bases, and raises nothing itself.
        unsafe { Coroutine::new(stack, body) }
    }

    /// Lets the loop return, at the end of the OS thread, and gives its stack back.
    pub(super) fn finish_loop(&self) {
        // SAFETY: the root alone reaches the loop's coroutine; `exit` has seen that the loop is not under way.
        let looper = unsafe { &mut *self.looper.get() };
        if let Some(mut looper) = looper.take() {
            let _ = looper.resume(());
        }
    }

    /// Runs `header` until it switches away or ends; says whether it has ended. Called by the loop.
    #[inline(always)]
    pub(super) fn run(&self, header: *const Header) -> bool {
        self.set_current(header);
        let local = local_of(header);
        // SAFETY: the loop alone reaches the coroutine, and holds no other borrow of it.
        let slot = unsafe { &mut *local.coroutine.get() };
        if let Some(coroutine) = slot {
            let ended = matches!(coroutine.resume(()), CoroutineResult::Return(()));
            if ended {
                drop(slot.take());
                self.retire(header);
            }
            ended
        } else {
            self.run_first(header)
        }
    }

    /// The first run: takes a stack (D6), or refuses (L3). Inlined into the turn, it would cost every other run of that three per cent.
    #[inline(never)]
    fn run_first(&self, header: *const Header) -> bool {
        let local = local_of(header);
        match pool::take(local.stack_size.get()) {
            Ok(stack) => self.run_on(header, stack, run),
            Err(error) => self.refuse(header, error),
        }
    }

    /// Begins `header` on `stack`. What ends before it switches away is never stored.
    #[inline(always)]
    fn run_on(&self, header: *const Header, stack: Stack, life: impl FnOnce(&Header)) -> bool {
        let mut coroutine = Self::coroutine_on(header, stack, life);
        let ended = matches!(coroutine.resume(()), CoroutineResult::Return(()));
        if ended {
            coroutine.end();
            self.retire(header);
        } else {
            store(local_of(header), coroutine);
        }
        ended
    }

    /// Puts a green thread that has not begun on `stack` now, to be run in its turn.
    pub(crate) fn place(&self, header: *const Header, stack: Stack) {
        let coroutine = Self::coroutine_on(header, stack, run);
        store(local_of(header), coroutine);
    }

    /// A green thread that has not begun, on `stack`, where it is to do `life`.
    #[inline(always)]
    fn coroutine_on(
        header: *const Header,
        stack: Stack,
        life: impl FnOnce(&Header),
    ) -> Coroutine<(), (), ()> {
        // SAFETY: C3 of `chain`: the stack is alive in the coroutine below, until the green thread has ended.
        let link = unsafe { &*stack.link() };
        link.set_owner(header.cast());
        let local = local_of(header);
        local.base.set(link);
        local.innermost.set(link);
        let body = move |yielder: &Yielder<(), ()>, ()| {
            // SAFETY: S3: it has not ended before this closure has.
            let header = unsafe { &*header };
            begin(header, yielder, life);
        };
        // SAFETY: `begin` does not unwind; the header outlives its closure's run.
        unsafe { Coroutine::new(stack, body) }
    }

    /// There is no stack: drops the closure on the spare one, now or when that is free.
    #[cold]
    fn refuse(&self, header: *const Header, error: io::Error) -> bool {
        let spare = self.spare.borrow_mut().take();
        self.lacks_stacks.set(true);
        let Some(stack) = spare else {
            self.refused.borrow_mut().push_back(header);
            return false;
        };
        self.on_spare.set(header);
        // SAFETY: on a green thread's stack, in place of `run`.
        self.run_on(header, stack, move |header| unsafe {
            (header.vtable().refuse)(header, error);
        })
    }

    /// Lets go of an ended green thread, whose stack was given back.
    #[inline(always)]
    fn retire(&self, header: *const Header) {
        if self.lacks_stacks.get() {
            self.refill(header);
        }
        // SAFETY: S3: the list of all still owns its reference.
        self.dismiss(unsafe { &*header }).give_up_here();
    }

    /// A stack came back: keeps it as the spare one if that was it, and tries the next who was left without.
    #[cold]
    fn refill(&self, ended: *const Header) {
        if ptr::eq(self.on_spare.get(), ended) {
            self.on_spare.set(ptr::null());
            *self.spare.borrow_mut() = pool::take(pool::DEFAULT_SIZE).ok();
        }
        let next = self.refused.borrow_mut().pop_front();
        if let Some(next) = next {
            self.make_ready(next);
        }
        let is_lent = !self.on_spare.get().is_null();
        self.lacks_stacks
            .set(is_lent || !self.refused.borrow().is_empty());
    }
}

/// Sees to what a switch back to this green thread found; what to suspend with once more, when that was only the question where it stands, else null. It is suspended
/// from the same frame as before, so that a dump leaves no stack in use deeper than it was; and all that is needed for that is found anew here, so that nothing of it
/// is kept across an ordinary switch.
#[cold]
#[inline(never)]
fn see_to_notes(base: &Link, innermost: *const Link) -> *const Yielder<(), ()> {
    let scheduler = Scheduler::get();
    if scheduler.is_only_asked(base, innermost) {
        local_of(base.owner().cast()).yielder.get()
    } else {
        ptr::null()
    }
}

/// What the loop keeps about one who has not ended.
#[inline(always)]
pub(super) fn local_of<'a>(header: *const Header) -> &'a Local {
    // SAFETY: S3: the loop and spawning name only those that have not ended.
    let header = unsafe { &*header };
    // SAFETY: H2: this is its OS thread.
    unsafe { header.local() }
}

/// Keeps the coroutine of one who has not ended and does not run.
fn store(local: &Local, coroutine: Coroutine<(), (), ()>) {
    // SAFETY: the loop and spawning alone reach the slot, and nobody runs in it.
    let slot = unsafe { &mut *local.coroutine.get() };
    *slot = Some(coroutine);
}

/// The base of every green thread's stack.
#[inline(always)]
fn begin(header: &Header, yielder: &Yielder<(), ()>, life: impl FnOnce(&Header)) {
    // SAFETY: H2: this is its OS thread.
    let local = unsafe { header.local() };
    local.yielder.set(yielder);
    chain::set_running(local.base.get());
    header.set_state(state::STARTED);
    life(header);
    // What it has entered for ever ends with it. That this stack is nobody's base any more is said when it is given back.
    spans::end();
}

/// What most do with their lives.
fn run(header: &Header) {
    // SAFETY: `begin` calls it on the green thread's own stack, once.
    unsafe { (header.vtable().run)(header) }
}
