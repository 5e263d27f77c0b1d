//! Handles that are waited for together.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use crate::sched::clock::Deadline;
use crate::sched::payload::Payload;
use crate::sched::scheduler::Scheduler;
use crate::sched::tally::Tally;
use crate::sched::wait::Operation;
use crate::thread::join::JoinHandle;
use crate::thread::join_error::JoinError;
use crate::thread::scope::raise_deadlock;

/// Handles that are waited for together. Dropping it detaches them.
pub(super) struct Group<T> {
    /// In argument order: the place of each is its index.
    handles: Vec<JoinHandle<T>>,

    /// Who of them has ended.
    tally: Arc<Tally>,

    /// What the wait is called.
    operation: &'static Operation,
}

impl<T> Group<T> {
    pub(super) fn new(
        handles: impl IntoIterator<Item = JoinHandle<T>>,
        operation: &'static Operation,
    ) -> Self {
        let handles: Vec<_> = handles.into_iter().collect();
        let tally = Tally::new(handles.len());
        for (place, handle) in handles.iter().enumerate() {
            handle.watch(&tally, place);
        }
        Group {
            handles,
            tally,
            operation,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.handles.len()
    }

    /// Waits until `wanted` have ended, at most until `deadline`.
    pub(super) fn wait_for(&self, wanted: usize, deadline: Option<Deadline>) {
        self.tally.wait_for(self.operation, wanted, deadline);
    }

    /// Waits for the next one to end whose result `stop` wants, and tells its place; none when all have ended, or `deadline` came.
    pub(super) fn find(
        &mut self,
        deadline: Option<Deadline>,
        mut stop: impl FnMut(&Result<T, JoinError>) -> bool,
    ) -> Option<usize> {
        for _ in 0..self.len() {
            let place = self.tally.next(self.operation, deadline)?;
            if self.handles[place].look(&mut stop) == Some(true) {
                return Some(place);
            }
        }
        None
    }

    /// Does `work`; when it is unwound by a request or a panic, cancels every member, waits for the end of all, and goes on unwinding.
    pub(super) fn together<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        // Caught before the wait begins, so that nobody waits inside an unwind (L10).
        let payload = match catch_unwind(AssertUnwindSafe(|| work(self))) {
            Ok(value) => return value,
            Err(payload) => payload,
        };
        let request = payload.downcast_ref::<Payload>();
        let reason = request.and_then(|request| request.what().reason());
        for handle in &self.handles {
            handle.cancel_for(reason.clone());
        }
        self.tally.wait_protected(self.operation, self.len());
        raise_deadlock(Scheduler::get());
        resume_unwind(payload)
    }

    pub(super) fn into_handles(self) -> Vec<JoinHandle<T>> {
        self.handles
    }
}
