//! What the green threads of the model share: the line of those who are ready, the loop, the clock, the history.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::barrier::Barrier;
use super::broadcast::Broadcast;
use super::channel::Channel;
use super::condvar::Condvar;
use super::coroutine::Coroutine;
use super::family::Family;
use super::frames::{Frame, Kind};
use super::groups::{JoinSet, Role};
use super::once::{Again, Once};
use super::oneshot::Oneshot;
use super::order::Order;
use super::own::{Ticks, end_locals};
use super::queue::Queue;
use super::steps;
use super::sync::{ALL, Event as Signal, Gate, Semaphore};
use super::thread::Thread;
use super::timers::{Target, Timers};
use super::wait::{Ask, Cause, Ended, Grant, Outcome, Place, Stop};
use super::watch::Watch;
use crate::history::{End, Event, Seen, Why};
use crate::program::{Body, Millis, Program};

/// All of it.
pub(super) struct World {
    /// Who runs next.
    pub(super) order: Order,

    /// Those who can run, in the order in which they became so.
    ready: RefCell<VecDeque<Rc<Thread>>>,

    /// Who runs.
    current: RefCell<Option<Rc<Thread>>>,

    /// The root, and every green thread that was started, in that order.
    threads: RefCell<Vec<Rc<Thread>>>,

    /// Those of them that can be named, by their numbers in the program.
    named: RefCell<Vec<Option<Rc<Thread>>>>,

    /// Which of them have handles that nobody has taken.
    handles: RefCell<Vec<bool>>,

    /// Whether the root has done its part: handles are not kept any more.
    closed: Cell<bool>,

    /// What time it is.
    pub(super) now: Cell<Millis>,

    /// Who waits for a moment.
    pub(super) timers: Timers,

    /// How many frames and requests there were.
    numbers: Cell<u64>,

    /// Whether there was a deadlock that the root has not been told of.
    deadlock: Cell<bool>,

    /// Whether the process has been aborted.
    aborted: Cell<bool>,

    /// What was seen.
    pub(super) events: RefCell<Vec<Event>>,

    /// Mutexes.
    pub(super) mutexes: Vec<Gate>,

    /// Semaphores.
    pub(super) semaphores: Vec<Semaphore>,

    /// Channels.
    pub(super) channels: Vec<Channel>,

    /// Events.
    pub(super) signals: Vec<Signal>,

    /// Locks for readers and writers.
    pub(super) rw_locks: Vec<Semaphore>,

    /// Queues.
    pub(super) queues: Vec<Queue>,

    /// Condition variables.
    pub(super) condvars: Vec<Condvar>,

    /// Barriers.
    pub(super) barriers: Vec<Barrier>,

    /// Oneshot channels.
    pub(super) oneshots: Vec<Oneshot>,

    /// Broadcast channels.
    pub(super) broadcasts: Vec<Broadcast>,

    /// Watched values.
    pub(super) watches: Vec<Watch>,

    /// Values that are written once.
    pub(super) onces: Vec<Once>,

    /// Mutexes that their owner may take again.
    pub(super) agains: Vec<Again>,

    /// Intervals.
    pub(super) ticks: Vec<Ticks>,

    /// The program's set, unless somebody has it.
    pub(super) set: RefCell<Option<JoinSet>>,

    /// Generators that were made, by their numbers.
    pub(super) coroutines: RefCell<Vec<Option<Rc<Coroutine>>>>,
}

impl World {
    pub(super) fn new(program: &Program, order: Option<u64>) -> Rc<Self> {
        let (objects, threads) = (&program.objects, program.threads());
        Rc::new(World {
            order: Order::new(order),
            ready: RefCell::default(),
            current: RefCell::default(),
            threads: RefCell::default(),
            named: RefCell::new(vec![None; threads]),
            handles: RefCell::new(vec![false; threads]),
            closed: Cell::new(false),
            now: Cell::new(0),
            timers: Timers::default(),
            numbers: Cell::new(0),
            deadlock: Cell::new(false),
            aborted: Cell::new(false),
            events: RefCell::default(),
            mutexes: (0..objects.mutexes).map(|_| Gate::default()).collect(),
            semaphores: objects
                .semaphores
                .iter()
                .map(|n| Semaphore::new(*n))
                .collect(),
            channels: objects.channels.iter().map(|n| Channel::new(*n)).collect(),
            signals: (0..objects.events).map(|_| Signal::default()).collect(),
            rw_locks: (0..objects.rw_locks).map(|_| Semaphore::new(ALL)).collect(),
            queues: objects
                .queues
                .iter()
                .map(|queue| Queue::new(*queue))
                .collect(),
            condvars: (0..objects.condvars).map(|_| Condvar::default()).collect(),
            barriers: objects.barriers.iter().map(|n| Barrier::new(*n)).collect(),
            oneshots: (0..objects.oneshots).map(|_| Oneshot::default()).collect(),
            broadcasts: objects
                .broadcasts
                .iter()
                .map(|n| Broadcast::new(*n))
                .collect(),
            watches: (0..objects.watches).map(|_| Watch::default()).collect(),
            onces: (0..objects.onces).map(|_| Once::default()).collect(),
            agains: (0..objects.reentrants).map(|_| Again::default()).collect(),
            ticks: objects
                .intervals
                .iter()
                .map(|kind| Ticks::new(*kind))
                .collect(),
            set: RefCell::new(Some(JoinSet::default())),
            coroutines: RefCell::new(vec![None; program.generators()]),
        })
    }

    pub(super) fn note(&self, who: usize, step: usize, what: Seen) {
        let at = self.now.get();
        self.events.borrow_mut().push(Event {
            at,
            who,
            step,
            what,
        });
    }

    /// A panic that nobody joins.
    pub(super) fn report(&self, cause: Cause) {
        let step = match cause {
            Cause::Step(step) => step,
            Cause::Deadlock | Cause::Close | Cause::Thrown(_) | Cause::NobodyWon => 0,
        };
        self.note(0, step, Seen::Reported);
    }

    pub(super) fn next_number(&self) -> u64 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    /// Who runs.
    pub(super) fn current(&self) -> Rc<Thread> {
        let current = self.current.borrow();
        Rc::clone(current.as_ref().expect("somebody runs"))
    }

    pub(super) fn make_ready(&self, thread: &Rc<Thread>) {
        self.ready.borrow_mut().push_back(Rc::clone(thread));
    }

    /// Takes one in.
    pub(super) fn admit(&self, thread: &Rc<Thread>) {
        self.threads.borrow_mut().push(Rc::clone(thread));
        self.make_ready(thread);
    }

    /// How many green threads have not ended.
    pub(super) fn alive(&self) -> usize {
        let threads = self.threads.borrow();
        threads
            .iter()
            .skip(1)
            .filter(|thread| !thread.has_ended())
            .count()
    }

    /// How many generators are not at their end.
    pub(super) fn open(&self) -> usize {
        let coroutines = self.coroutines.borrow();
        coroutines
            .iter()
            .flatten()
            .filter(|coroutine| !coroutine.has_ended())
            .count()
    }

    /// Breaks the circles of what is left.
    pub(super) fn let_go(&self) {
        self.ready.take();
        self.timers.clear();
        self.current.take();
        self.set.take();
        for coroutine in self.coroutines.take().into_iter().flatten() {
            coroutine.end();
        }
        self.named.take();
        for thread in self.threads.take() {
            thread.let_go();
        }
    }
}

/// The loop.
impl World {
    /// Until the root has ended, or the process.
    pub(super) fn turn_until_end(&self, root: &Thread) {
        while !root.has_ended() && !self.aborted.get() {
            let next = self.ready.borrow_mut().pop_front();
            match next {
                Some(thread) => {
                    self.current.replace(Some(Rc::clone(&thread)));
                    thread.run();
                    if self.order.looks() {
                        self.fire_timers();
                    }
                }
                None => self.idle(),
            }
            self.choose();
        }
    }

    /// The first in line and the chosen one change places.
    fn choose(&self) {
        let mut ready = self.ready.borrow_mut();
        if !ready.is_empty() {
            let chosen = self.order.next_of(ready.len());
            ready.swap(0, chosen);
        }
    }

    /// Nobody is ready: time goes on, or it is a deadlock.
    fn idle(&self) {
        self.fire_timers();
        if !self.ready.borrow().is_empty() {
            return;
        }
        match self.timers.earliest() {
            Some(deadline) => {
                self.now.set(self.now.get().max(deadline));
                self.fire_timers();
            }
            None => self.report_deadlock(),
        }
    }

    fn fire_timers(&self) {
        if self.timers.is_empty() {
            return;
        }
        while self.ready.borrow().is_empty() || !self.order.puts_off() {
            match self.timers.pop_due(self.now.get()) {
                Some(Target::Wait(wait)) => drop(wait.end(self, Ended::TimedOut)),
                Some(Target::Frame(frame)) => self.fire_frame(&frame),
                None => return,
            }
        }
    }

    /// The root is told; if it stands where it must not be disturbed, everybody is cancelled first.
    fn report_deadlock(&self) {
        let first = !self.deadlock.replace(true);
        let root = Rc::clone(&self.threads.borrow()[0]);
        let Some(wait) = root.wait() else {
            return;
        };
        if wait.interruptible {
            wait.end(self, Ended::Interrupted);
        } else if first {
            self.cancel_everybody(&root);
        } else {
            self.aborted.set(true);
        }
    }

    fn cancel_everybody(&self, root: &Rc<Thread>) {
        let request = || self.request(Some(Why::Deadlock), true);
        self.pass_on(root, None, request());
        for thread in self.left() {
            self.cancel(&thread, request());
        }
    }

    /// Every green thread that has not ended.
    fn left(&self) -> Vec<Rc<Thread>> {
        let threads = self.threads.borrow();
        let left = threads.iter().skip(1).filter(|thread| !thread.has_ended());
        left.cloned().collect()
    }

    /// Whether there was a deadlock; it is told once.
    pub(super) fn take_deadlock(&self) -> bool {
        self.deadlock.replace(false)
    }
}

/// Lives of green threads.
impl World {
    /// Starts one. It can be named at once where whoever starts it gets a handle, else when it begins.
    pub(super) fn spawn(
        self: &Rc<Self>,
        number: usize,
        body: &Body,
        member: Option<(Rc<Family>, usize, Rc<Frame>)>,
        role: Role,
    ) -> Rc<Thread> {
        let thread = Thread::new(number, member);
        if let Role::Plain = role {
            self.name(&thread);
        }
        let life = live(Rc::clone(self), Rc::clone(&thread), Body::clone(body), role);
        thread.begin(Box::pin(life));
        self.admit(&thread);
        thread
    }

    /// From now on it can be named.
    fn name(&self, thread: &Rc<Thread>) {
        self.named.borrow_mut()[thread.number] = Some(Rc::clone(thread));
    }

    pub(super) fn named(&self, number: usize) -> Option<Rc<Thread>> {
        self.named.borrow()[number].clone()
    }

    /// How many numbers there are.
    pub(super) fn known(&self) -> usize {
        self.named.borrow().len()
    }

    /// Keeps a handle for whoever takes it.
    pub(super) fn keep_handle(&self, thread: &Thread) {
        if self.closed.get() {
            self.detach(thread);
        } else {
            self.handles.borrow_mut()[thread.number] = true;
        }
    }

    /// Takes the handle of this one, if it is there.
    pub(super) fn take_handle(&self, number: usize) -> Option<Rc<Thread>> {
        let there = std::mem::take(&mut self.handles.borrow_mut()[number]);
        there.then(|| self.named(number)).flatten()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// The root has done its part.
    pub(super) async fn close(&self) {
        self.closed.set(true);
        let count = self.handles.borrow().len();
        for thread in (0..count).filter_map(|number| self.take_handle(number)) {
            self.detach(&thread);
        }
        let set = self.set.take();
        set.into_iter().for_each(|set| self.drop_set(set));
        let coroutines = self.coroutines.borrow().clone();
        for coroutine in coroutines.into_iter().flatten() {
            // Whatever comes out of it is dropped.
            let _ = coroutine.close(self).await;
        }
    }

    /// Nobody will join it.
    pub(super) fn detach(&self, thread: &Thread) {
        match thread.end() {
            Some(end) => self.report_end(thread, end),
            None => thread.detached.set(true),
        }
    }

    fn report_end(&self, thread: &Thread, end: End) {
        if let (End::Panicked(step), None) = (end, &thread.member) {
            self.report(step.map_or(Cause::NobodyWon, Cause::Step));
        }
    }

    /// Waits until it has ended; false when that takes too long.
    pub(super) async fn wait_over(
        &self,
        thread: &Thread,
        deadline: Option<Millis>,
    ) -> Result<bool, Stop> {
        let place = Rc::new(Place::default());
        while !thread.has_ended() {
            let ask = Ask {
                line: Some((&thread.joiners, &place)),
                deadline,
                grant: Grant::Keep,
                left: &|| (),
            };
            if self.park(ask).await? == Outcome::TimedOut {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The end of `run`: cancels what is left, and waits for it.
    pub(super) async fn end_what_was_left(&self) -> Result<(), Stop> {
        let shield = self.enter(Kind::Shield);
        loop {
            let left = self.left();
            if left.is_empty() {
                break;
            }
            for thread in &left {
                self.cancel(thread, self.request(Some(Why::EndOfRun), true));
            }
            for thread in &left {
                self.wait_over(thread, None).await?;
            }
            self.yield_now().await?;
        }
        self.leave(&shield);
        Ok(())
    }
}

/// The whole life of a green thread.
async fn live(world: Rc<World>, me: Rc<Thread>, body: Body, role: Role) {
    let pending = *me.request.borrow();
    let end = match pending {
        // It was cancelled before it began, so it never runs.
        Some(request) => End::Cancelled(request.reason),
        None => {
            let done = do_all(&world, &me, &body, role).await;
            // The scope has its error before its locals end.
            let failed = matches!(done, Err(Stop::Fail(step)) if world.child_failed(&me, step));
            end_locals(&world, &me).await;
            match done {
                Ok(()) => End::Done,
                Err(_) if failed => End::Cancelled(Some(Why::ItsError)),
                Err(stop) => world.explain(&me, stop),
            }
        }
    };
    *me.request.borrow_mut() = None;
    if me.detached.get() {
        world.report_end(&me, end);
    }
    me.finish(end);
    me.joiners.wake_all(&world);
    if let Some((tally, place)) = me.watcher.take() {
        tally.note(&world, place);
    }
    world.child_left(&me);
}

async fn do_all(world: &Rc<World>, me: &Rc<Thread>, body: &Body, role: Role) -> Result<(), Stop> {
    world.name(me);
    let done = steps::thread(world, me.number, body).await;
    match role {
        Role::Plain | Role::Member => done,
        Role::Runner(finish) => world.cross(&finish, done),
    }
}

impl World {
    /// How one ends that was stopped.
    fn explain(&self, me: &Thread, stop: Stop) -> End {
        match stop {
            Stop::Fail(step) => End::Failed(step),
            Stop::Request(super::frames::What::Cancelled(request)) => {
                End::Cancelled(request.reason)
            }
            Stop::Request(_) | Stop::Kept => End::Cancelled(None),
            Stop::Panic(cause) if me.member.is_some() => {
                self.child_panicked(me, cause);
                End::Panicked(None)
            }
            Stop::Panic(cause) => cause.end(),
        }
    }
}
