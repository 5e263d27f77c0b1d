//! Waiting for whichever of several things comes first: one wait, and one judge, with a node in each of several lists.
//!
//! ```text
//!   owner:   join list 0   join list 1   ..   park   leave list 0   leave list 1   ..   then raise, or go on
//!   waker of list 1:           lock 1, unlink, win the judge, unlock
//! ```
//!
//! It is not for one thing: that is `park`, whose judge needs no compare-and-swap.
//!
//! Invariants:
//! - O1 A node joins its list only if, under the same lock, what it waits for is not there. If it is there, the owner takes its wait back (W: a compare-and-swap)
//!   and looks again; if it cannot, somebody has granted it already.
//! - O2 Whoever has granted the wait makes the owner ready, or posts a letter that does. So an owner that was granted before it has parked parks all the same.
//! - O3 Every node has left its list, under that list's lock, before `wait_for_any` returns or raises (N2, L5), and when its OS thread ends (L19). Parking does not unwind.
//! - O4 A grant through one node says nothing about the others. An unused one is given back by the node that it came through (L4 b).

#![expect(unsafe_code, reason = "links nodes of this stack into lists of others")]

use super::clock::Deadline;
use super::list::{Node, WaitList};
use super::park::{Grant, checkpoint, may_raise, park_until};
use super::payload;
use super::scheduler::Scheduler;
use super::wait::{Ended, Form, Holder, Operation, Sought, Wait};
use crate::base::lock::Lock;

/// How a wait for one of several ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// A waker came for the place with this number.
    Granted(usize),

    /// The place with this number need not wait; nothing was granted.
    Open(usize),

    /// The deadline came first.
    TimedOut,
}

/// A place in one list, whatever the list's lock guards.
pub(crate) struct Place<'a, S> {
    /// Linked while waiting.
    node: Node,

    /// Guards the list.
    queue: &'a Lock<S>,

    /// The list.
    list: fn(&mut S) -> &mut WaitList,

    /// Whether what it waits for is there already (O1).
    is_open: fn(&mut S, Others<'_>) -> bool,

    /// What becomes of an unused grant.
    grant: Grant<S>,
}

/// Tells others in a list from the one who asks.
#[derive(Clone, Copy)]
pub(crate) struct Others<'a>(&'a Wait);

impl Others<'_> {
    /// Whether anybody else waits in `list`.
    pub(crate) fn are_in(self, list: &WaitList) -> bool {
        list.has_other(self.0)
    }
}

impl<'a, S> Place<'a, S> {
    /// Place `number` of those that are waited for together; it joins no list yet.
    pub(crate) fn new(
        number: usize,
        queue: &'a Lock<S>,
        list: fn(&mut S) -> &mut WaitList,
        is_open: fn(&mut S, Others<'_>) -> bool,
        grant: Grant<S>,
    ) -> Self {
        let case = u32::try_from(number).expect("fewer places than 2^32");
        Place {
            node: Node::new(case, 0),
            queue,
            list,
            is_open,
            grant,
        }
    }

    /// Says what whoever wakes it is told. Between waits.
    pub(crate) fn set_weight(&self, weight: usize) {
        self.node.set_weight(weight);
    }
}

/// What a wait does with its places; they differ in what their locks guard, and in nothing else.
pub(crate) trait Line {
    /// O1: joins, or says false because what is waited for is there.
    ///
    /// # Safety
    /// N2: neither `self` nor `wait` moves before `leave` was called.
    unsafe fn join(&self, wait: &Wait) -> bool;

    /// Leaves, if it is still there.
    fn leave(&self);

    /// What to do with a grant that a request keeps its owner from using; false when it is to be used all the same (L4 c).
    fn give_back(&self) -> bool;

    /// What to do with a grant when the owner's OS thread ends (L19).
    fn hand_on(&self);

    /// The address of what it stands in line at.
    fn object(&self) -> usize;
}

impl<S> Line for Place<'_, S> {
    unsafe fn join(&self, wait: &Wait) -> bool {
        let mut held = self.queue.lock();
        if (self.is_open)(&mut held, Others(wait)) {
            return false;
        }
        // SAFETY: N2 is the caller's duty.
        unsafe { (self.list)(&mut held).link(&self.node, wait) };
        true
    }

    fn leave(&self) {
        let held = self.queue.lock();
        // SAFETY: `held` guards the list that the node is linked in.
        unsafe { self.node.unlink() };
        drop(held);
    }

    fn give_back(&self) -> bool {
        let give_back = self.grant.give_back();
        if let Some(give_back) = give_back {
            give_back(self.queue, &self.node);
        }
        give_back.is_some()
    }

    fn hand_on(&self) {
        if let Some(hand_on) = self.grant.hand_on() {
            hand_on(self.queue, &self.node);
        }
    }

    fn object(&self) -> usize {
        std::ptr::from_ref(self.queue).addr()
    }
}

/// One wait with its places.
#[repr(C)]
struct Choice<'a> {
    /// The judge; first, so that its address is the choice's.
    wait: Wait,

    /// In the order of their numbers.
    lines: &'a [&'a dyn Line],
}

/// Parks until one of `lines` is granted, or until `deadline`; joins them beginning with number `first`. A place that comes again keeps its turn (D8).
///
/// Raises a request that is due instead of parking, and one that comes meanwhile.
///
/// # Panics
/// When this OS thread's thread-locals are gone already.
pub(crate) fn wait_for_any(
    operation: &'static Operation,
    lines: &[&dyn Line],
    first: usize,
    deadline: Option<Deadline>,
) -> Chosen {
    let scheduler = Scheduler::get();
    let interruptible = may_raise();
    if interruptible {
        checkpoint(scheduler);
    }
    let wait = scheduler.new_wait(operation).part_of(&Choice::FORM);
    let choice = Choice {
        wait: wait.with_many_nodes(),
        lines,
    };
    let open = choice.join_all(first);
    if let Some(open) = open
        && choice.wait.take_back()
    {
        choice.leave_all();
        return Chosen::Open(open);
    }
    match deadline {
        None => scheduler.park(&choice.wait, interruptible),
        Some(deadline) => park_until(scheduler, &choice.wait, interruptible, deadline),
    }
    choice.leave_all();
    choice.outcome(scheduler, interruptible)
}

impl<'a> Choice<'a> {
    /// What its wait can do.
    const FORM: Form = Form {
        abandon: Self::abandon,
        object: |_| 0,
        look: Self::look,
    };

    /// What it waits for.
    ///
    /// # Safety
    /// `wait` is the first field of a choice that is parked on this OS thread.
    unsafe fn look(wait: &Wait) -> Sought {
        // SAFETY: the caller's duty; `Choice` is `repr(C)` with the wait first.
        let choice = unsafe { &*std::ptr::from_ref(wait).cast::<Choice<'a>>() };
        let mut objects = choice.lines.iter().map(|line| line.object());
        Sought {
            object: objects.next().unwrap_or(0),
            others: objects.collect(),
            holder: Holder::Unknown,
        }
    }

    /// Joins one after the other, up to the first that need not wait.
    fn join_all(&self, first: usize) -> Option<usize> {
        let count = self.lines.len();
        (0..count)
            .map(|step| (first + step) % count)
            .find(|&number| {
                // SAFETY: O3: the wait is in the frame of `wait_for_any`, the place behind a reference that outlives it, and both leave before that frame does.
                !unsafe { self.lines[number].join(&self.wait) }
            })
    }

    /// O3.
    fn leave_all(&self) {
        self.lines.iter().for_each(|line| line.leave());
    }

    /// After every node was unlinked.
    fn outcome(&self, scheduler: &Scheduler, interruptible: bool) -> Chosen {
        match self.wait.ended() {
            Ended::Granted(case) => {
                let number = case as usize;
                if interruptible {
                    self.check_after_grant(scheduler, number);
                } else {
                    scheduler.tell_of_deadlock();
                }
                Chosen::Granted(number)
            }
            Ended::TimedOut => {
                if interruptible {
                    checkpoint(scheduler);
                }
                Chosen::TimedOut
            }
            Ended::Interrupted | Ended::No => scheduler.raise_interruption(),
        }
    }

    /// L4 b.
    fn check_after_grant(&self, scheduler: &Scheduler, number: usize) {
        if scheduler.has_requests()
            && let Some(due) = scheduler.due()
            && self.lines[number].give_back()
        {
            payload::raise(scheduler.current_header(), due)
        }
    }

    /// L19: out of every list, and a grant that will not be used goes to the next.
    ///
    /// # Safety
    /// `wait` is the first field of a choice that is parked on this OS thread.
    unsafe fn abandon(wait: &Wait) {
        // SAFETY: the caller's duty; `Choice` is `repr(C)` with the wait first.
        let choice = unsafe { &*std::ptr::from_ref(wait).cast::<Choice<'a>>() };
        choice.leave_all();
        if let Ended::Granted(case) = wait.ended() {
            choice.lines[case as usize].hand_on();
        }
    }
}
