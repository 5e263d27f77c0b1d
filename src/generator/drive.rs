//! The outer end of a generator: what its owner drives it with.
//!
//! Invariants:
//! - G1 `phase` says what `life` holds: UNSTARTED a body, STARTED a coroutine, FINISHED nothing.
//! - G2 While it is being driven, the coroutine is borrowed by the call that drives it; all others look only at `phase`, `link` and
//!   `yielder`.
//! - G3 While STARTED, `link` and `yielder` point into the stack that the coroutine owns.

#![expect(unsafe_code, reason = "keeps the coroutine behind a shared reference")]

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::panic::resume_unwind;
use std::ptr;

use super::body::{Announcement, Body};
use super::payload::{self, Payload};
use super::raised::Raised;
use super::state::{GeneratorState, ResumeError};
use super::switch::Switch;
use super::yielder::Yielder;
use crate::base::recorder::{self, Kind};
use crate::stack::chain::{self, Link};
use crate::stack::coroutine::CoroutineResult;
use crate::stack::pool::{self, Stack};
use crate::stack::unwinding;

/// In `phase`: the body has not begun to run. Set when made.
const UNSTARTED: u8 = 0;

/// In `phase`: the body is on a stack. Set just before its first run. Whether it runs or stands at a yield is in its link.
const STARTED: u8 = 1;

/// In `phase`: has returned, panicked, or was closed or thrown into before it began. Final.
const FINISHED: u8 = 2;

/// What can be done with a generator now.
#[derive(Debug)]
enum State {
    /// The body has not begun to run.
    Unstarted,

    /// Stands at a yield.
    Suspended,

    /// Is being driven: on the running chain, or parked together with the green thread that drives it.
    Running,

    /// The body has ended.
    Finished,
}

/// A closure on its own stack that yields values and is driven by its owner.
///
/// All methods take `&self`, so one generator can be driven from several places of its OS thread, through an `Rc` for example.
/// Dropping a suspended one closes it. See the [module](super) for the whole picture.
pub struct Generator<In, Out, Ret> {
    /// UNSTARTED, STARTED or FINISHED (G1).
    phase: Cell<u8>,

    /// What belongs to the phase (G1, G2).
    life: UnsafeCell<Life<In, Out, Ret>>,

    /// The link of its stack (G3).
    link: Cell<*const Link>,

    /// The body's end (G3).
    yielder: Announcement<In, Out>,

    /// The return value, when an iterator came upon it.
    returned: Cell<Option<Ret>>,
}

/// What a generator owns; nothing when FINISHED (G1).
union Life<In, Out, Ret> {
    /// While UNSTARTED.
    waiting: ManuallyDrop<Waiting<In, Out, Ret>>,

    /// While STARTED.
    coroutine: ManuallyDrop<Switch<In, Out, Ret>>,
}

/// A body that has not begun to run.
struct Waiting<In, Out, Ret> {
    /// The body.
    body: Body<In, Out, Ret>,

    /// Its stack, if that was taken at once.
    stack: Option<Stack>,
}

/// How closing a generator ended.
pub(super) enum Closing<Ret> {
    /// It is finished; its return value if it answered with one.
    Closed(Option<Ret>),

    /// Its body raised this; it is finished.
    Panicked(Payload),

    /// It yielded, and is suspended again.
    Yielded,

    /// It is suspended in the middle of an unwind, where nothing can be raised.
    Unwinding,

    /// It is being driven.
    Running,
}

impl<In, Out, Ret> Generator<In, Out, Ret> {
    /// Makes a generator; nothing of the body runs before [`start`](Self::start).
    ///
    /// It takes a stack at its first run: 256 KiB of address space, of which memory is used only where touched.
    #[inline]
    pub fn new<F>(body: F) -> Self
    where
        F: FnOnce(&Yielder<In, Out>) -> Ret + 'static,
        In: 'static,
        Out: 'static,
        Ret: 'static,
    {
        Self::with(Body::new(body), None)
    }

    /// Makes a generator that has its stack already.
    pub(super) fn on_stack<F>(body: F, stack: Stack) -> Self
    where
        F: FnOnce(&Yielder<In, Out>) -> Ret + 'static,
    {
        Self::with(Body::new(body), Some(stack))
    }

    /// Makes a generator of a body that borrows.
    ///
    /// # Safety
    /// It is finished before anything that `body`, `In`, `Out` or `Ret` borrow is gone.
    pub(super) unsafe fn unchecked<F>(body: F) -> Self
    where
        F: FnOnce(&Yielder<In, Out>) -> Ret,
    {
        Self::with(Body::new(body), None)
    }

    #[inline]
    fn with(body: Body<In, Out, Ret>, stack: Option<Stack>) -> Self {
        Generator {
            phase: Cell::new(UNSTARTED),
            life: UnsafeCell::new(Life {
                waiting: ManuallyDrop::new(Waiting { body, stack }),
            }),
            link: Cell::new(ptr::null()),
            yielder: Cell::new(ptr::null()),
            returned: Cell::new(None),
        }
    }

    /// Runs the body to its first yield, or to its end.
    ///
    /// # Panics
    /// When it has been started or closed already; with the body's own panic; and when the system refuses a stack, with the limit
    /// that was hit: the generator is then still unstarted.
    #[inline]
    #[track_caller]
    pub fn start(&self) -> GeneratorState<Out, Ret> {
        if self.phase.get() != UNSTARTED {
            self.misused("start");
        }
        come_out(self.begin())
    }

    /// Resumes the body, whose yield returns `value`, and runs it to its next yield or its end.
    ///
    /// # Panics
    /// When the generator is unstarted, running or finished; and with the body's own panic. See [`try_send`](Self::try_send).
    #[inline(always)]
    #[track_caller]
    pub fn send(&self, value: In) -> GeneratorState<Out, Ret> {
        if !self.is_suspended() {
            self.misused("send to");
        }
        come_out(self.resume(MaybeUninit::new(value)))
    }

    /// Resumes the body if it stands at a yield, which returns `value`.
    ///
    /// # Errors
    /// The value, when the generator is unstarted, running or finished.
    ///
    /// # Panics
    /// With the body's own panic.
    ///
    /// # Examples
    /// ```
    /// use greenthread::generator::{Generator, ResumeError};
    ///
    /// let g = Generator::new(|y| y.yield_(1) + 1);
    /// assert!(matches!(g.try_send(5), Err(ResumeError::NotStarted(5))));
    /// g.start();
    /// assert_eq!(g.try_send(6).unwrap().complete(), Some(7));
    /// assert!(matches!(g.try_send(8), Err(ResumeError::Finished(8))));
    /// ```
    #[inline]
    pub fn try_send(&self, value: In) -> Result<GeneratorState<Out, Ret>, ResumeError<In>> {
        match self.state() {
            State::Suspended => Ok(come_out(self.resume(MaybeUninit::new(value)))),
            State::Unstarted => Err(ResumeError::NotStarted(value)),
            State::Running => Err(ResumeError::Running(value)),
            State::Finished => Err(ResumeError::Finished(value)),
        }
    }

    /// Raises an error at the yield where the body stands, and runs it to its next yield or its end.
    ///
    /// The body gets it as [`Raised`]. An unstarted generator is finished by it and its body is dropped.
    ///
    /// # Panics
    /// With `error` itself as the payload when the body does not catch it, when the generator is unstarted and when it has finished; with the
    /// body's own panic; and when the generator is running, or suspended in the middle of an unwind.
    ///
    /// # Examples
    /// ```
    /// # use greenthread::generator::Generator;
    /// let g = Generator::new(|y| match y.yield_caught("ready") {
    ///     Ok(()) => 0,
    ///     Err(raised) => raised.downcast::<i32>().unwrap(),
    /// });
    /// g.start();
    /// assert_eq!(g.throw(7).complete(), Some(7));
    /// ```
    #[track_caller]
    pub fn throw<E: Any + Send>(&self, error: E) -> GeneratorState<Out, Ret> {
        match self.state() {
            State::Suspended => come_out(self.raise(Raised::thrown(Box::new(error)))),
            State::Running => self.misused("throw into"),
            _ => {
                self.give_up();
                resume_unwind(Box::new(error))
            }
        }
    }

    /// Raises an error at the yield where the body stands, and hands it back if the body does not catch it.
    ///
    /// # Errors
    /// The error, when the body did not catch it, and when the generator was not at a yield where something can be raised. An unstarted
    /// generator is finished by it.
    ///
    /// # Panics
    /// With a panic of the body that is not `error`.
    pub fn try_throw<E: Any + Send>(&self, error: E) -> Result<GeneratorState<Out, Ret>, E> {
        match self.state() {
            State::Suspended if !self.is_unwinding() => self
                .raise(Raised::thrown(Box::new(error)))
                .map_err(|payload| match thrown::<E>(payload) {
                    Ok(error) => error,
                    Err(other) => resume_unwind(Raised::unwrap(other)),
                }),
            State::Unstarted => {
                self.give_up();
                Err(error)
            }
            _ => Err(error),
        }
    }

    /// Ends the body: raises a close at its yield, so that its destructors run, and returns its return value if it answers with one.
    ///
    /// An unstarted generator's body is dropped without running. Closing a finished one does nothing.
    ///
    /// # Panics
    /// When the body yields instead of ending: the generator stays suspended. With the body's own panic. When the generator is
    /// running, or suspended in the middle of an unwind.
    #[track_caller]
    pub fn close(&self) -> Option<Ret> {
        match self.close_or_say() {
            Closing::Closed(ret) => ret,
            Closing::Panicked(payload) => resume_unwind(payload),
            Closing::Running => self.misused("close"),
            stays => panic!("the generator {stays}; it is still suspended"),
        }
    }

    /// Returns whether the body has ended: returned, panicked, or been closed.
    #[inline]
    pub fn is_finished(&self) -> bool {
        self.phase.get() == FINISHED
    }

    /// Returns the body's return value when an iterator came upon it, once.
    pub fn take_return(&self) -> Option<Ret> {
        self.returned.take()
    }

    /// The link of its stack. Only while STARTED.
    #[inline]
    fn link(&self) -> &Link {
        debug_assert_eq!(self.phase.get(), STARTED);
        // SAFETY: G3.
        unsafe { &*self.link.get() }
    }

    /// Whether the body stands at a yield.
    #[inline]
    fn is_suspended(&self) -> bool {
        self.phase.get() == STARTED && self.link().is_idle()
    }

    fn state(&self) -> State {
        match self.phase.get() {
            UNSTARTED => State::Unstarted,
            STARTED if self.link().is_idle() => State::Suspended,
            STARTED => State::Running,
            _ => State::Finished,
        }
    }

    /// Starts, or sends what `nothing` gives; `None` when finished.
    #[inline]
    #[track_caller]
    pub(super) fn advance(&self, nothing: fn() -> In) -> Option<GeneratorState<Out, Ret>> {
        match self.state() {
            State::Suspended => Some(self.send(nothing())),
            State::Finished => None,
            _ => Some(self.start()),
        }
    }

    /// Keeps a return value for [`take_return`](Self::take_return).
    pub(super) fn keep_return(&self, ret: Ret) {
        self.returned.set(Some(ret));
    }

    /// From UNSTARTED: puts the body on a stack and runs it.
    #[inline(always)]
    #[track_caller]
    fn begin(&self) -> Result<GeneratorState<Out, Ret>, Payload> {
        // SAFETY: G2: not running, so nobody else looks.
        let life = unsafe { &mut *self.life.get() };
        // SAFETY: G1.
        let waiting = unsafe { &mut life.waiting };
        let stack = match waiting.stack.take() {
            Some(stack) => stack,
            None => pool::take(pool::DEFAULT_SIZE).unwrap_or_else(|error| refused(&error)),
        };
        self.link.set(stack.link());
        // SAFETY: `waiting` is overwritten next. The first resume follows, with `self` borrowed; borrowing bodies are the duty of
        // `unchecked`'s caller.
        let coroutine = unsafe { waiting.body.begin(stack, &self.yielder) };
        life.coroutine = ManuallyDrop::new(coroutine);
        self.phase.set(STARTED);
        self.resume(MaybeUninit::zeroed())
    }

    /// From SUSPENDED, or with the body just put on its stack: switches to the body until it switches back.
    ///
    /// The value must be there unless the body's yielder has mail, or does not exist yet (Y3).
    #[inline(always)]
    fn resume(&self, value: MaybeUninit<In>) -> Result<GeneratorState<Out, Ret>, Payload> {
        // SAFETY: G2: it is not running, so nobody else holds the coroutine.
        let life = unsafe { &mut *self.life.get() };
        // SAFETY: G1.
        let coroutine = unsafe { &mut life.coroutine };
        let link = self.link();
        link.enter();
        recorder::generator(self.link.get().addr(), Kind::Resume);
        match coroutine.resume(value) {
            CoroutineResult::Yield(out) => {
                link.pause();
                recorder::generator(self.link.get().addr(), Kind::GeneratorYield);
                Ok(GeneratorState::Yielded(out))
            }
            CoroutineResult::Return(end) => {
                recorder::generator(self.link.get().addr(), Kind::GeneratorEnd);
                self.finish();
                end.map(GeneratorState::Complete)
            }
        }
    }

    /// With the body ended: gives the stack back.
    #[inline]
    fn finish(&self) {
        self.link().leave();
        self.phase.set(FINISHED);
        // SAFETY: G2: the call that drove it is done with the coroutine.
        let life = unsafe { &mut *self.life.get() };
        // SAFETY: G1: it was STARTED, and is not any more.
        unsafe { ManuallyDrop::drop(&mut life.coroutine) }
    }

    /// From SUSPENDED: raises at the body's yield. Uncaught, what was raised comes back as the payload, still wrapped.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(super) fn raise(&self, raised: Raised) -> Result<GeneratorState<Out, Ret>, Payload> {
        if !self.is_suspended() {
            self.misused("throw into");
        }
        // SAFETY: G3.
        let yielder = unsafe { &*self.yielder.get() };
        if yielder.post(raised).is_err() {
            panic!("cannot throw: the generator {}", Closing::<Ret>::Unwinding);
        }
        self.resume(MaybeUninit::zeroed())
    }

    /// Closes the generator and says how it went.
    pub(super) fn close_or_say(&self) -> Closing<Ret> {
        match self.state() {
            State::Running => Closing::Running,
            State::Suspended if self.is_unwinding() => Closing::Unwinding,
            State::Suspended => self.close_suspended(),
            _ => {
                self.give_up();
                Closing::Closed(None)
            }
        }
    }

    fn close_suspended(&self) -> Closing<Ret> {
        match self.raise(Raised::close()) {
            Ok(GeneratorState::Yielded(_)) => Closing::Yielded,
            Ok(GeneratorState::Complete(ret)) => Closing::Closed(Some(ret)),
            Err(payload) if is_close(&payload) => Closing::Closed(None),
            Err(payload) => Closing::Panicked(Raised::unwrap(payload)),
        }
    }

    /// Whether the body is suspended in the middle of an unwind, where nothing may be raised.
    fn is_unwinding(&self) -> bool {
        // SAFETY: G3; called only while suspended.
        let yielder = unsafe { &*self.yielder.get() };
        yielder.is_unwinding()
    }

    /// From UNSTARTED or FINISHED: drops the body if there is one. Its destructors may look at this generator: it is finished.
    fn give_up(&self) {
        if self.phase.replace(FINISHED) == UNSTARTED {
            // SAFETY: G2: not running, so nobody else looks.
            let life = unsafe { &mut *self.life.get() };
            // SAFETY: G1: it was UNSTARTED, and is not any more.
            let waiting = unsafe { ManuallyDrop::take(&mut life.waiting) };
            drop(waiting);
        }
    }

    /// Panics because this cannot be done in this state.
    #[cold]
    #[inline(never)]
    #[track_caller]
    fn misused(&self, verb: &str) -> ! {
        match self.state() {
            State::Unstarted => {
                panic!("cannot {verb} a generator that has not been started: `start` it first")
            }
            State::Suspended => panic!("cannot {verb} a generator that has been started already"),
            State::Finished => panic!("cannot {verb} a generator that has finished"),
            _ => {
                let driver = chain::name_driver(self.link());
                panic!("cannot {verb} a generator that is running; it is driven by {driver}")
            }
        }
    }

    /// Closes a generator whose owner is gone. What cannot be closed keeps its stack for ever (L1).
    #[cold]
    #[inline(never)]
    fn drop_unfinished(&self) {
        match self.close_or_say() {
            Closing::Closed(ret) => drop(ret),
            Closing::Panicked(panic) if unwinding::own_stack_is_unwinding() => {
                payload::report("a generator's body panicked while an unwind dropped it");
                payload::discard(panic);
            }
            Closing::Panicked(panic) => resume_unwind(panic),
            stays => {
                if !matches!(stays, Closing::Running) {
                    self.link().lose();
                }
                payload::report(&format!(
                    "a generator was dropped but {stays}; its stack is leaked"
                ));
            }
        }
    }
}

/// Hands a step on to the driver, or raises what came out of the body there.
#[inline]
fn come_out<Out, Ret>(step: Result<GeneratorState<Out, Ret>, Payload>) -> GeneratorState<Out, Ret> {
    match step {
        Ok(state) => state,
        Err(payload) => resume_unwind(Raised::unwrap(payload)),
    }
}

#[cold]
#[track_caller]
fn refused(error: &std::io::Error) -> ! {
    panic!("the generator cannot start: {error}")
}

/// Whether a payload is an uncaught close.
fn is_close(payload: &Payload) -> bool {
    payload
        .downcast_ref::<Raised>()
        .is_some_and(Raised::is_close)
}

/// The `E` in a payload that is an uncaught thrown one; else the payload as it was.
fn thrown<E: Any>(payload: Payload) -> Result<E, Payload> {
    let raised = *payload.downcast::<Raised>()?;
    raised
        .downcast()
        .map_err(|raised| Box::new(raised) as Payload)
}

impl<Ret> fmt::Display for Closing<Ret> {
    /// Goes on from "the generator ..".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Closing::Closed(_) => "is closed",
            Closing::Panicked(_) => "panicked while it was being closed",
            Closing::Yielded => "yielded while it was being closed",
            Closing::Unwinding => "stands in the middle of an unwind, where nothing can be raised",
            Closing::Running => "is running",
        })
    }
}

impl<In, Out, Ret> fmt::Debug for Generator<In, Out, Ret> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator")
            .field("state", &self.state())
            .finish()
    }
}

impl<In, Out, Ret> Drop for Generator<In, Out, Ret> {
    #[inline]
    fn drop(&mut self) {
        if self.phase.get() != FINISHED {
            self.drop_unfinished();
        }
    }
}
