//! One wait and its judge (D3, L4).
//!
//! ```text
//!              ┌──▶ GRANTED + case   a waker, under the lock of the primitive, from any OS thread
//!   WAITING ───┼──▶ TIMED_OUT        the timer of the wait itself, on its OS thread
//!              ├──▶ INTERRUPTED      a request (cancellation, a frame's deadline, a deadlock), on its OS thread
//!              └──▶ ABANDONED        the end of its OS thread
//! ```
//!
//! Whoever ends a wait first wins the compare-and-swap out of WAITING; the losers do nothing more with it. The winner, and nobody else, makes the
//! owner ready.
//!
//! Invariants:
//! - W1 A wait lives on the parked stack (or in the frame of a plain function on it) and does not move while anything points to it.
//! - W2 A waker reaches a wait through a linked node, under the lock that guards the node's list: see `list`.
//! - W3 Timers and requests reach it through the owner's header, on its own OS thread.

#![expect(unsafe_code, reason = "the owner is named by address")]

use std::cell::Cell;

use super::operations::number_of;
use super::peer::{Held, Peer, mail};
use super::ready::Ready;
use crate::base::atomic::{AtomicU32, Ordering};
use crate::base::recorder::{self, Waking};

/// Not ended. Set by the owner before anybody else can see the wait.
const WAITING: u32 = 0;

/// Plus the case: ended by a waker.
const GRANTED: u32 = 1;

/// Ended by the wait's own deadline.
const TIMED_OUT: u32 = u32::MAX;

/// Ended by a request.
const INTERRUPTED: u32 = u32::MAX - 1;

/// Ended with its OS thread.
const ABANDONED: u32 = u32::MAX - 2;

/// What a wait point is called, in dumps and reports.
#[derive(Debug)]
pub(crate) struct Operation {
    /// As a user would write it: `"Mutex::lock"`.
    pub(crate) name: &'static str,

    /// The number of the name, see `operations`.
    pub(super) number: u8,

    /// Whether the end of a green thread is waited for, whose number is the node's weight.
    pub(crate) joins: bool,
}

impl Operation {
    pub(crate) const fn new(name: &'static str) -> Self {
        Operation {
            name,
            number: number_of(name),
            joins: false,
        }
    }

    /// A wait for the end of the green thread whose number is the node's weight.
    pub(crate) const fn joining(name: &'static str) -> Self {
        Operation {
            name,
            number: number_of(name),
            joins: true,
        }
    }
}

/// What a wait can do that is linked somewhere.
#[derive(Debug)]
pub(crate) struct Form {
    /// Takes it out of whatever it is linked in and hands its grant on, when its OS thread ends (L19).
    pub(super) abandon: unsafe fn(&Wait),

    /// What it waits for, see [`Wait::object`].
    pub(super) object: unsafe fn(&Wait) -> u64,

    /// Tells what it waits for, and who has it. It takes locks of primitives, and gives them back.
    pub(super) look: unsafe fn(&Wait) -> Sought,
}

/// What a wait is for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sought {
    /// The address of what it stands in line at: of one, or of the first of several; zero when there is none.
    pub(crate) object: usize,

    /// The addresses of the others.
    pub(crate) others: Vec<usize>,

    /// Who must do something before it ends.
    pub(crate) holder: Holder,
}

/// Who has what a wait is for.
#[derive(Clone, Debug, Default)]
pub(crate) enum Holder {
    /// Nobody in particular, or it is not known.
    #[default]
    Unknown,

    /// The one on whose stack this address is: see [`here`].
    Stack(usize),

    /// All of these, by their numbers.
    Threads(Vec<u64>),
}

/// An address on the stack that runs: who takes a lock leaves it there, which costs an instruction, and whoever asks finds the owner of the stack.
#[inline(always)]
pub(crate) fn here() -> usize {
    let mark = 0_u8;
    std::ptr::from_ref(&mark).addr()
}

/// Where a debugger finds what, in bytes.
pub(crate) mod layout {
    use std::mem::offset_of;

    use super::{Operation, Wait};

    /// In a wait: the judge, 4 bytes; 0 while nobody has ended it.
    pub(crate) const WORD: usize = offset_of!(Wait, word);

    /// In a wait: the address of its operation.
    pub(crate) const OPERATION: usize = offset_of!(Wait, operation);

    /// In an operation: its name, an address and a length.
    pub(crate) const NAME: usize = offset_of!(Operation, name);
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By a waker, through the node with this case number.
    Granted(u32),

    /// By its own deadline.
    TimedOut,

    /// By a request.
    Interrupted,

    /// Not yet, or with its OS thread.
    No,
}

/// One wait.
#[derive(Debug)]
pub(crate) struct Wait {
    /// The judge.
    word: AtomicU32,

    /// Who waits.
    owner: *const Peer,

    /// The line that the owner joins: compared, to tell a wake on the same OS thread from one across.
    ready: *const Ready,

    /// What for.
    operation: &'static Operation,

    /// Whether several nodes, under several locks, stand for it: then two wakers may meet at the judge, on one OS thread and across.
    many: bool,

    /// What it is a part of; none while it is linked nowhere.
    form: Cell<Option<&'static Form>>,
}

impl Wait {
    /// A wait of `owner`, who runs on this OS thread and joins `ready` when it ends.
    #[inline]
    pub(crate) fn new(owner: *const Peer, ready: &Ready, operation: &'static Operation) -> Self {
        Wait {
            word: AtomicU32::new(WAITING),
            owner,
            ready,
            operation,
            many: false,
            form: Cell::new(None),
        }
    }

    /// Says that several nodes will stand for it. Before the first is linked.
    pub(super) fn with_many_nodes(self) -> Self {
        Wait { many: true, ..self }
    }

    /// Says what it is a part of.
    #[inline(always)]
    pub(super) fn part_of(self, form: &'static Form) -> Self {
        let form = Cell::new(Some(form));
        Wait { form, ..self }
    }

    /// What it waits for: an address, or a number where its operation says so. Zero when there is nothing to name. Only while its owner is parked in it, on its OS thread.
    pub(super) fn object(&self) -> u64 {
        // SAFETY: W1, and the form was set by the maker of this very wait.
        self.form
            .get()
            .map_or(0, |form| unsafe { (form.object)(self) })
    }

    /// Who waits, by address.
    pub(super) fn owner(&self) -> *const () {
        self.owner.cast()
    }

    /// What it waits for, on its own OS thread (W3); nothing when only its owner's header leads to it.
    pub(super) fn sought(&self) -> Sought {
        match self.form.get() {
            // SAFETY: W1, and the form was set by the maker of this very wait.
            Some(form) => unsafe { (form.look)(self) },
            None => Sought::default(),
        }
    }

    pub(crate) fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// Makes it WAITING again, for the next round of the same primitive.
    #[inline]
    pub(crate) fn again(&self) {
        self.word.store(WAITING, Ordering::Relaxed);
    }

    /// How it ended.
    #[inline]
    pub(crate) fn ended(&self) -> Ended {
        match self.word.load(Ordering::Acquire) {
            WAITING | ABANDONED => Ended::No,
            TIMED_OUT => Ended::TimedOut,
            INTERRUPTED => Ended::Interrupted,
            granted => Ended::Granted(granted - GRANTED),
        }
    }

    #[inline]
    fn win(&self, outcome: u32) -> bool {
        self.word
            .compare_exchange(WAITING, outcome, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// As `win`, on the owner's OS thread and for a wait with at most one node: timers and requests are on this OS thread too, and another waker would need the lock
    /// that we hold, so nobody can come between.
    #[inline]
    fn win_here(&self, outcome: u32) -> bool {
        let won = self.word.load(Ordering::Relaxed) == WAITING;
        if won {
            self.word.store(outcome, Ordering::Release);
        }
        won
    }

    /// A grant by a waker on the owner's OS thread. One on another OS thread may hold the lock of another node.
    #[inline]
    fn win_grant_here(&self, outcome: u32) -> bool {
        if self.many {
            self.win(outcome)
        } else {
            self.win_here(outcome)
        }
    }

    /// Takes a wait back whose owner has not parked yet. False when somebody has ended it already: then that one's wake is on its way, and the owner must park for it.
    pub(super) fn take_back(&self) -> bool {
        self.win(INTERRUPTED)
    }

    /// Whether nobody has ended it.
    pub(super) fn is_open(&self) -> bool {
        self.word.load(Ordering::Acquire) == WAITING
    }

    /// Grants it; the winner gets what is left to do. Under the lock that guards a node linked to it (W2).
    #[inline]
    pub(super) fn grant(&self, case: u32) -> Option<Wake> {
        match Ready::if_current(self.ready) {
            Some(ready) => self.win_grant_here(GRANTED + case).then(|| {
                ready.push(self.owner);
                Wake(None)
            }),
            None => self.grant_across(case),
        }
    }

    /// The reference is taken before the word is won: after that the owner may leave, and end.
    fn grant_across(&self, case: u32) -> Option<Wake> {
        if let Some(ready) = Ready::if_traced(self.ready) {
            return self.grant_traced(ready, case);
        }
        // SAFETY: W2: the owner cannot leave its wait before it has had the lock that the caller holds.
        let owner = unsafe { &*self.owner }.count();
        let (id, operation) = (owner.id(), self.operation);
        self.win(GRANTED + case).then(|| {
            recorder::woken(id, &operation.name, Waking::Granted);
            Wake(Some(owner))
        })
    }

    /// On the owner's OS thread, which records.
    #[cold]
    fn grant_traced(&self, ready: &Ready, case: u32) -> Option<Wake> {
        self.win_grant_here(GRANTED + case).then(|| {
            self.wake_traced(ready, Waking::Granted);
            Wake(None)
        })
    }

    fn wake_traced(&self, ready: &Ready, how: Waking) {
        // SAFETY: W3: the owner does not leave its wait before it runs, and that is here.
        let id = unsafe { &*self.owner }.id();
        recorder::woken(id, &self.operation.name, how);
        ready.push(self.owner);
    }

    /// Ends it by its deadline, and makes the owner ready (W3).
    pub(crate) fn time_out(&self) -> bool {
        self.end_here(TIMED_OUT)
    }

    /// Ends it by a request, and makes the owner ready (W3).
    pub(crate) fn interrupt(&self) -> bool {
        self.end_here(INTERRUPTED)
    }

    /// Grants a wait that is linked nowhere, on its own OS thread (W3): whoever else could end it is on this OS thread too, so nobody can come between.
    pub(crate) fn grant_here(&self) -> bool {
        let won = self.win_here(GRANTED);
        if won {
            self.wake_owner(GRANTED);
        }
        won
    }

    fn end_here(&self, outcome: u32) -> bool {
        let won = self.win(outcome);
        if won {
            self.wake_owner(outcome);
        }
        won
    }

    /// For whoever has won it, on the owner's OS thread.
    #[inline(always)]
    fn wake_owner(&self, outcome: u32) {
        if let Some(ready) = Ready::if_current(self.ready) {
            ready.push(self.owner);
        } else if let Some(ready) = Ready::if_traced(self.ready) {
            self.wake_traced(ready, waking(outcome));
        }
    }

    /// What it waits for goes away with the OS thread, before the owner is abandoned: from now on nothing is to be told to it or handed on.
    #[cold]
    pub(super) fn lose_its_object(&self) {
        self.win(ABANDONED);
        self.form.set(None);
    }

    /// Ends it with its OS thread (L19): it is taken out of its lists, and a grant that its owner will not use goes to the next.
    pub(crate) fn end_with_thread(&self) {
        self.win(ABANDONED);
        if let Some(form) = self.form.get() {
            // SAFETY: W1, and the form was set by the maker of this very wait.
            unsafe { (form.abandon)(self) }
        }
    }
}

/// What has ended a wait like this.
fn waking(outcome: u32) -> Waking {
    match outcome {
        TIMED_OUT => Waking::TimedOut,
        INTERRUPTED => Waking::Interrupted,
        _ => Waking::Granted,
    }
}

/// A wake that was won. The owner on another OS thread is told when this is dropped: after the lock was given back.
#[derive(Debug)]
#[must_use = "dropping it under the lock would ring a bell there"]
pub(crate) struct Wake(Option<Held>);

impl Drop for Wake {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(owner) = self.0.take() {
            tell(owner);
        }
    }
}

/// Across OS threads. Out of line, so that what is left of a wake on one OS thread is a test.
#[cold]
#[inline(never)]
fn tell(owner: Held) {
    // When its OS thread has gone, that thread's end hands the grant on (L19).
    let _ = owner.post(mail::WAKE);
}
