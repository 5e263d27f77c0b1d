//! The end of an OS thread's scheduler (D2, L19).
//!
//! No code of the user runs here: this is called from a thread-local destructor. Green threads that have not ended are abandoned: never resumed,
//! never unwound, their memory kept; their handles say so. First the inbox is closed, then the waits are walked: a grant that came before
//! the close and was not used, and one whose message found the inbox closed, are both found on the walk and handed on, once.

use std::cell::Cell;
use std::mem;
use std::ptr;

use super::header::Counted;
use super::peer::{mail, senders};
use super::residents;
use super::scheduler::Scheduler;

/// A thread-local whose drop ends the scheduler of its OS thread.
pub(super) struct Sentinel(Cell<Option<&'static Scheduler>>);

impl Sentinel {
    pub(super) const fn new() -> Self {
        Sentinel(Cell::new(None))
    }

    pub(super) fn arm(&self, scheduler: &'static Scheduler) {
        self.0.set(Some(scheduler));
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        if let Some(scheduler) = self.0.take() {
            scheduler.end();
        }
    }
}

impl Scheduler {
    pub(super) fn end(&'static self) {
        self.set_current(ptr::null());
        self.ending.set(true);
        self.abandon_all();
        if let Some(reactor) = self.reactor_if_made() {
            reactor.close();
        }
        if !self.looping.get() {
            self.end_loop();
        }
        super::deadlock::forget(self.home());
        self.stop_visiting();
        residents::move_out(&self.root, || self.leave_counts());
        Scheduler::forget_current();
        self.home().release();
    }

    fn abandon_all(&self) {
        for held in senders(self.home().close()) {
            let header = Counted::from_held(held);
            let bits = header.peer().take_mail();
            if bits & mail::START != 0 {
                self.abandon(header);
            } else if bits & mail::CALLBACK != 0 {
                header.leave_behind();
            }
        }
        for header in mem::take(&mut *self.called_late.borrow_mut()) {
            header.leave_behind();
        }
        let left = mem::take(&mut *self.all.borrow_mut());
        for header in left {
            self.abandon(header);
        }
    }

    /// Ends the handle's wait for a green thread that will never run again, and keeps its memory.
    fn abandon(&self, header: Counted) {
        if let Some(wait) = self.wait_of(&header) {
            wait.end_with_thread();
        }
        header.leave_behind();
        mem::forget(header);
    }

    /// Lets the loop's coroutine return, so that its stack is free.
    fn end_loop(&self) {
        self.finish_loop();
        drop(self.loop_stack.borrow_mut().take());
        drop(self.spare.borrow_mut().take());
    }
}
