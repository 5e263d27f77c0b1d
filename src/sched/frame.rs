//! Frames: what `timeout`, `shield`, `catch_cancel` and `scope` set up on the stack on which they were entered (D9).
//!
//! ```text
//!   running chain, from the inside out:
//!
//!     generator  ──▶ green thread ──▶
//!       │ frames        │ frames
//!       ▼               ▼
//!     timeout         shield
//!       ▼               ▼
//!     catch           timeout
//! ```
//!
//! A frame acts, for whoever drives its stack, only while that stack is part of the running chain; a suspended generator takes its frames with it
//! (L12). What a wait point must raise is found by walking from the inside out and stopping at a shield: a cancellation first, else the fired
//! deadline that is earliest, the outer one of equals.
//!
//! Invariants:
//! - F1 A frame does not move while it is entered; it is left in the reverse order of entering, on the stack where it was entered.
//! - F2 `Deadlines::fired` counts the entered frames of this OS thread that have fired and were not consumed.

#![expect(
    unsafe_code,
    reason = "frames are linked by address through the stacks that hold them"
)]

use std::cell::{Cell, RefCell, RefMut};
use std::ptr;

use super::clock::{Clock, Deadline};
use super::peer::Held;
use super::request::Request;
use super::timers::{Timer, Timers};
use super::wait::Wait;
use crate::stack::chain::{self, Link};

/// What a timer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The wait at this address.
    Wait(*const Wait),

    /// The frame at this address.
    Frame(*const Frame),
}

/// The deadlines of one OS thread: of waits, and of frames.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    /// What time it is.
    clock: Clock,

    /// Who waits for a moment.
    timers: RefCell<Timers<Target>>,

    /// F2.
    fired: Cell<usize>,
}

impl Deadlines {
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn timers(&self) -> RefMut<'_, Timers<Target>> {
        self.timers.borrow_mut()
    }

    /// Whether some frame of this OS thread has fired and was not consumed.
    #[inline(always)]
    pub(crate) fn any_fired(&self) -> bool {
        self.fired.get() != 0
    }
}

/// What a frame does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Raises when its deadline has fired.
    Timeout,

    /// Lets nothing from outside through.
    Shield,

    /// Passes a request on to the children at once; raises in the body when a child has failed, which is its way of firing.
    Scope {
        /// Notes the request for children to come, and tells who has to be asked to end.
        forward: fn(*const (), &Request) -> Vec<Held>,

        /// Whether a child has failed on another OS thread, which cannot reach the frame.
        has_failed: fn(*const ()) -> bool,

        /// Of what: the argument for both.
        children: *const (),
    },
}

/// One frame.
#[derive(Debug)]
pub(crate) struct Frame {
    /// What it does.
    kind: Kind,

    /// The next older one on the same stack.
    older: Cell<*const Frame>,

    /// The stack on which it was entered.
    stack: Cell<*const Link>,

    /// Tells it from every other frame, for payloads that outlive it.
    id: u64,

    /// When it fires or fired.
    deadline: Cell<Deadline>,

    /// F2: whether its deadline has fired and was not consumed.
    fired: Cell<bool>,

    /// Fires it.
    timer: Timer<Target>,
}

/// What a wait point must raise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// The cancellation that is pending on the green thread.
    Cancel,

    /// The timeout with this number: its deadline has passed.
    Timeout(u64),

    /// The scope whose frame has this number: a part of it has failed.
    Scope(u64),
}

impl Frame {
    /// Runs `f` inside a new frame of this kind on the innermost stack.
    pub(crate) fn enter<R>(deadlines: &Deadlines, kind: Kind, f: impl FnOnce(&Frame) -> R) -> R {
        let frame = Frame {
            kind,
            older: Cell::new(ptr::null()),
            stack: Cell::new(chain::running()),
            id: super::ids::next(),
            deadline: Cell::new(Deadline::NEVER),
            fired: Cell::new(false),
            timer: Timer::new(),
        };
        frame.link();
        let entered = Entered {
            frame: &frame,
            deadlines,
        };
        f(entered.frame)
    }

    fn stack(&self) -> &Link {
        // SAFETY: F1: this frame stands on that stack (C3 of `chain`); with a scheduler there is always a link, the root's at least.
        unsafe { &*self.stack.get() }
    }

    fn link(&self) {
        self.older.set(self.stack().frames().cast());
        self.stack().set_frames(ptr::from_ref(self).cast());
    }

    /// Tells it from every other frame.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// When it fires or fired.
    pub(crate) fn deadline(&self) -> Deadline {
        self.deadline.get()
    }

    pub(crate) fn has_fired(&self) -> bool {
        self.fired.get()
    }

    /// Sets or moves its deadline; nothing changes when it has fired.
    pub(crate) fn set_deadline(&self, deadlines: &Deadlines, deadline: Deadline) {
        if self.fired.get() {
            return;
        }
        let mut timers = deadlines.timers();
        timers.remove(&self.timer);
        self.deadline.set(deadline);
        // SAFETY: F1; `Entered` removes it on the way out.
        unsafe { timers.set(&self.timer, Target::Frame(self), deadline) }
    }

    /// Makes it as if its deadline had not fired, without setting it anew (`catch_cancel`).
    pub(crate) fn consume(&self, deadlines: &Deadlines) {
        if self.fired.replace(false) {
            deadlines.fired.set(deadlines.fired.get() - 1);
        }
    }

    /// What it asks of those inside of it, once it has fired. The failure of a scope cannot be consumed (L9).
    pub(super) fn request(&self) -> Request {
        match self.kind {
            Kind::Scope { .. } => Request::scope_failed(),
            Kind::Timeout | Kind::Shield => Request::elapsed(self.id),
        }
    }

    /// Makes it fired: by its timer, or again after `consume`.
    pub(crate) fn fire(&self, deadlines: &Deadlines) {
        if !self.fired.replace(true) {
            deadlines.fired.set(deadlines.fired.get() + 1);
        }
    }

    /// Makes it fired before its timer does.
    pub(super) fn fire_early(&self, deadlines: &Deadlines) {
        deadlines.timers().remove(&self.timer);
        self.fire(deadlines);
    }

    /// Makes it fired now, whatever its deadline: a child of its scope has failed.
    pub(crate) fn fail(&self, deadlines: &Deadlines) {
        if !self.has_fired() {
            self.deadline.set(deadlines.clock().now());
            self.fire(deadlines);
        }
    }

    /// Whether it was entered on this stack.
    pub(super) fn stands_on(&self, stack: *const Link) -> bool {
        ptr::eq(self.stack.get(), stack)
    }

    /// The green thread or root in whose chain this frame stands, as its link names it; null while its generator is suspended.
    pub(crate) fn owner(&self) -> *const () {
        // SAFETY: F1: the stack is alive, and so is whatever drives it (C2 of `chain`).
        let outermost = unsafe { chain::outward(self.stack.get()) }.last();
        outermost.map_or(ptr::null(), Link::owner)
    }
}

/// Leaves the frame on every way out.
struct Entered<'a> {
    /// The frame.
    frame: &'a Frame,

    /// Of its OS thread.
    deadlines: &'a Deadlines,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let frame = self.frame;
        debug_assert!(
            ptr::eq(frame.stack().frames().cast(), frame),
            "frames were left out of order (F1)"
        );
        frame.stack().set_frames(frame.older.get().cast());
        self.deadlines.timers().remove(&frame.timer);
        frame.consume(self.deadlines);
    }
}

/// The frames of the chain whose innermost stack this is, from the inside out.
///
/// # Safety
/// The chain runs or is parked as a whole on this OS thread, and stays so while the iterator is used.
unsafe fn outward<'a>(innermost: *const Link) -> impl Iterator<Item = &'a Frame> {
    // SAFETY: the caller's duty.
    let links = unsafe { chain::outward(innermost) };
    links.flat_map(|link| {
        // SAFETY: F1: entered frames are alive.
        let newest = unsafe { link.frames().cast::<Frame>().as_ref() };
        // SAFETY: as above.
        std::iter::successors(newest, |frame| unsafe { frame.older.get().as_ref() })
    })
}

/// What a wait point of this chain must raise; `cancelled` tells whether a cancellation is pending on its green thread.
///
/// # Safety
/// As for `outward`.
pub(crate) unsafe fn due(innermost: *const Link, cancelled: bool) -> Option<Due> {
    let mut earliest: Option<&Frame> = None;
    let mut shielded = false;
    // SAFETY: the caller's duty.
    for frame in unsafe { outward(innermost) } {
        match frame.kind {
            Kind::Shield => {
                shielded = true;
                break;
            }
            Kind::Timeout | Kind::Scope { .. } if frame.has_fired() => {
                let later = earliest.is_some_and(|other| other.deadline() < frame.deadline());
                earliest = if later { earliest } else { Some(frame) };
            }
            Kind::Timeout | Kind::Scope { .. } => {}
        }
    }
    if cancelled && !shielded {
        return Some(Due::Cancel);
    }
    earliest.map(|frame| match frame.kind {
        Kind::Scope { .. } => Due::Scope(frame.id),
        Kind::Timeout | Kind::Shield => Due::Timeout(frame.id),
    })
}

/// Passes a request on to the scopes in force between its origin (a frame, or the base of the chain) and the innermost stack: their children are to be asked to end.
///
/// # Safety
/// As for `outward`; the scopes' `children` are alive as long as their frames are entered.
pub(crate) unsafe fn forward(
    innermost: *const Link,
    origin: *const Frame,
    request: &Request,
) -> Vec<Held> {
    let mut scopes = Vec::new();
    // SAFETY: the caller's duty.
    for frame in unsafe { outward(innermost) } {
        if ptr::eq(frame, origin) {
            break;
        }
        match frame.kind {
            // What stands inside the shield is not reached from out here.
            Kind::Shield => scopes.clear(),
            Kind::Scope {
                forward, children, ..
            } => scopes.push((forward, children)),
            Kind::Timeout => {}
        }
    }
    let from_the_outside = scopes.into_iter().rev();
    from_the_outside
        .flat_map(|(forward, children)| forward(children, request))
        .collect()
}

/// The scopes in force in which a child has failed on another OS thread, and that have not fired yet.
///
/// # Safety
/// As for `forward`; and for the use of what is returned.
pub(crate) unsafe fn failed<'a>(innermost: *const Link) -> Vec<&'a Frame> {
    // SAFETY: the caller's duty.
    let frames = unsafe { outward(innermost) };
    let failed = |frame: &&Frame| match frame.kind {
        Kind::Scope {
            has_failed,
            children,
            ..
        } => !frame.has_fired() && has_failed(children),
        Kind::Timeout | Kind::Shield => false,
    };
    frames.filter(failed).collect()
}

/// The frames of the chain whose deadline has passed, although nobody has fired them yet. What time it is, is asked only if there is a deadline.
///
/// # Safety
/// As for `outward`; and for the use of what is returned.
pub(crate) unsafe fn passed<'a>(
    innermost: *const Link,
    now: impl FnOnce() -> Deadline,
) -> Vec<&'a Frame> {
    // SAFETY: the caller's duty.
    let waiting = || unsafe { outward(innermost) }.filter(|frame| frame.timer.is_set());
    if waiting().next().is_none() {
        return Vec::new();
    }
    let now = now();
    waiting().filter(|frame| frame.deadline() <= now).collect()
}

/// The entered frame with this number in the chain, if it is still there.
///
/// # Safety
/// As for `outward`.
pub(crate) unsafe fn find<'a>(innermost: *const Link, id: u64) -> Option<&'a Frame> {
    // SAFETY: the caller's duty.
    unsafe { outward(innermost) }.find(|frame| frame.id == id)
}
