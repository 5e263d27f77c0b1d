//! What a dump holds.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::sched::cycle::Waits;
use crate::sched::sight::{Asked, Sight, Standing};
use crate::sched::survey::{Answer, Word};
use crate::symbols::frame::Frame;
use crate::symbols::names::Names;
use crate::watchdog::question;
use crate::watchdog::sample::Found;

/// What every green thread of the process did at about one moment; made by [`dump()`](crate::dump()).
///
/// As text ([`Display`](std::fmt::Display)) it looks as Go's goroutine dumps do, [`to_json`](Self::to_json) is for programs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Dump {
    /// Every green thread and every root, by their numbers.
    pub green_threads: Vec<Seen>,

    /// Every OS thread that has a scheduler, in the order in which those were made.
    pub os_threads: Vec<OsThread>,

    /// Circles of those who wait for each other, by number; each is a deadlock of those in it.
    pub circles: Vec<Vec<u64>>,

    /// How long it took to make it.
    pub took: Duration,
}

/// An OS thread that has a scheduler.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OsThread {
    /// The kernel's number for it; zero where that is not known.
    pub number: i32,

    /// Its name, if it has one.
    pub name: Option<Arc<str>>,

    /// Whether its loop came to answer. Else something runs on it that reached no wait point in time, and its green threads are not in the dump.
    pub answered: bool,

    /// The green thread that held it up, if it did not answer and one did.
    pub running: Option<Running>,
}

/// A green thread that ran on an OS thread which did not come to answer; asked by a signal.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Running {
    /// Its number and its name, in words: `green thread 7 ("worker")`.
    pub label: String,

    /// Where it was spawned.
    pub spawned_at: &'static Location<'static>,

    /// Addresses, innermost first.
    trace: Vec<usize>,

    /// What they are called.
    names: Arc<Names>,
}

impl Running {
    /// Returns the frames of its backtrace at that moment, innermost first.
    pub fn frames(&self) -> impl Iterator<Item = &Frame> {
        self.trace
            .iter()
            .flat_map(|address| self.names.of_one(*address))
    }

    fn of(found: Found) -> Self {
        Running {
            label: found.name,
            spawned_at: found.site,
            names: Arc::new(Names::of(found.frames.iter())),
            trace: found.frames,
        }
    }
}

/// What a green thread did when it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Its closure has not begun.
    NotStarted,

    /// It stands in line to go on.
    Ready,

    /// It waits.
    Parked,

    /// It asked for this dump.
    Running,
}

/// How far the cancellation of a green thread was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cancel {
    /// Nobody has asked for its end.
    No,

    /// Somebody has, and no wait point has raised it yet.
    Pending,

    /// It was raised and unwinds the green thread, or somebody has caught it and keeps it.
    Raised,
}

/// One green thread or root, as it was seen.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Seen {
    /// Its number, unique in the process.
    pub id: u64,

    /// The name that its `Builder` gave it; a root has its OS thread's.
    pub name: Option<Arc<str>>,

    /// Whether it is an OS thread's own stack.
    pub is_root: bool,

    /// The kernel's number for its OS thread; zero where that is not known.
    pub os_thread: i32,

    /// What it did.
    pub state: State,

    /// What it waited in, as a program writes it: `"Mutex::lock"`.
    pub operation: Option<&'static str>,

    /// The addresses of what it waited for: of one thing, or of all arms of a `select!`. Two who wait for the same have the same.
    pub objects: Vec<usize>,

    /// The numbers of those for whom it waited, where that is known: who has the lock, whom it joins, a scope's children.
    pub waits_for: Vec<u64>,

    /// For how long it had waited, by the clock of its OS thread and to a few milliseconds.
    pub waited: Option<Duration>,

    /// Where it was spawned; for a root, nothing that helps.
    pub spawned_at: &'static Location<'static>,

    /// How far its cancellation was.
    pub cancel: Cancel,

    /// Bytes of its stack; zero before its first run and for a root.
    pub stack_size: usize,

    /// How many of them were in use, if that is known.
    pub stack_used: Option<usize>,

    /// Whether the outer end of the backtrace is missing, because it is too long.
    pub is_cut: bool,

    /// Return addresses, innermost first.
    trace: Box<[usize]>,

    /// What they are called.
    names: Arc<Names>,
}

impl Seen {
    /// Returns the frames of its backtrace, innermost first; none when it has not begun.
    pub fn frames(&self) -> impl Iterator<Item = &Frame> {
        self.trace
            .iter()
            .flat_map(|address| self.names.of_one(*address))
    }
}

impl Dump {
    /// Returns the green thread or root with this number.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&Seen> {
        let place = self.green_threads.binary_search_by_key(&id, |seen| seen.id);
        Some(&self.green_threads[place.ok()?])
    }

    /// Of what the OS threads have answered.
    pub(super) fn of(answers: Vec<Answer>, took: Duration) -> Self {
        let mut os_threads = Vec::with_capacity(answers.len());
        let mut sights = Vec::new();
        for answer in answers {
            let (number, name) = (answer.thread, answer.name);
            let seen = match answer.word {
                Word::Seen(seen) => Some(seen),
                Word::Gone => continue,
                Word::Awaited | Word::Begun => None,
            };
            let running = match &seen {
                Some(_) => None,
                None => question::who_runs_on(number, |_| true).map(Running::of),
            };
            os_threads.push(OsThread {
                number,
                name,
                answered: seen.is_some(),
                running,
            });
            sights.extend(seen.into_iter().flatten().map(|sight| (number, sight)));
        }
        sights.sort_by_key(|(_, sight)| sight.id);
        let (numbers, sights): (Vec<i32>, Vec<Sight>) = sights.into_iter().unzip();
        let waits = Waits::of(&sights);
        let names = Arc::new(Names::of(
            sights.iter().flat_map(|sight| sight.trace.iter()),
        ));
        let seen = numbers.into_iter().zip(sights);
        Dump {
            green_threads: seen
                .map(|(number, sight)| Seen::of(number, sight, &waits, &names))
                .collect(),
            os_threads,
            circles: waits.circles(),
            took,
        }
    }
}

impl Seen {
    fn of(os_thread: i32, sight: Sight, waits: &Waits, names: &Arc<Names>) -> Self {
        let object = Some(sight.sought.object).filter(|object| *object != 0);
        Seen {
            id: sight.id,
            name: sight.name,
            is_root: sight.is_root,
            os_thread,
            state: state(sight.standing),
            operation: sight.operation,
            objects: object.into_iter().chain(sight.sought.others).collect(),
            waits_for: waits.of_one(sight.id).to_vec(),
            waited: sight.waited,
            spawned_at: sight.site,
            cancel: cancel(sight.asked),
            stack_size: sight.stack_size,
            stack_used: Some(sight.stack_used).filter(|used| *used != 0),
            is_cut: sight.is_cut,
            trace: sight.trace,
            names: Arc::clone(names),
        }
    }
}

fn state(standing: Standing) -> State {
    match standing {
        Standing::NotStarted => State::NotStarted,
        Standing::Ready => State::Ready,
        Standing::Parked => State::Parked,
        Standing::Running => State::Running,
    }
}

fn cancel(asked: Asked) -> Cancel {
    match asked {
        Asked::No => Cancel::No,
        Asked::Pending => Cancel::Pending,
        Asked::Raised => Cancel::Raised,
    }
}
