//! Children that may borrow from their parent's stack (L11), on the parent's OS thread and on workers.
//!
//! Why what a child borrows outlives it, wherever it runs. A child is counted in the family before it can begin, and leaves as the last thing that it does; between the
//! two it is not forgotten, for whoever has it brings it to its end (S3 of `scheduler`, U1 and U4 of `work`).
//! - A1 The scope's frame is not left while somebody is counted: the body's value, panic or request is caught, and the wait after it cannot be ended by a request, a deadline
//!   or a deadlock (`Mode::Protected`). So a return, a panic, a cancellation and the end of `run`, which cancels, all come by this wait.
//! - A2 What is borrowed lies outside of the scope: on the parent's stack, further out, or in what these borrow. None of it is left before the scope is (A1), if the parent's
//!   stack is never freed unfinished: L1. A parent that is abandoned keeps its memory, and its children go on with that.
//! - A3 What a thread-local's `with` lends is gone when the OS thread ends, although the stack inside of it is kept. So nothing is lent to another OS thread by whom the end
//!   of its OS thread does not wait for. It waits for the root, which runs it; for green threads of a worker, which drains before it goes; for green threads inside `run`, which
//!   returns after them, unless it stands in a generator itself; a deadlock that ends it while something is lent out ends the process. Any other parent, and a body inside a generator, which may be forgotten, has its `spawn_anywhere` children on its own OS thread, where they are
//!   abandoned together with it (`Scheduler::lender`).
//! - A4 The end of the process stops all OS threads; until then nobody leaves a frame for it, no stack is freed, and no static is dropped. (What `exit` itself destroys, the
//!   thread-locals of whoever calls it, can be lent out at that moment; so it can with `std::thread::scope`.)
//! - A5 A child elsewhere does not touch the parent's frame: it counts itself out in the family, which is counted by reference, and its failure is a letter to the parent.
//! - A6 The scope is used on the parent's OS thread alone, for it is not `Sync`; what a child elsewhere runs, borrows and gives is `Send`.

#![expect(unsafe_code, reason = "spawns what borrows, and waits for it")]

use std::any::Any;
use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::Arc;

use super::anywhere::{expect_workers, spawn_out};
use super::current::GreenThread;
use super::family::{Family, Member, Parent, Reserved};
use super::join::JoinHandle;
use super::join_error::JoinError;
use super::spawn::spawn_here;
use crate::sched::frame::{Frame, Kind};
use crate::sched::header::Counted;
use crate::sched::park;
use crate::sched::payload::{self, What};
use crate::sched::peer::Held;
use crate::sched::request::{Reason, Request};
use crate::sched::scheduler::Scheduler;
use crate::sched::tally::Tally;

/// Runs `f` with a scope whose children may borrow from outside of it, and returns when all have ended.
///
/// Blocks at its end until the last child has ended, whatever happens. When the body or a child panics, the others are cancelled, and when all have ended the first
/// panic goes on with its own payload. When the parent is cancelled or its deadline passes, the request is passed on to the children and raised again after their
/// end; that last wait itself cannot be cancelled. On the root and on a plain OS thread the waits run the event loop.
///
/// # Panics
/// With the payload of the first panic in the body or in a child.
///
/// # Examples
/// ```
/// let mut parts = [1, 2, 3, 4];
/// let (left, right) = parts.split_at_mut(2);
/// greenthread::scope(|s| {
///     s.spawn(|| left[0] = 10);
///     s.spawn(|| right[0] = 30);
/// });
/// assert_eq!(parts, [10, 2, 30, 4]);
/// ```
pub fn scope<'env, F, R>(f: F) -> R
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> R,
{
    let scope = Scope::new();
    let ended = scope.run(|| f(&scope));
    if let Some(panic) = scope.family.take_panic() {
        resume_unwind(panic);
    }
    match ended {
        Ok(value) => {
            scope.raise_again();
            value
        }
        Err(payload) => resume_unwind(payload),
    }
}

/// The body did not return: the children are asked to end.
fn fail_body(family: &Family, payload: Box<dyn Any + Send>) -> Box<dyn Any + Send> {
    match payload::sort(payload) {
        Ok(request) => {
            family.cancel(&request.what().request(request.raised_in()));
            request
        }
        Err(panic) => {
            family.keep(panic);
            family.cancel(&Request::scope_failed());
            Box::new(Kept)
        }
    }
}

/// Stands for a panic of the body that the family keeps.
struct Kept;

/// Passes a request on to the children of a scope.
fn forward(children: *const (), request: &Request) -> Vec<Held> {
    // SAFETY: called through the frame that `Scope::run` entered, and the family is the scope's.
    let family = unsafe { &*children.cast::<Family>() };
    let children = family.close(request).into_iter();
    children.map(Counted::into_held).collect()
}

/// Whether a child has failed elsewhere.
fn has_failed(children: *const ()) -> bool {
    // SAFETY: as in `forward`.
    unsafe { &*children.cast::<Family>() }.has_failed()
}

/// What the parent would be ended by if the wait for its children were not protected: it came before the scope was entered, or behind a shield.
fn held_back(scheduler: &Scheduler) -> Option<Request> {
    let header = scheduler.current_header();
    Some(What::of(scheduler.due()?, header).request(header))
}

/// L8: the root stood in the wait for its children when nobody could go on any more.
pub(crate) fn raise_deadlock(scheduler: &Scheduler) {
    if !park::may_raise() {
        scheduler.tell_of_deadlock();
    } else if scheduler.is_root(scheduler.current_header())
        && let Some(report) = scheduler.take_deadlock()
    {
        panic!("{report}");
    }
}

/// A scope to spawn children in; used on the parent's OS thread only.
///
/// See [`scope`].
pub struct Scope<'scope, 'env: 'scope> {
    /// Counts the children.
    family: Arc<Family>,

    /// On the parent's stack, entered until the last child has ended; null before.
    frame: Cell<*const Frame>,

    /// Whether the end had to wait for children, or would have, had they not ended so soon after they were asked to.
    has_waited: Cell<bool>,

    /// Whether a child was spawned elsewhere, which the scheduler counts (A3).
    has_lent: Cell<bool>,

    /// Invariant, as in std.
    scope: PhantomData<&'scope mut &'scope ()>,

    /// Invariant, as in std.
    env: PhantomData<&'env mut &'env ()>,
}

impl<'scope> Scope<'scope, '_> {
    pub(super) fn new() -> Self {
        Scope {
            family: Family::new(),
            frame: Cell::new(std::ptr::null()),
            has_waited: Cell::new(false),
            has_lent: Cell::new(false),
            scope: PhantomData,
            env: PhantomData,
        }
    }

    /// Runs the body and waits for the children. A panic of the body is kept by the family: what comes back as an error is a request, or says that there is a panic.
    pub(super) fn run<R>(&self, body: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
        let scheduler = Scheduler::get();
        let children = Arc::as_ptr(&self.family).cast();
        let kind = Kind::Scope {
            forward,
            has_failed,
            children,
        };
        let ended = Frame::enter(scheduler.deadlines(), kind, |frame| {
            self.frame.set(frame);
            // L11: caught before the wait begins, so that nobody waits inside an unwind.
            let ended = catch_unwind(AssertUnwindSafe(body));
            let ended = ended.map_err(|payload| fail_body(&self.family, payload));
            let some_left = !self.family.is_empty();
            if scheduler.has_requests()
                && let Some(request) = held_back(scheduler)
            {
                self.family.cancel(&request);
            }
            let waited = self.family.wait_for_all();
            if self.has_lent.get() {
                scheduler.end_lending();
            }
            // A child elsewhere may have been asked above, and have ended, before anybody could wait for it.
            self.has_waited.set(waited || some_left);
            ended
        });
        raise_deadlock(scheduler);
        ended
    }

    /// Raises what came while the end waited for children, now that they have ended: that wait was protected, and is a wait point all the same.
    pub(super) fn raise_again(&self) {
        if self.has_waited.get() {
            park::checkpoint(Scheduler::get());
        }
    }

    /// Spawns a child on this OS thread, which may borrow what outlives the scope.
    ///
    /// Does not block. In a scope that is failing or was cancelled, the child is cancelled before it begins.
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + 'scope,
        T: 'scope,
    {
        self.spawn_at(Location::caller(), f)
    }

    /// As [`spawn`](Self::spawn), for a child that is said to be spawned at `site`.
    pub(crate) fn spawn_at<F, T>(
        &'scope self,
        site: &'static Location<'static>,
        f: F,
    ) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + 'scope,
        T: 'scope,
    {
        self.spawn_member(self.member(), site, |_| f())
    }

    /// Spawns a child on whichever worker has time; it may borrow what outlives the scope.
    ///
    /// Does not block. Which workers those are: see [`spawn_anywhere`](crate::spawn_anywhere). The scope waits for such a child, cancels it, and goes on with its panic, as for any
    /// other. It cannot use this scope, but open one of its own. In a scope that is failing or was cancelled, the child is cancelled before it begins.
    ///
    /// In a green thread of a plain OS thread outside [`run`](crate::run), and inside a generator, the child stays on the parent's OS thread: nothing may be lent out
    /// where the OS thread could end without waiting.
    ///
    /// # Panics
    /// As [`spawn_anywhere`](crate::spawn_anywhere).
    ///
    /// # Examples
    /// ```
    /// let text = String::from("ten words or so, counted on two cores at once");
    /// let (left, right) = text.split_at(text.len() / 2);
    /// let letters = greenthread::scope(|s| {
    ///     let right = s.spawn_anywhere(|| right.len());
    ///     left.len() + right.join().unwrap()
    /// });
    /// assert_eq!(letters, text.len());
    /// ```
    #[track_caller]
    pub fn spawn_anywhere<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        // SAFETY: what the child uses is `Send`.
        unsafe { self.spawn_member_out(|_| f()) }
    }

    /// Spawns a child on a worker, or here where nothing may be lent out (A3); the closure may tell the scope through its argument.
    ///
    /// # Safety
    /// What `f` owns and borrows, and what it returns, may be used on another OS thread.
    #[track_caller]
    pub(super) unsafe fn spawn_member_out<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce(&Member) -> T + 'scope,
    {
        expect_workers();
        let Some(parent) = self.lender() else {
            return self.spawn_member(self.member(), Location::caller(), f);
        };
        if !self.has_lent.replace(true) {
            Scheduler::get().begin_lending();
        }
        let member = Member::new(&self.family, Parent::Elsewhere(parent));
        let place = member.place();
        let reserved = Reserved(&self.family, place);
        let teller = member.clone();
        let f = move || f(&teller);
        let take_in = |child: &Counted| {
            std::mem::forget(reserved);
            self.family.take_in(place, child.clone());
        };
        // SAFETY: L11: the scope returns only after the child's end, which `Member` tells it; so what the child borrows outlives it (A1 to A4). That it may be used elsewhere is
        // the caller's duty.
        let handle = unsafe { spawn_out((None, None), Location::caller(), f, member, take_in) };
        ScopedJoinHandle {
            handle,
            scope: PhantomData,
        }
    }

    /// Who lends, if anything may be lent out (A3).
    fn lender(&self) -> Option<Counted> {
        // SAFETY: F1 of `frame`: the scope is used while its frame is entered, on the frame's OS thread (A6).
        let frame = unsafe { self.frame.get().as_ref() }?;
        Scheduler::get().lender(frame)
    }

    /// Spawns the child that `member` counts; the closure may tell the scope through it.
    pub(super) fn spawn_member<F, T>(
        &'scope self,
        member: Member,
        site: &'static Location<'static>,
        f: F,
    ) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce(&Member) -> T + 'scope,
    {
        let place = member.place();
        let reserved = Reserved(&self.family, place);
        let teller = member.clone();
        let f = move || f(&teller);
        // SAFETY: L11: the scope returns only after the child's end, which `Member` tells it; so what the child borrows outlives it.
        let handle = unsafe { spawn_here(None, site, f, member) };
        std::mem::forget(reserved);
        self.family.take_in(place, handle.thread().header().clone());
        ScopedJoinHandle {
            handle,
            scope: PhantomData,
        }
    }

    /// Asks every child to end, and every one that is spawned from now on; not the body.
    pub fn cancel(&self) {
        self.ask(None);
    }

    /// As [`cancel`](Self::cancel), with a reason that [`JoinError::reason`] shows. The first reason wins.
    pub fn cancel_with(&self, reason: impl Into<Box<dyn Error + Send + Sync>>) {
        self.ask(Some(Arc::from(reason.into())));
    }

    fn ask(&self, reason: Option<Reason>) {
        self.family.cancel(&Request::new(reason, false));
    }

    pub(super) fn family(&self) -> &Arc<Family> {
        &self.family
    }

    /// What makes a new child count here.
    pub(super) fn member(&self) -> Member {
        Member::new(&self.family, Parent::Here(self.frame.get()))
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

/// The right to the result of a scope's child.
///
/// Dropping it detaches the child, which the scope waits for all the same.
pub struct ScopedJoinHandle<'scope, T> {
    /// Without the lifetime.
    handle: JoinHandle<T>,

    /// What the child borrows outlives this.
    scope: PhantomData<&'scope ()>,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Waits for the child's end and returns its result.
    ///
    /// Blocks, is cancelled and behaves on the root as [`JoinHandle::join`] does. A child that panicked gives an error here, and its scope goes on with the panic
    /// all the same.
    ///
    /// # Errors
    /// As [`JoinHandle::join`].
    ///
    /// # Panics
    /// When a green thread joins itself.
    pub fn join(self) -> Result<T, JoinError> {
        self.handle.join()
    }

    /// Tells whether the child's result stands.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// Returns the child.
    #[must_use]
    pub fn thread(&self) -> &GreenThread {
        self.handle.thread()
    }

    /// Asks the child to end. False when it has ended already.
    pub fn cancel(&self) -> bool {
        self.handle.cancel()
    }

    /// As [`cancel`](Self::cancel), with a reason that [`JoinError::reason`] shows. The first reason wins.
    pub fn cancel_with(&self, reason: impl Into<Box<dyn Error + Send + Sync>>) -> bool {
        self.handle.cancel_with(reason)
    }

    /// Has its end told to `tally` under the number `place`.
    pub(crate) fn watch(&self, tally: &Arc<Tally>, place: usize) {
        self.handle.watch(tally, place);
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}
