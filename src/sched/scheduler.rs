//! The scheduler of one OS thread: made on first use, gone with the OS thread (D2).
//!
//! It owns the green threads of its OS thread and knows which one runs. Switching is in `switch`, the loop in `turn`, the end in `exit`.
//!
//! Invariants:
//! - S1 It is reached on its own OS thread alone, through `CURRENT`, and lives until that OS thread's end (`exit`).
//! - S2 `current` is the green thread or root whose code runs; null while the loop runs something of its own.
//! - S3 `all` owns one reference to every green thread that has not ended; `ready` names green threads of `all` (or the root), each at most once.
//! - S4 No borrow of a field is held across a switch (L6).

#![expect(unsafe_code, reason = "one scheduler an OS thread, reached by address")]

use std::cell::{Cell, OnceCell, RefCell, RefMut, UnsafeCell};
use std::collections::VecDeque;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use super::beat::Beat;
use super::clock::{Clock, Deadline};
use super::counts::Counts;
use super::frame::{self, Deadlines, Due, Target};
use super::header::{Counted, Header};
use super::hooks::Hooks;
use super::inbox::Home;
use super::ledger::Ledger;
use super::peer::mail;
use super::reactor::Reactor;
use super::ready::Ready;
use super::residents;
use super::shuffle::Shuffle;
use super::stint::Stint;
use super::survey::Visit;
use super::timers::Timers;
use super::vigil::{self, Vigil};
use super::wait::{Operation, Wait};
use super::work::Seat;
use crate::base::atomic::thread_local;
use crate::base::biased::Biased;
use crate::base::lock;
use crate::base::random::{Random, mix};
use crate::stack::backtrace::Backtrace;
use crate::stack::chain;
use crate::stack::coroutine::{Coroutine, Yielder};
use crate::stack::pool::{self, Stack};

thread_local! {
    /// S1; null before the first use and after the end.
    static CURRENT: Cell<*const Scheduler> = const { Cell::new(ptr::null()) };
}

/// The scheduler of one OS thread.
pub(crate) struct Scheduler {
    /// S2.
    current: Cell<*const Header>,

    /// Runs next, in this order (D8).
    pub(super) ready: Ready,

    /// What time it is, and who waits for a moment.
    deadlines: Deadlines,

    /// What other OS threads may hold of this one.
    home: Biased<Home>,

    /// The OS thread's own stack.
    pub(super) root: Counted,

    /// The loop's stack, until the loop is made. Taken with the scheduler: a wait that found none would unwind with its node linked.
    pub(super) loop_stack: RefCell<Option<Stack>>,

    /// The loop, on a stack of its own; made when the root first waits.
    pub(super) looper: UnsafeCell<Option<Coroutine<(), (), ()>>>,

    /// What the loop suspends with.
    pub(super) loop_yielder: Cell<*const Yielder<(), ()>>,

    /// How many resumes are left before the loop looks at time and IO.
    pub(super) countdown: Cell<u32>,

    /// How many they are.
    pub(super) stint: Stint,

    /// When sockets are looked at next although there is somebody in line.
    pub(super) next_poll: Cell<Deadline>,

    /// What the clock said when the loop noted the time last.
    pub(super) lately: Cell<Deadline>,

    /// How often the loop has looked up while somebody was in line.
    pub(super) looks: Cell<u32>,

    /// Whether they were looked at since the last thought of it.
    pub(super) polled: Cell<bool>,

    /// How many of those who stood in line after the last poll have not had their turn since.
    pub(super) lap: Cell<usize>,

    /// Made by the first source that must be waited for.
    reactor: OnceCell<Reactor>,

    /// S3.
    pub(super) all: RefCell<Vec<Counted>>,

    /// Green threads that have ended, and for which callbacks that were added later are called here.
    pub(super) called_late: RefCell<Vec<Counted>>,

    /// Green threads for which there was no stack, not even the spare one.
    pub(super) refused: RefCell<VecDeque<*const Header>>,

    /// Kept back, so that a closure for which there is no stack is dropped on one (L18).
    pub(super) spare: RefCell<Option<Stack>>,

    /// Whether somebody stands on the spare stack, or waits for one.
    pub(super) lacks_stacks: Cell<bool>,

    /// Who stands on the spare stack.
    pub(super) on_spare: Cell<*const Header>,

    /// How much is going on outside that may wake us: jobs on other OS threads, child processes.
    pub(super) outside: Cell<usize>,

    /// How many scopes that were entered here have children on workers, and have not been left.
    lent_out: Cell<usize>,

    /// How many green threads here wait for a socket.
    pub(super) sources_waited: Cell<usize>,

    /// What `Runtime` has set.
    hooks: Hooks,

    /// Where it takes work that has not begun, if this OS thread is a worker.
    pub(super) seat: OnceCell<Seat>,

    /// The report of a deadlock that has not been raised yet (L8).
    pub(super) deadlock: RefCell<Option<String>>,

    /// Set by the end of the OS thread: the loop returns.
    pub(super) ending: Cell<bool>,

    /// Whether the loop is under way, so that the root stands in a wait.
    pub(super) looping: Cell<bool>,

    /// What the loop does differently while this OS thread records.
    pub(super) ledger: Ledger,

    /// Whether the root waits for work, and would go after a while.
    pub(super) resting: Cell<bool>,

    /// Whether it pays to stay awake before sleeping.
    pub(super) vigil: Vigil,

    /// Whether the loop looks up after each turn, for a watchdog or because who runs next is chosen.
    pub(super) looks_each_turn: Cell<bool>,

    /// Who runs next, if that is chosen.
    pub(super) shuffle: Shuffle,

    /// Noted for the watchdog, if there is one.
    pub(super) beat: RefCell<Option<Arc<Beat>>>,

    /// A survey that is under way here.
    pub(super) visit: RefCell<Option<Visit>>,

    /// Where the green thread that is asked writes where it stands; null while none is.
    pub(super) asked: Cell<*mut Backtrace>,

    /// What `stats` is told.
    pub(super) counts: Counts,
}

impl Scheduler {
    /// This OS thread's scheduler, if it was made and has not ended.
    #[inline(always)]
    pub(crate) fn if_made() -> Option<&'static Scheduler> {
        // SAFETY: S1.
        unsafe { CURRENT.with(Cell::get).as_ref() }
    }

    /// Makes this OS thread's scheduler, and the root's link with it.
    ///
    /// # Panics
    /// When there is no stack for its loop.
    pub(super) fn make() -> &'static Scheduler {
        lock::prepare();
        vigil::has_several_cores();
        let scheduler = Box::leak(Box::new(Scheduler::new()));
        scheduler.adopt_root();
        scheduler.lately.set(scheduler.clock().lately());
        scheduler.ready.make_current();
        residents::move_in(&scheduler.root, &scheduler.counts);
        CURRENT.with(|current| current.set(scheduler));
        scheduler
    }

    fn new() -> Self {
        let home = Home::new();
        let root = super::root::make(home.clone());
        Scheduler {
            current: Cell::new(root.as_ptr()),
            ready: Ready::new(),
            deadlines: Deadlines::default(),
            home,
            root,
            loop_stack: RefCell::new(Some(stack_of_its_own())),
            looper: UnsafeCell::new(None),
            loop_yielder: Cell::new(ptr::null()),
            countdown: Cell::new(0),
            stint: Stint::new(),
            next_poll: Cell::new(Deadline::BEGINNING),
            lately: Cell::new(Deadline::BEGINNING),
            looks: Cell::new(0),
            polled: Cell::new(false),
            lap: Cell::new(0),
            reactor: OnceCell::new(),
            all: RefCell::default(),
            called_late: RefCell::default(),
            refused: RefCell::default(),
            spare: RefCell::new(Some(stack_of_its_own())),
            lacks_stacks: Cell::new(false),
            on_spare: Cell::new(ptr::null()),
            outside: Cell::new(0),
            lent_out: Cell::new(0),
            sources_waited: Cell::new(0),
            hooks: Hooks::default(),
            seat: OnceCell::new(),
            deadlock: RefCell::default(),
            ending: Cell::new(false),
            looping: Cell::new(false),
            ledger: Ledger::default(),
            resting: Cell::new(false),
            vigil: Vigil::new(),
            looks_each_turn: Cell::new(false),
            shuffle: Shuffle::new(),
            beat: RefCell::default(),
            visit: RefCell::default(),
            asked: Cell::new(ptr::null_mut()),
            counts: Counts::new(),
        }
    }

    /// Gives the root its place at the end of the chain.
    fn adopt_root(&self) {
        let link = super::root::link(&self.root);
        // SAFETY: H2: this is its OS thread.
        unsafe { self.root.local() }.base.set(link);
        // SAFETY: the root's header, and the link in it, live as long as the scheduler; `forget_current` takes it away.
        unsafe { chain::adopt_root(link) };
    }

    /// Whether a request or a deadlock may end the root's wait.
    pub(super) fn root_can_be_interrupted(&self) -> bool {
        // SAFETY: H2: this is its OS thread.
        unsafe { self.root.local() }.interruptible.get()
    }

    /// From now on this OS thread has no scheduler (S1).
    pub(super) fn forget_current() {
        CURRENT.with(|current| current.set(ptr::null()));
        Ready::forget_current();
        // SAFETY: null.
        unsafe { chain::adopt_root(ptr::null()) };
    }

    /// This OS thread's scheduler, if `header` belongs to it.
    pub(crate) fn of(header: &Header) -> Option<&'static Scheduler> {
        let scheduler = Scheduler::if_made()?;
        scheduler.is_home_of(header).then_some(scheduler)
    }

    /// Whether `header` belongs to this OS thread.
    #[inline]
    pub(crate) fn is_home_of(&self, header: &Header) -> bool {
        header.home().is_some_and(|home| self.home.ptr_eq(home))
    }

    pub(crate) fn home(&self) -> &Biased<Home> {
        &self.home
    }

    pub(crate) fn clock(&self) -> &Clock {
        self.deadlines.clock()
    }

    pub(crate) fn deadlines(&self) -> &Deadlines {
        &self.deadlines
    }

    pub(crate) fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    pub(crate) fn timers(&self) -> RefMut<'_, Timers<Target>> {
        self.deadlines.timers()
    }

    /// Whether its OS thread ends: nobody is run here any more.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.get()
    }

    /// The reactor, if a source has made it.
    pub(crate) fn reactor_if_made(&self) -> Option<&Reactor> {
        self.reactor.get()
    }

    /// The reactor, made now if need be.
    pub(crate) fn reactor(&self) -> std::io::Result<&Reactor> {
        if let Some(reactor) = self.reactor.get() {
            return Ok(reactor);
        }
        let (reactor, waker) = Reactor::new()?;
        self.home.ring_by(waker);
        Ok(self.reactor.get_or_init(|| reactor))
    }

    /// The green thread or root whose code runs, by address (S2).
    #[inline]
    pub(crate) fn current(&self) -> *const Header {
        self.current.get()
    }

    #[inline]
    pub(super) fn set_current(&self, header: *const Header) {
        self.current.set(header);
    }

    /// The green thread or root whose code runs.
    #[inline(always)]
    pub(crate) fn current_header(&self) -> &Header {
        // SAFETY: S2, S3: code runs, so it is not null, and it has not ended.
        unsafe { &*self.current.get() }
    }

    /// A wait of the green thread or root whose code runs.
    #[inline(always)]
    pub(super) fn new_wait(&self, operation: &'static Operation) -> Wait {
        Wait::new(self.current.get().cast(), &self.ready, operation)
    }

    pub(crate) fn is_root(&self, header: &Header) -> bool {
        ptr::eq(header, &*self.root)
    }

    /// Whether the code that runs stands on the stack of the root or green thread itself, and in no generator.
    pub(crate) fn is_on_base(&self) -> bool {
        // SAFETY: H2: this is its OS thread.
        ptr::eq(
            chain::running(),
            unsafe { self.current_header().local() }.base.get(),
        )
    }

    /// How many scopes that were entered here have children on workers, and have not been left.
    pub(crate) fn lent_out(&self) -> usize {
        self.lent_out.get()
    }

    /// One scope more has lent something out.
    pub(crate) fn begin_lending(&self) {
        self.lent_out.set(self.lent_out.get() + 1);
    }

    /// The last child of such a scope has ended.
    pub(crate) fn end_lending(&self) {
        self.lent_out.set(self.lent_out.get() - 1);
    }

    /// Whether there may be something to raise in what runs now.
    #[inline(always)]
    pub(crate) fn has_requests(&self) -> bool {
        self.current_header().is_requested() || self.deadlines.any_fired()
    }

    /// What a wait point must raise now. Asked after each wait, and nearly always nothing.
    #[inline(always)]
    pub(crate) fn due(&self) -> Option<Due> {
        if self.has_requests() {
            self.find_due()
        } else {
            None
        }
    }

    /// The same, when there may be something somewhere on this OS thread.
    #[cold]
    #[inline(never)]
    fn find_due(&self) -> Option<Due> {
        // SAFETY: the running chain is running.
        unsafe { frame::due(chain::running(), self.current_header().is_requested()) }
    }

    /// Puts a green thread or the root at the end of the line.
    #[inline(always)]
    pub(super) fn make_ready(&self, header: *const Header) {
        self.ready.push(header.cast());
    }

    /// Bytes of stack for those who do not say.
    #[inline]
    pub(crate) fn stack_size(&self) -> usize {
        self.hooks.stack_size.get().unwrap_or(pool::DEFAULT_SIZE)
    }

    /// Takes one in that was made where it was not known what this OS thread gives to those who do not say.
    pub(crate) fn take_in(&self, header: Counted) {
        // SAFETY: H2: this is its OS thread.
        let size = &unsafe { header.local() }.stack_size;
        if size.get() == 0 {
            size.set(self.stack_size());
        }
        self.admit(header);
    }

    /// Takes a new green thread of this OS thread in, to be run in its turn.
    #[inline(always)]
    pub(crate) fn admit(&self, header: Counted) {
        let address = header.as_ptr();
        let mut all = self.all.borrow_mut();
        // SAFETY: H2: this is its OS thread.
        let local = unsafe { header.local() };
        local.place.set(all.len());
        local.run.set(self.run_number());
        all.push(header);
        drop(all);
        self.counts.spawns.add_one();
        self.make_ready(address);
    }

    /// Takes an ended green thread out of the list of all (S3).
    #[inline]
    pub(super) fn dismiss(&self, header: &Header) -> Counted {
        // SAFETY: H2: this is its OS thread.
        let place = unsafe { header.local() }.place.get();
        let mut all = self.all.borrow_mut();
        let counted = all.swap_remove(place);
        if let Some(moved) = all.get(place) {
            // SAFETY: as above.
            unsafe { moved.local() }.place.set(place);
        }
        counted
    }

    /// Somebody here is about to call late callbacks of `header`; until [`end_calling_late`](Self::end_calling_late) its joiners rely on this OS thread.
    pub(crate) fn begin_calling_late(&self, header: Counted) {
        self.called_late.borrow_mut().push(header);
    }

    /// What runs calls late callbacks of `header` in `f`, so that its waiting for `header` would be for ever.
    pub(crate) fn calling_for(&self, header: &Header, f: impl FnOnce()) {
        // SAFETY: H2: the running one belongs to this OS thread.
        let calls_for = &unsafe { self.current_header().local() }.calls_for;
        let before = calls_for.replace(ptr::from_ref(header).cast());
        f();
        calls_for.set(before);
    }

    /// Whether the end of `header` waits for what runs now.
    pub(crate) fn is_awaited_by(&self, header: &Header) -> bool {
        let running = self.current_header();
        // SAFETY: H2: the running one belongs to this OS thread.
        let calls_for = unsafe { running.local() }.calls_for.get();
        ptr::eq(running, header) || ptr::eq(calls_for, ptr::from_ref(header).cast())
    }

    /// They have been called.
    pub(crate) fn end_calling_late(&self, header: &Header) {
        let mut called = self.called_late.borrow_mut();
        if let Some(place) = called.iter().position(|other| ptr::eq(&**other, header)) {
            called.swap_remove(place);
        }
    }

    /// Every green thread of this OS thread that has not ended, in the order of their ids.
    pub(crate) fn everybody(&self) -> Vec<Counted> {
        let mut all = self.all.borrow().clone();
        all.sort_by_key(|header| header.id());
        all
    }

    /// The number of the `run` that is under way; zero outside.
    pub(super) fn run_number(&self) -> u32 {
        self.hooks.run.get()
    }

    /// A new `run` begins. When the loop looks at time then does not depend on what ran before (D8).
    pub(crate) fn begin_run(&self) {
        self.hooks.runs.set(self.hooks.runs.get() + 1);
        self.hooks.run.set(self.hooks.runs.get());
        self.hooks.run_stands_on.set(chain::running());
        self.begin_countdown_anew();
    }

    /// Whether the `run` under way stands in a generator that is known to be driven by nobody any more.
    pub(crate) fn run_is_lost(&self) -> bool {
        // SAFETY: C3 of `chain`, L1: not followed before the first `run`, nor unless the last has not left the stack.
        let stands_on = || unsafe { self.hooks.run_stands_on.get().as_ref() };
        self.run_number() != 0 && stands_on().is_some_and(chain::Link::is_lost)
    }

    /// Every green thread that was spawned here during this `run` and has not ended; but not the one that asks, which may drive the generator that the `run` stands in.
    pub(crate) fn left_by_run(&self) -> Vec<Counted> {
        let ending = self.current_header().id();
        let mut left = self.everybody();
        // SAFETY: H2: this is their OS thread.
        left.retain(|header| unsafe { header.local() }.run.get() == self.run_number());
        left.retain(|header| header.id() != ending);
        left
    }

    /// Where the chain of `header` begins, whether it runs or is parked.
    pub(super) fn innermost_of(&self, header: &Header) -> *const chain::Link {
        if ptr::eq(self.current.get(), header) {
            return chain::running();
        }
        // SAFETY: H2: this is its OS thread.
        unsafe { header.local() }.innermost.get()
    }

    /// The wait in which `header`, which belongs here, is parked.
    pub(crate) fn wait_of(&self, header: &Header) -> Option<&Wait> {
        // SAFETY: H2: this is its OS thread.
        let wait = unsafe { header.local() }.wait.get();
        // SAFETY: W1.
        unsafe { wait.as_ref() }
    }

    /// Has this OS thread watched, or no longer; what was in force before comes back.
    pub(crate) fn watch(&self, beat: Option<Arc<Beat>>) -> Option<Arc<Beat>> {
        if let Some(beat) = &beat {
            beat.rest();
        }
        residents::watch(&self.root, beat.clone());
        let before = self.beat.replace(beat);
        self.begin_to_look();
        before
    }

    /// How long one may hold this OS thread, if that is watched.
    pub(crate) fn watch_limit(&self) -> Option<Duration> {
        self.beat.borrow().as_ref().map(|beat| beat.limit())
    }

    /// From now on who runs next follows from `seed`; with none, from the order of the line (D8).
    pub(crate) fn shuffle(&self, seed: Option<u64>) {
        self.shuffle.begin(seed);
        let of_timers = |seed| Random::new(mix(seed).rotate_left(32));
        self.timers().choose_by(seed.map(of_timers));
        self.begin_to_look();
        if seed.is_some() {
            // The loop may not look up before it takes the next in line, but for a letter.
            self.root.post(mail::LOOK);
        }
    }

    /// What tells the choices of this run so far from others.
    pub(crate) fn print_of_choices(&self) -> u64 {
        self.shuffle.print()
    }

    /// At the next look the countdown begins as it must be now.
    fn begin_to_look(&self) {
        self.countdown.set(1);
        let is_watched = self.beat.borrow().is_some();
        self.looks_each_turn.set(is_watched || self.shuffle.is_on());
    }

    /// Counts something outside that may wake us; see [`Outside`].
    pub(crate) fn begin_outside(&'static self) -> Outside {
        self.outside.set(self.outside.get() + 1);
        Outside { scheduler: self }
    }
}

/// A stack that the scheduler needs for itself.
fn stack_of_its_own() -> Stack {
    pool::take(pool::DEFAULT_SIZE)
        .unwrap_or_else(|error| panic!("greenthread: no stack for the loop: {error}"))
}

/// While it lives, somebody here waits for a socket.
#[derive(Debug)]
pub(super) struct WaitingOnSource<'a> {
    /// Counts it.
    scheduler: &'a Scheduler,
}

impl Scheduler {
    pub(super) fn begin_waiting_on_source(&self) -> WaitingOnSource<'_> {
        self.sources_waited.set(self.sources_waited.get() + 1);
        WaitingOnSource { scheduler: self }
    }
}

impl Drop for WaitingOnSource<'_> {
    fn drop(&mut self) {
        let waited = &self.scheduler.sources_waited;
        waited.set(waited.get() - 1);
    }
}

/// While it lives, silence is no deadlock and a virtual clock does not jump: something outside is at work for us.
#[derive(Debug)]
pub(crate) struct Outside {
    /// Counts it.
    scheduler: &'static Scheduler,
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.scheduler.outside.set(self.scheduler.outside.get() - 1);
    }
}

impl std::fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheduler")
            .field("thread", &self.home.thread())
            .finish_non_exhaustive()
    }
}
