//! One green thread's allocation: header, result, closure.
//!
//! ```text
//!   ┌────────┬────────┬───────┬─────────┐
//!   │ header │ result │ after │ closure │      Outcome<T> is the part that a handle sees: it does not know the closure's type
//!   └────────┴────────┴───────┴─────────┘
//! ```
//!
//! Everything of the user's in here is run and dropped on the green thread's own stack, inside a catch (L18): the closure by running or dropping it, the
//! result when nobody will claim it, and what it was asked for.
//!
//! Invariants:
//! - B1 `closure` and `after` are there until `run` or `refuse` takes them; those run once, on the home's OS thread.
//! - B2 is that of `outcome`.

#![expect(
    unsafe_code,
    reason = "one allocation for values of several types and owners"
)]

use std::alloc::Layout;
use std::any::Any;
use std::cell::UnsafeCell;
use std::io;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;

use super::join_error::{JoinError, message};
use super::outcome::{Outcome, drop_quietly};
use super::{callbacks, local_table, memory};
use crate::base::biased::Biased;
use crate::base::recorder::{self, Ending};
use crate::sched::header::{Counted, Header, Vtable};
use crate::sched::inbox::Home;
use crate::sched::payload::{self, What};
use crate::sched::peer::{Peer, mail};
use crate::sched::scheduler::Scheduler;

/// The whole allocation.
#[repr(C)]
struct Block<F, T, A> {
    /// First, so that its address is the block's.
    outcome: Outcome<T>,

    /// B1.
    after: UnsafeCell<ManuallyDrop<A>>,

    /// B1.
    closure: UnsafeCell<ManuallyDrop<F>>,
}

impl<F, T, A> Block<F, T, A> {
    /// Takes what is there until the first run.
    ///
    /// # Safety
    /// Once (B1).
    #[inline]
    unsafe fn take(&self) -> (F, A) {
        // SAFETY: nobody else reaches it at this moment.
        let closure = unsafe { &mut *self.closure.get() };
        // SAFETY: as above.
        let after = unsafe { &mut *self.after.get() };
        // SAFETY: the caller's duty.
        let closure = unsafe { ManuallyDrop::take(closure) };
        // SAFETY: the caller's duty.
        (closure, unsafe { ManuallyDrop::take(after) })
    }
}

/// What is done at the end besides storing the result: nothing, or what a scope needs.
pub(super) trait After {
    /// For jobs, see `Vtable::attend`.
    const ATTEND: Option<fn(&Counted)> = None;

    /// The closure panicked: makes the error of it, or keeps the payload and makes an error of what it said.
    fn panicked(&self, header: &Header, payload: Box<dyn Any + Send>) -> JoinError;

    /// There was no stack for its first run (L3).
    fn refused(&self, header: &Header, error: io::Error) -> JoinError {
        JoinError::refused(header, error)
    }

    /// Everything has been done and dropped, and joiners may go on.
    fn ended(self);
}

impl After for () {
    fn panicked(&self, header: &Header, payload: Box<dyn Any + Send>) -> JoinError {
        JoinError::panicked(header, payload)
    }

    fn ended(self) {}
}

/// What a new green thread is told.
pub(super) struct Birth {
    /// The scheduler of the OS thread that spawns it, if there is one.
    pub(super) by: Option<&'static Scheduler>,

    /// The OS thread that it will be pinned to; none for work that whoever has time begins.
    pub(super) home: Option<Biased<Home>>,

    /// What to call it.
    pub(super) name: Option<Arc<str>>,

    /// Who spawned it.
    pub(super) site: &'static Location<'static>,

    /// Bytes of stack to take at the first run; zero for what its OS thread gives to those who do not say.
    pub(super) stack_size: usize,
}

/// Makes a green thread that has not begun, with two references: one for its scheduler, or for whoever begins it (U1 of `work`), and one for its handle.
///
/// # Safety
/// What `closure`, `after` and the result borrow outlives the green thread's end, and the handle's.
#[inline]
pub(super) unsafe fn make<F, T, A>(birth: Birth, closure: F, after: A) -> (Counted, Counted)
where
    F: FnOnce() -> T,
    A: After,
{
    let inherited = local_table::inherited(birth.by);
    let memory = memory::allocate(Layout::new::<Block<F, T, A>>()).cast::<Block<F, T, A>>();
    let block = Block {
        outcome: Outcome::new(Header::new(
            2,
            vtable::<F, T, A>(),
            birth.home,
            birth.name,
            birth.site,
            birth.stack_size,
        )),
        after: UnsafeCell::new(ManuallyDrop::new(after)),
        closure: UnsafeCell::new(ManuallyDrop::new(closure)),
    };
    // SAFETY: fresh memory of this layout.
    unsafe { memory.write(block) };
    let header = memory.cast::<Header>().as_ptr();
    // SAFETY: just written, and nobody else has seen it yet.
    let newborn = unsafe { &*header };
    if newborn.home().is_some() {
        newborn.finish().lean_here();
    } else {
        // Who spawned it and who begins it are two OS threads most often.
        newborn.finish().lean_nowhere();
    }
    // SAFETY: H2: as above.
    unsafe { local_table::give(newborn, inherited) };
    recorder::spawned(
        newborn.id(),
        newborn.name(),
        newborn.site(),
        A::ATTEND.is_some(),
    );
    // SAFETY: H1: the header was made with two references; this is one.
    let scheduler = unsafe { Counted::from_raw(header) };
    // SAFETY: and this is the other.
    let handle = unsafe { Counted::from_raw(header) };
    (scheduler, handle)
}

fn vtable<F, T, A>() -> &'static Vtable
where
    F: FnOnce() -> T,
    A: After,
{
    const {
        &Vtable {
            run: run::<F, T, A>,
            refuse: refuse::<F, T, A>,
            late,
            call: callbacks::bring_over::<T>,
            attend: A::ATTEND,
            free: free::<F, T, A>,
        }
    }
}

/// The typed block behind a header.
///
/// # Safety
/// `make` made it with these types.
unsafe fn block<F, T, A>(header: &Header) -> &Block<F, T, A> {
    // SAFETY: the caller's duty; the header is the first field.
    unsafe { &*std::ptr::from_ref(header).cast() }
}

/// # Safety
/// `make` made it with these types; this or `refuse` is called once, on its own stack.
unsafe fn run<F, T, A>(header: &Header)
where
    F: FnOnce() -> T,
    A: After,
{
    // SAFETY: the caller's duty.
    let block = unsafe { block::<F, T, A>(header) };
    // SAFETY: B1.
    let (closure, after) = unsafe { block.take() };
    let caught = if header.is_requested() {
        // L9: cancelled before it began, so it never runs.
        drop_quietly(header, closure);
        Err(Box::new(NeverRan) as Box<dyn Any + Send>)
    } else {
        catch_unwind(AssertUnwindSafe(closure))
    };
    local_table::end(values_of::<A>(header));
    let result = caught.map_err(|payload| explain(header, payload, &after));
    conclude(&block.outcome, result, after);
}

/// Whose `green_local!`s the closure has used: its own, or for a job those of what runs it.
#[inline(always)]
fn values_of<A: After>(header: &Header) -> &Header {
    if A::ATTEND.is_some() {
        Scheduler::get().current_header()
    } else {
        header
    }
}

/// Stands for the payload of a green thread that was cancelled before it began.
struct NeverRan;

/// # Safety
/// As for `run`.
unsafe fn refuse<F, T, A>(header: &Header, error: io::Error)
where
    F: FnOnce() -> T,
    A: After,
{
    // SAFETY: the caller's duty.
    let block = unsafe { block::<F, T, A>(header) };
    // SAFETY: B1.
    let (closure, after) = unsafe { block.take() };
    drop_quietly(header, closure);
    local_table::end(values_of::<A>(header));
    let refused = Err(after.refused(header, error));
    conclude_refused::<T, A>(&block.outcome, refused, after);
}

/// # Safety
/// `make` made it with these types, and nothing refers to it any more.
unsafe fn free<F, T, A>(peer: NonNull<Peer>) {
    // SAFETY: the caller's duty. Closure, result and `after` were taken or are forgotten with an abandoned green thread.
    unsafe { Header::dispose(peer.cast()) };
    // SAFETY: `make` allocated it with this layout.
    unsafe { memory::free(peer.cast(), Layout::new::<Block<F, T, A>>()) }
}

/// Why the closure gave no value.
#[cold]
fn explain<A: After>(header: &Header, payload: Box<dyn Any + Send>, after: &A) -> JoinError {
    if payload.is::<NeverRan>() {
        return JoinError::cancelled(header, payload::pending_reason(header));
    }
    match payload::sort(payload) {
        Ok(request) => match request.what() {
            What::Cancelled(request) => JoinError::cancelled(header, request.reason.clone()),
            What::Timeout(_) | What::Scope(_) => JoinError::cancelled(header, None),
        },
        Err(panic) => {
            tell_of_panic(header, &*panic);
            after.panicked(header, panic)
        }
    }
}

/// Those who watch see every panic of a green thread, joined or not.
fn tell_of_panic(header: &Header, payload: &(dyn Any + Send)) {
    recorder::panicked(header.id(), message(payload));
    recorder::trouble("a green thread panicked");
}

/// How a closure has ended, for those who record.
fn ending<T>(result: &Result<T, JoinError>) -> Ending {
    match result {
        Ok(_) => Ending::Returned,
        Err(error) if error.is_cancelled() => Ending::Cancelled,
        Err(error) if error.is_refused() => Ending::Refused,
        Err(_) => Ending::Panicked,
    }
}

/// Apart, so that what is done by all stands inline in `run` alone.
#[cold]
fn conclude_refused<T, A: After>(outcome: &Outcome<T>, result: Result<T, JoinError>, after: A) {
    conclude(outcome, result, after);
}

/// Stores the result and does all that the end asks for, on the green thread's own stack.
#[inline(always)]
fn conclude<T, A: After>(outcome: &Outcome<T>, result: Result<T, JoinError>, after: A) {
    recorder::concludes(|| ending(&result));
    // SAFETY: B2: not written yet, and not read before `end`.
    unsafe { outcome.store(result) };
    callbacks::end::<T>(outcome.header());
    after.ended();
}

/// Calls the callbacks that were added late when it is dropped: whether its green thread runs, is cancelled first or finds no stack.
struct LateCalls(Counted);

impl Drop for LateCalls {
    fn drop(&mut self) {
        let scheduler = Scheduler::get();
        scheduler.calling_for(&self.0, || (self.0.vtable().call)(&self.0));
        scheduler.end_calling_late(&self.0);
    }
}

/// What one does that calls late callbacks: it has no handle, and nothing of it is reported.
struct CallsLate;

impl After for CallsLate {
    fn panicked(&self, header: &Header, payload: Box<dyn Any + Send>) -> JoinError {
        JoinError::panicked(header, payload)
    }

    fn refused(&self, header: &Header, _: io::Error) -> JoinError {
        // They have been called all the same: `LateCalls` was dropped.
        JoinError::cancelled(header, None)
    }

    fn ended(self) {}
}

/// The end is past: finds a green thread of the owner's OS thread to run the callbacks that were added (L18).
#[cold]
fn late(header: &Counted) {
    let Some(scheduler) = Scheduler::of(header) else {
        // When its OS thread has gone, the callback is forgotten, and `join` does not wait for it.
        header.post(mail::CALLBACK);
        return;
    };
    scheduler.begin_calling_late(header.clone());
    let calls = LateCalls(header.clone());
    run_for(header, scheduler, move || drop(calls));
}

/// Has a new green thread of this OS thread do something about `header`. What must be done even if that is cancelled first or finds no stack, is done by the
/// drop of the closure.
pub(super) fn run_for(
    header: &Header,
    scheduler: &'static Scheduler,
    closure: impl FnOnce() + 'static,
) {
    let birth = Birth {
        by: Some(scheduler),
        home: Some(scheduler.home().clone()),
        name: header.shared_name(),
        site: header.site(),
        stack_size: scheduler.stack_size(),
    };
    // SAFETY: the callers' closures own counted references and borrow nothing.
    let (runner, handle) = unsafe { make(birth, closure, CallsLate) };
    handle.finish().lock().detach();
    scheduler.admit(runner);
}
