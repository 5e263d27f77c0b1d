//! What is run: a tree of steps for each green thread, over a few shared objects.
//!
//! There are no loops, so each step is done at most once: its number says what it is in a history, and is the item that it sends. Programs are
//! written as text in RON and read from it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Steps, one after another.
pub(crate) type Body = Arc<Vec<Step>>;

/// Milliseconds of virtual time.
pub(crate) type Millis = u64;

/// What is done in the generator with number n is noted as done by this and n.
pub(crate) const GENERATORS: usize = 100;

/// A whole program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Program {
    /// What the steps share.
    pub(crate) objects: Objects,

    /// The seeds of the schedules under which it is run, beside the order of the line.
    pub(crate) shuffles: Vec<u64>,

    /// What the root does.
    pub(crate) main: Body,
}

/// The shared objects; steps name them by their places.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Objects {
    /// How many mutexes there are.
    pub(crate) mutexes: usize,

    /// The permits of each semaphore.
    pub(crate) semaphores: Vec<usize>,

    /// The capacity of each channel; none for an unbounded one.
    pub(crate) channels: Vec<Option<usize>>,

    /// How many events there are.
    pub(crate) events: usize,

    /// How many locks for readers and writers there are.
    #[serde(default)]
    pub(crate) rw_locks: usize,

    /// The queues.
    #[serde(default)]
    pub(crate) queues: Vec<Queue>,

    /// How many condition variables there are.
    #[serde(default)]
    pub(crate) condvars: usize,

    /// The parties of each barrier.
    #[serde(default)]
    pub(crate) barriers: Vec<usize>,

    /// How many oneshot channels there are.
    #[serde(default)]
    pub(crate) oneshots: usize,

    /// How many messages each broadcast channel keeps; each has two receivers.
    #[serde(default)]
    pub(crate) broadcasts: Vec<usize>,

    /// How many watched values there are; each has two receivers.
    #[serde(default)]
    pub(crate) watches: usize,

    /// How many values are there that are written once.
    #[serde(default)]
    pub(crate) onces: usize,

    /// How many mutexes there are that their owner may take again.
    #[serde(default)]
    pub(crate) reentrants: usize,

    /// The intervals.
    #[serde(default)]
    pub(crate) intervals: Vec<Interval>,
}

/// Ticks at even distances of so many milliseconds, and what becomes of those that nobody was there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Interval {
    /// They come one after the other.
    Burst(Millis),

    /// They are left out, and the next comes a whole period later.
    Delay(Millis),

    /// They are left out, and the next comes when it would have come anyway.
    Skip(Millis),
}

/// A queue: which item comes out first, and how many it holds at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Queue {
    /// The oldest.
    Line(Option<usize>),

    /// The newest.
    Pile(Option<usize>),

    /// The smallest.
    Order(Option<usize>),
}

/// One step: its number in the program, from 1, and what it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step(pub(crate) usize, pub(crate) Op);

/// How long a step waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum How {
    /// Until it is served.
    Wait,

    /// Not at all.
    Try,

    /// So long.
    Within(Millis),
}

/// One of several that are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Arm {
    /// To send the step's own number through this channel.
    Send(usize),

    /// To receive from this channel.
    Recv(usize),

    /// To receive the moment that is so far off when the selection begins.
    After(Millis),
}

/// For which of many one waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Until {
    /// The first to end.
    First,

    /// The first to panic or to be cancelled.
    FirstError,

    /// All.
    All,
}

/// What becomes of a request that was caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Then {
    /// It is over.
    GoOn,

    /// It is raised again, as if it had not been caught.
    Resume,
}

/// What a step does. Green threads are named by their numbers: the root is 0, the others are numbered in the order in which they stand in the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Op {
    /// Sleeps so long.
    Sleep(Millis),

    /// Lets the others go first.
    Yield,

    /// Raises what is pending.
    Checkpoint,

    /// Does the body inside this mutex.
    Lock(usize, How, Body),

    /// Does the body with so many permits of this semaphore.
    Acquire(usize, usize, How, Body),

    /// Sends the step's own number through this channel.
    Send(usize, How),

    /// Receives from this channel.
    Recv(usize, How),

    /// Does the first of these that can be done.
    Select(Vec<Arm>, How),

    /// Gives the program's own sender of this channel up.
    DropSender(usize),

    /// Gives the program's own receiver of this channel up.
    DropReceiver(usize),

    /// Sets this event.
    Set(usize),

    /// Clears it.
    Clear(usize),

    /// Waits for it.
    Await(usize, How),

    /// Does the body as a reader of this lock.
    Read(usize, How, Body),

    /// Does the body as the writer of this lock.
    Write(usize, How, Body),

    /// Puts the step's own number into this queue.
    Put(usize, How),

    /// Gets an item of this queue.
    Get(usize, How),

    /// Closes this queue.
    CloseQueue(usize),

    /// Says that an item of this queue is dealt with, if any is not.
    TaskDone(usize),

    /// Waits until all are.
    JoinQueue(usize, How),

    /// Waits for this condition variable inside this mutex.
    WaitCond(usize, usize, How),

    /// Wakes one who waits for it.
    NotifyOne(usize),

    /// Wakes all.
    NotifyAll(usize),

    /// Meets the others at this barrier.
    Meet(usize, How),

    /// Breaks it.
    AbortBarrier(usize),

    /// Makes it as new.
    ResetBarrier(usize),

    /// Sends the step's own number through this oneshot channel, if its sender is there.
    SendOne(usize),

    /// Receives from it.
    RecvOne(usize, How),

    /// Gives its sender up.
    DropOneSender(usize),

    /// Gives its receiver up.
    DropOneReceiver(usize),

    /// Parks.
    Park(How),

    /// Wakes this green thread from that, or lets it pass the next time.
    Unpark(usize),

    /// Makes the generator with this number.
    Generator(usize, Body),

    /// In a generator: gives the step's own number to whoever drives it, and takes what it is sent.
    YieldOut,

    /// Drives this generator, with the step's own number.
    Drive(usize),

    /// Closes this generator.
    Close(usize),

    /// Raises the step's own number where this generator stands, as a panic would be.
    Throw(usize),

    /// In a generator: yields all that this one yields, which nobody has driven yet.
    Delegate(usize),

    /// Does the body when the body around it is left, in whatever way.
    Defer(Body),

    /// Does the body when the green thread ends that runs, or this local of it is set anew.
    Keep(usize, Body),

    /// Sends the step's own number to all receivers of this broadcast channel.
    Tell(usize),

    /// Receives from it, by one of its two receivers.
    Hear(usize, usize, How),

    /// Has that receiver be a new one.
    Subscribe(usize, usize),

    /// Gives the sender of it up.
    DropTeller(usize),

    /// Gives that receiver of it up.
    DropHearer(usize, usize),

    /// Makes the step's own number this watched value.
    Show(usize),

    /// The same, with the body done first, which keeps others from changing it.
    Modify(usize, Body),

    /// Looks at it, by one of its two receivers.
    Look(usize, usize),

    /// Waits until it is one that this receiver has not seen.
    Changed(usize, usize, How),

    /// Waits until it has no receiver.
    Unwatched(usize, How),

    /// Has that receiver be a new one.
    WatchAnew(usize, usize),

    /// Gives its sender up.
    DropShower(usize),

    /// Gives that receiver up.
    DropWatcher(usize, usize),

    /// Makes this value by the body, unless it is there; it is the step's own number.
    Init(usize, Body),

    /// Makes it without one.
    SetOnce(usize),

    /// Waits for it.
    WaitOnce(usize, How),

    /// Does the body inside this mutex, in which its green thread may be already.
    Relock(usize, How, Body),

    /// Waits for the next tick of this interval, unless somebody else does.
    Tick(usize),

    /// Does the body within so long.
    Timeout(Millis, Body),

    /// Does the body with nothing raised from outside.
    Shield(Body),

    /// Catches a request that is raised in the body.
    Catch(Then, Body),

    /// Catches a panic of the body.
    CatchPanic(Body),

    /// Starts the green thread with this number.
    Spawn(usize, Body),

    /// Does the body in a scope of its own.
    Scope(Body),

    /// Starts the green thread with this number in the innermost scope of the one that runs; without one, as `Spawn`.
    Child(usize, Body),

    /// Asks the children of that scope to end.
    CancelScope,

    /// Waits for the end of this green thread, whose handle only one can have.
    Join(usize, How),

    /// Asks it to end.
    Cancel(usize),

    /// Looks whether it has.
    IsFinished(usize),

    /// Waits for so many green threads from this number on, as far as their handles are there; cancels them when it is asked to end.
    Gather(usize, usize),

    /// Waits for some of those, and leaves the others.
    WaitMany(usize, usize, Until, Option<Millis>),

    /// The same, one after the other as they end.
    AsCompleted(usize, usize),

    /// Does the body in a scope in which an error of a child ends all.
    TryScope(Body),

    /// Has the children in the body, and nothing else of it, run against each other.
    Race(Body),

    /// Starts the green thread with this number in the program's set.
    SetSpawn(usize, Body),

    /// Waits for the next of the set to end.
    SetNext,

    /// Asks all of the set to end.
    SetCancel,

    /// Panics with the step's own number.
    Panic,

    /// Ends its green thread, or its scope's part, with the step's own number as an error.
    Fail,
}

impl Program {
    /// Reads one from its text.
    pub(crate) fn parse(text: &str) -> Result<Program, ron::error::SpannedError> {
        let mut program: Program = ron::from_str(text)?;
        program.number();
        Ok(program)
    }

    /// What the root does, to be changed.
    pub(crate) fn main_mut(&mut self) -> &mut Vec<Step> {
        Arc::make_mut(&mut self.main)
    }

    /// Numbers the steps anew, in the order in which they stand.
    pub(crate) fn number(&mut self) {
        let mut next = 1;
        for_each(self.main_mut(), &mut |step| {
            step.0 = next;
            next += 1;
        });
    }

    /// Numbers the green threads and the generators anew, in the order in which they stand in the text; whoever is named and is not there becomes one of those that are.
    pub(crate) fn name_all(&mut self) {
        let (mut threads, mut generators) = (0, 0);
        for_each(self.main_mut(), &mut |step| {
            let op = &mut step.1;
            op.starts()
                .into_iter()
                .for_each(|number| give(number, &mut threads));
            op.makes()
                .into_iter()
                .for_each(|number| give(number, &mut generators));
        });
        for_each(self.main_mut(), &mut |step| {
            let op = &mut step.1;
            op.names()
                .into_iter()
                .for_each(|number| *number = *number % threads.max(1) + 1);
            op.drives()
                .into_iter()
                .for_each(|number| *number = *number % generators.max(1) + 1);
        });
    }

    /// Calls `f` for every step.
    pub(crate) fn for_each(&self, f: &mut impl FnMut(&Step)) {
        visit(&self.main, f);
    }

    /// Whether it selects: with which arm a selection begins follows from numbers of the OS thread, which begin anew with the OS thread or with a shuffled run.
    pub(crate) fn selects(&self) -> bool {
        let mut found = false;
        self.for_each(&mut |step| found |= matches!(step.1, Op::Select(..)));
        found
    }

    /// The schedules under which it is run: the shuffled ones, and then the order of the line, which nothing of those may change.
    pub(crate) fn orders(&self) -> impl Iterator<Item = Option<u64>> {
        let shuffled = self.shuffles.iter().copied().map(Some);
        shuffled.chain([None])
    }

    /// How many steps there are.
    pub(crate) fn len(&self) -> usize {
        let mut count = 0;
        self.for_each(&mut |_| count += 1);
        count
    }

    /// One more than the greatest number of a green thread in it.
    pub(crate) fn threads(&self) -> usize {
        self.greatest(|op| op.starts().copied().max(op.names().copied())) + 1
    }

    /// One more than the greatest number of a generator in it.
    pub(crate) fn generators(&self) -> usize {
        self.greatest(|op| op.makes().copied().max(op.drives().copied())) + 1
    }

    fn greatest(&self, number: impl Fn(&mut Op) -> Option<usize>) -> usize {
        let mut most = 0;
        self.for_each(&mut |step| {
            let found = number(&mut step.1.hollow());
            most = most.max(found.unwrap_or(0));
        });
        most
    }

    /// As text.
    pub(crate) fn text(&self) -> String {
        let style = ron::ser::PrettyConfig::new()
            .indentor("  ")
            .compact_structs(true)
            .depth_limit(64);
        ron::ser::to_string_pretty(self, style).expect("a program can be written")
    }
}

/// Gives the next number.
fn give(number: &mut usize, last: &mut usize) {
    *last += 1;
    *number = *last;
}

fn visit(body: &[Step], f: &mut impl FnMut(&Step)) {
    for step in body {
        f(step);
        if let Some(inner) = step.1.body() {
            visit(inner, f);
        }
    }
}

fn for_each(body: &mut [Step], f: &mut impl FnMut(&mut Step)) {
    for step in body {
        f(step);
        if let Some(inner) = step.1.body_mut() {
            for_each(inner, f);
        }
    }
}
