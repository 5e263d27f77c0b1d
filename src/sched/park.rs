//! The one door to suspend (D3): every wait of the crate goes through here, with a name and perhaps a deadline.
//!
//! ```text
//!   let waiter = Waiter::new(queue, &OPERATION, weight, give_back);
//!   let mut state = queue.lock();
//!   if state.can_go_on() { return .. }                             // try first
//!   waiter.park(state, |s| &mut s.waiters, deadline)               // links the node, unlocks, switches away
//! ```
//!
//! On the way in: a pending request is raised before anything is linked (L9). On the way out: the node, the timer and the interest are unlinked before
//! anything is raised (L5); one who finds itself granted and also requested gives the grant back first (L4 b), unless there is nothing to give
//! back to, because a value was handed over (L4 c).

#![expect(unsafe_code, reason = "links nodes of this stack into lists of others")]

use std::time::{Duration, Instant};

use super::clock::Deadline;
use super::frame::Target;
use super::header::Header;
use super::list::{Node, WaitList};
use super::payload;
use super::scheduler::Scheduler;
use super::timers::Timer;
use super::wait::{Ended, Form, Holder, Operation, Sought, Wait};
use crate::base::lock::{Lock, LockGuard};
use crate::base::recorder;
use crate::stack::unwinding;

/// How a wait that was not raised out of ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A waker came.
    Granted,

    /// The wait's own deadline came first.
    TimedOut,
}

/// What becomes of a grant whose receiver is not going to use it.
pub(crate) enum Grant<S> {
    /// It goes back by this call, then the request is raised: locks, permits, batons. Nothing to give back is the empty call.
    GiveBack(fn(&Lock<S>, &Node)),

    /// The same, where one who leaves without a grant may have stood in the way of those behind.
    InTurn {
        /// Gives a grant back.
        give_back: fn(&Lock<S>, &Node),

        /// Serves those behind.
        left: fn(&Lock<S>),

        /// Tells who has it, where that is known.
        holder: fn(&S) -> Holder,
    },

    /// The same as `GiveBack`, where it is known who has it.
    Held {
        /// Gives a grant back.
        give_back: fn(&Lock<S>, &Node),

        /// Tells who has it.
        holder: fn(&S) -> Holder,
    },

    /// The same as `Keep`, where it is known who will bring it.
    Awaited(fn(&S) -> Holder),

    /// It is a value that has left its sender: it is delivered, and the request is raised at the next wait point (L4 c).
    Keep,

    /// The same, where the end of the receiver's OS thread hands the value on by this call (L19).
    Deliver(fn(&Lock<S>, &Node)),
}

impl<S> Grant<S> {
    /// What a receiver does that is also requested.
    #[inline]
    pub(super) fn give_back(self) -> Option<fn(&Lock<S>, &Node)> {
        match self {
            Grant::GiveBack(give_back)
            | Grant::Held { give_back, .. }
            | Grant::InTurn { give_back, .. } => Some(give_back),
            Grant::Keep | Grant::Awaited(_) | Grant::Deliver(_) => None,
        }
    }

    /// Who has it, where that is known.
    fn holder(self) -> Option<fn(&S) -> Holder> {
        match self {
            Grant::Held { holder, .. } | Grant::InTurn { holder, .. } => Some(holder),
            Grant::Awaited(holder) => Some(holder),
            Grant::GiveBack(_) | Grant::Keep | Grant::Deliver(_) => None,
        }
    }

    /// What the end of the receiver's OS thread does.
    pub(super) fn hand_on(self) -> Option<fn(&Lock<S>, &Node)> {
        match self {
            Grant::Deliver(hand_on) => Some(hand_on),
            other => other.give_back(),
        }
    }
}

impl<S> Clone for Grant<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Grant<S> {}

/// Whether a request may end the wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Yes.
    Interruptible,

    /// No: what is waited for must have ended before anybody goes on (L11, L16).
    Protected,
}

/// The running green thread's or root's place in line at `queue`.
#[repr(C)]
pub(crate) struct Waiter<'a, S> {
    /// The judge; first, so that its address is the waiter's.
    wait: Wait,

    /// Linked while parked.
    node: Node,

    /// Guards the list that the node is linked in.
    queue: &'a Lock<S>,

    /// What becomes of an unused grant.
    grant: Grant<S>,

    /// Whether a request may end the wait.
    mode: Mode,

    /// This OS thread's.
    scheduler: &'static Scheduler,
}

impl<'a, S> Waiter<'a, S> {
    /// A place in line, not taken yet. `weight` is told to whoever looks at the node.
    ///
    /// # Panics
    /// When this OS thread's thread-locals are gone already.
    #[inline(always)]
    pub(crate) fn new(
        queue: &'a Lock<S>,
        operation: &'static Operation,
        weight: usize,
        grant: Grant<S>,
    ) -> Self {
        Waiter::on(Scheduler::get(), queue, operation, weight, grant)
    }

    /// The same, for whoever has asked for this OS thread's scheduler already.
    #[inline(always)]
    pub(crate) fn on(
        scheduler: &'static Scheduler,
        queue: &'a Lock<S>,
        operation: &'static Operation,
        weight: usize,
        grant: Grant<S>,
    ) -> Self {
        Waiter {
            wait: scheduler.new_wait(operation).part_of(const { &Self::FORM }),
            node: Node::new(0, weight),
            queue,
            grant,
            mode: Mode::Interruptible,
            scheduler,
        }
    }

    /// As [`new`](Self::new), for a wait that no request ends; the grant is given back only by the end of the OS thread.
    pub(crate) fn protected(
        queue: &'a Lock<S>,
        operation: &'static Operation,
        grant: Grant<S>,
    ) -> Self {
        Waiter {
            mode: Mode::Protected,
            ..Waiter::new(queue, operation, 0, grant)
        }
    }
}

impl<'a, S> Waiter<'a, S> {
    /// What its wait can do.
    const FORM: Form = Form {
        abandon: Self::abandon,
        object: Self::object,
        look: Self::look,
    };

    /// Parks until woken, or until `deadline`: links into the list that `list` names, gives the lock back, and switches away. May be called again
    /// after a grant; the place in line is kept (D8).
    ///
    /// Raises a request that is due instead of parking, and one that comes meanwhile.
    #[inline(always)]
    pub(crate) fn park(
        &self,
        held: LockGuard<'a, S>,
        list: impl FnOnce(&mut S) -> &mut WaitList,
        deadline: Option<Deadline>,
    ) -> Outcome {
        self.park_after(held, list, deadline, || ())
    }

    /// As [`park`](Self::park); `last` is done when nothing is raised any more before parking, the node is linked and the lock given back. It must not wait.
    #[inline(always)]
    pub(crate) fn park_after(
        &self,
        mut held: LockGuard<'a, S>,
        list: impl FnOnce(&mut S) -> &mut WaitList,
        deadline: Option<Deadline>,
        last: impl FnOnce(),
    ) -> Outcome {
        let interruptible = self.mode == Mode::Interruptible && may_raise();
        if interruptible && self.scheduler.has_requests() {
            held = self.raise_due(held);
        }
        self.wait.again();
        // SAFETY: N2: the reference to this waiter lasts as long as the call, which is not left, by its end or by raising, before the node is unlinked.
        unsafe { list(&mut held).link(&self.node, &self.wait) };
        drop(held);
        last();
        match deadline {
            None => self.scheduler.park(&self.wait, interruptible),
            Some(deadline) => park_until(self.scheduler, &self.wait, interruptible, deadline),
        }
        self.leave(interruptible)
    }

    /// The weight, as the waker may have changed it.
    pub(crate) fn weight(&self) -> usize {
        self.node.weight()
    }

    /// L9: before anything is linked.
    #[cold]
    fn raise_due(&self, held: LockGuard<'a, S>) -> LockGuard<'a, S> {
        match self.scheduler.due() {
            None => held,
            Some(due) => {
                drop(held);
                payload::raise(self.scheduler.current_header(), due)
            }
        }
    }

    #[inline(always)]
    fn leave(&self, interruptible: bool) -> Outcome {
        match self.wait.ended() {
            Ended::Granted(_) => {
                if !interruptible {
                    self.leave_protected();
                } else if self.scheduler.has_requests() {
                    self.check_after_grant();
                }
                Outcome::Granted
            }
            ended => self.leave_ungranted(ended),
        }
    }

    /// Whoever waits in a protected mode asks for a deadlock itself.
    #[cold]
    fn leave_protected(&self) {
        if self.mode == Mode::Interruptible {
            self.scheduler.tell_of_deadlock();
        }
    }

    /// L4 b.
    #[cold]
    fn check_after_grant(&self) {
        let Some(give_back) = self.grant.give_back() else {
            return;
        };
        if let Some(due) = self.scheduler.due() {
            give_back(self.queue, &self.node);
            payload::raise(self.scheduler.current_header(), due)
        }
    }

    #[cold]
    fn leave_ungranted(&self, ended: Ended) -> Outcome {
        self.leave_line();
        match ended {
            Ended::TimedOut => {
                // A request that came meanwhile; but not out of a protected wait (L11).
                if self.mode == Mode::Interruptible {
                    checkpoint(self.scheduler);
                }
                Outcome::TimedOut
            }
            _ => self.scheduler.raise_interruption(),
        }
    }

    /// L5, for one who got nothing.
    fn leave_line(&self) {
        self.unlink();
        if let Grant::InTurn { left, .. } = self.grant {
            left(self.queue);
        }
    }

    fn unlink(&self) {
        let held = self.queue.lock();
        // SAFETY: `held` guards the list that the node is linked in.
        unsafe { self.node.unlink() };
        drop(held);
    }

    /// The lock of what it waits for, by address; the green thread that it joins, by number.
    ///
    /// # Safety
    /// As for `abandon`.
    unsafe fn object(wait: &Wait) -> u64 {
        // SAFETY: the caller's duty, as in `abandon`.
        let waiter = unsafe { &*std::ptr::from_ref(wait).cast::<Waiter<'a, S>>() };
        if wait.operation().joins {
            waiter.node.weight() as u64 | recorder::JOINED
        } else {
            std::ptr::from_ref(waiter.queue).addr() as u64
        }
    }

    /// L19: out of the list, and a grant that will not be used goes to the next.
    ///
    /// # Safety
    /// `wait` is the first field of a waiter of this type that is parked on this OS thread.
    unsafe fn abandon(wait: &Wait) {
        // SAFETY: the caller's duty; `Waiter` is `repr(C)` with the wait first.
        let waiter = unsafe { &*std::ptr::from_ref(wait).cast::<Waiter<'a, S>>() };
        match (wait.ended(), waiter.grant.hand_on()) {
            (Ended::Granted(_), Some(hand_on)) => hand_on(waiter.queue, &waiter.node),
            (Ended::Granted(_), None) => {}
            _ => waiter.leave_line(),
        }
    }
}

impl<S> Waiter<'_, S> {
    /// What it waits for.
    ///
    /// # Safety
    /// `wait` is the first field of a waiter of this type that is parked on this OS thread.
    unsafe fn look(wait: &Wait) -> Sought {
        // SAFETY: the caller's duty; `Waiter` is `repr(C)` with the wait first.
        let waiter = unsafe { &*std::ptr::from_ref(wait).cast::<Waiter<'_, S>>() };
        let holder = waiter.grant.holder();
        Sought {
            object: std::ptr::from_ref(waiter.queue).addr(),
            others: Vec::new(),
            holder: holder.map_or(Holder::Unknown, |holder| holder(&waiter.queue.lock())),
        }
    }
}

/// L10: nothing is raised while the running chain unwinds.
#[cfg(not(loom))]
#[inline(always)]
pub(crate) fn may_raise() -> bool {
    !std::thread::panicking() || !unwinding::chain_is_unwinding()
}

/// The model checker's threads share one OS thread and so one count of panics; models wait in no destructor.
#[cfg(loom)]
pub(crate) fn may_raise() -> bool {
    true
}

/// Whether a request's payload unwinds the running chain: IO that would park then fails at once (L10). The process is asked first, because its word is at hand, and
/// that part of a header is not.
pub(crate) fn request_unwinds(header: &Header) -> bool {
    use crate::base::atomic::Ordering;
    std::thread::panicking()
        && header.payloads().load(Ordering::Relaxed) > 0
        && unwinding::chain_is_unwinding()
}

impl Scheduler {
    /// Raises what ended a wait by INTERRUPTED: a request, or a deadlock on the root (L8).
    #[cold]
    pub(super) fn raise_interruption(&self) -> ! {
        if let Some(due) = self.due() {
            payload::raise(self.current_header(), due)
        }
        match self.take_deadlock() {
            Some(report) => panic!("{report}"),
            None => unreachable!("a wait was interrupted with nothing to raise"),
        }
    }
}

/// Parks with a timer beside the wait.
pub(super) fn park_until(
    scheduler: &Scheduler,
    wait: &Wait,
    interruptible: bool,
    deadline: Deadline,
) {
    let timer = Timer::new();
    // SAFETY: T2: the timer is taken out below, on the only way out: parking does not unwind.
    unsafe {
        scheduler.timers().set(&timer, Target::Wait(wait), deadline);
    }
    scheduler.park(wait, interruptible);
    scheduler.timers().remove(&timer);
}

/// Parks on nothing but a deadline, or on what finds the wait through the header (`unpark`).
///
/// A request is raised, after `give_back` when the wait was granted.
pub(crate) fn park_alone(
    operation: &'static Operation,
    deadline: Option<Deadline>,
    give_back: impl FnOnce(),
) -> Outcome {
    let scheduler = Scheduler::get();
    let wait = scheduler.new_wait(operation);
    let interruptible = may_raise();
    if interruptible {
        checkpoint(scheduler);
    }
    match deadline {
        None => scheduler.park(&wait, interruptible),
        Some(deadline) => park_until(scheduler, &wait, interruptible, deadline),
    }
    match wait.ended() {
        Ended::Granted(_) => {
            if !interruptible {
                scheduler.tell_of_deadlock();
            } else if let Some(due) = scheduler.due() {
                give_back();
                payload::raise(scheduler.current_header(), due);
            }
            Outcome::Granted
        }
        Ended::TimedOut => {
            if interruptible {
                checkpoint(scheduler);
            }
            Outcome::TimedOut
        }
        Ended::Interrupted | Ended::No => scheduler.raise_interruption(),
    }
}

/// Raises what is due in the running chain, unless it unwinds.
#[inline(always)]
pub(crate) fn checkpoint(scheduler: &Scheduler) {
    if scheduler.has_requests() {
        raise_if_due(scheduler);
    }
}

#[cold]
fn raise_if_due(scheduler: &Scheduler) {
    if may_raise()
        && let Some(due) = scheduler.due()
    {
        payload::raise(scheduler.current_header(), due);
    }
}

/// Raises what is due in what runs now, after `give_back`; for one who parked and left that wait without raising.
pub(crate) fn raise_due_after(give_back: impl FnOnce()) {
    let scheduler = Scheduler::get();
    if scheduler.has_requests() && may_raise() && scheduler.due().is_some() {
        give_back();
        checkpoint(scheduler);
    }
}

/// Lets everybody who is ready go first, then raises what is due.
#[inline(always)]
pub(crate) fn let_others_go_first() {
    let scheduler = Scheduler::get();
    scheduler.yield_now();
    checkpoint(scheduler);
}

/// The number of the running green thread or root: unique in the process, never zero.
pub(crate) fn who() -> u64 {
    Scheduler::get().current_header().id()
}

/// The present moment, by this OS thread's clock.
pub(crate) fn now() -> Deadline {
    Scheduler::get().clock().now()
}

/// The moment `duration` from now, by this OS thread's clock.
pub(crate) fn deadline_in(duration: Duration) -> Deadline {
    now().after(duration)
}

/// The moment of `instant`.
pub(crate) fn deadline_at(instant: Instant) -> Deadline {
    Deadline::at(instant)
}
