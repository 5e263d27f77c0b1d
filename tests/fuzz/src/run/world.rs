//! What the green threads of one program share, and the history that they write.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use greenthread::generator::Generator;
use greenthread::time::{Instant, now};
use greenthread::{Elapsed, GreenThread, JoinError, JoinHandle, JoinSet, current};

use super::objects::Objects;
use super::{Planned, panicked};
use crate::history::{End, Event, History, Seen, Why};
use crate::program::{Millis, Program};

/// The result of a green thread: the step that failed.
pub(super) type Returned = Result<(), usize>;

/// A generator that is sent the numbers of steps, and gives such.
pub(super) type Coroutine = Generator<usize, usize, Returned>;

/// What is shared.
pub(super) struct World {
    /// What the steps name.
    pub(super) objects: Objects,

    /// When it began.
    began: Instant,

    /// What was seen.
    events: RefCell<Vec<Event>>,

    /// What must never be.
    faults: RefCell<Vec<String>>,

    /// The handles that nobody has taken, by the numbers of the green threads.
    handles: RefCell<Vec<Option<JoinHandle<Returned>>>>,

    /// Every green thread that was started, for cancelling.
    threads: RefCell<Vec<Option<GreenThread>>>,

    /// The program's set, unless somebody has it.
    set: RefCell<Option<JoinSet<Returned>>>,

    /// Generators that were made, by their numbers.
    generators: RefCell<Vec<Option<Rc<Coroutine>>>>,

    /// Whether the root has done its part: handles are not kept any more.
    closed: Cell<bool>,
}

/// The reason of a cancellation: the step that asked.
#[derive(Debug)]
pub(super) struct Asked(pub(super) usize);

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {} asked", self.0)
    }
}

impl Error for Asked {}

impl World {
    pub(super) fn new(program: &Program) -> Self {
        let threads = program.threads();
        World {
            objects: Objects::new(&program.objects),
            began: now(),
            events: RefCell::default(),
            faults: RefCell::default(),
            handles: RefCell::new((0..threads).map(|_| None).collect()),
            threads: RefCell::new(vec![None; threads]),
            set: RefCell::new(Some(JoinSet::new())),
            generators: RefCell::new(vec![None; program.generators()]),
            closed: Cell::new(false),
        }
    }

    /// Writes down what came of a step.
    pub(super) fn note(&self, who: usize, step: usize, what: Seen) {
        let at = self.at();
        self.events.borrow_mut().push(Event {
            at,
            who,
            step,
            what,
        });
    }

    fn at(&self) -> Millis {
        self.since(now())
    }

    /// How far this moment is from the beginning.
    pub(super) fn since(&self, moment: Instant) -> Millis {
        let since = moment - self.began;
        if !since.subsec_nanos().is_multiple_of(1_000_000) {
            self.fault(format!(
                "the clock stands at {since:?}, which no step asked for"
            ));
        }
        since.as_millis() as Millis
    }

    /// What must never be has been.
    pub(super) fn fault(&self, what: String) {
        self.faults.borrow_mut().push(what);
    }

    /// A panic was reported that nobody joins.
    pub(super) fn reported(&self, payload: &(dyn Any + Send)) {
        let step = payload.downcast_ref().map_or(0, |Planned(step)| *step);
        self.note(0, step, Seen::Reported);
    }

    /// A green thread was started.
    pub(super) fn started(&self, number: usize, thread: &GreenThread) {
        self.threads.borrow_mut()[number] = Some(thread.clone());
    }

    pub(super) fn thread(&self, number: usize) -> Option<GreenThread> {
        self.threads.borrow()[number].clone()
    }

    /// Keeps a handle for whoever takes it.
    pub(super) fn keep(&self, number: usize, handle: JoinHandle<Returned>) {
        if !self.closed.get() {
            self.handles.borrow_mut()[number] = Some(handle);
        }
    }

    /// Takes the handles of so many from this number on, as far as they are there; nobody waits for himself.
    pub(super) fn take_some(
        &self,
        first: usize,
        count: usize,
    ) -> Vec<(usize, JoinHandle<Returned>)> {
        let most = self.handles.borrow().len();
        let others = (first..most.min(first + count)).filter(|number| !self.is_running(*number));
        others
            .filter_map(|number| Some((number, self.take(number)?)))
            .collect()
    }

    /// Whether this green thread runs now.
    pub(super) fn is_running(&self, number: usize) -> bool {
        self.thread(number)
            .is_some_and(|thread| thread == current())
    }

    /// The number of whoever runs; 0 for the root.
    pub(super) fn number_of_running(&self) -> usize {
        let running = Some(current());
        let threads = self.threads.borrow();
        let number = threads.iter().position(|thread| *thread == running);
        number.unwrap_or(0)
    }

    pub(super) fn take_set(&self) -> Option<JoinSet<Returned>> {
        self.set.take()
    }

    /// Puts it back for whoever takes it.
    pub(super) fn keep_set(&self, set: JoinSet<Returned>) {
        if !self.closed.get() {
            self.set.replace(Some(set));
        }
    }

    pub(super) fn take(&self, number: usize) -> Option<JoinHandle<Returned>> {
        self.handles.borrow_mut()[number].take()
    }

    /// The root has done its part.
    pub(super) fn close(&self) {
        self.closed.set(true);
        let count = self.handles.borrow().len();
        for number in 0..count {
            drop(self.take(number));
        }
        drop(self.take_set());
        let generators = self.generators.borrow().clone();
        for generator in generators.into_iter().flatten() {
            // Whatever comes out of it, that it runs for example, is dropped.
            let _ = catch_unwind(AssertUnwindSafe(|| generator.close()));
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    pub(super) fn generator(&self, number: usize) -> Option<Rc<Coroutine>> {
        self.generators.borrow()[number].clone()
    }

    /// Takes one out that nobody has driven.
    pub(super) fn take_unstarted(&self, number: usize) -> Option<Rc<Coroutine>> {
        let place = &mut self.generators.borrow_mut()[number];
        let is_new = |generator: &Rc<Coroutine>| format!("{generator:?}").contains("Unstarted");
        place.take_if(|generator| is_new(generator))
    }

    pub(super) fn keep_generator(&self, number: usize, generator: Coroutine) {
        self.generators.borrow_mut()[number] = Some(Rc::new(generator));
    }

    /// Generators that did not come to their end are forgotten: what they would do is no part of the program. Returns how many.
    fn forget_generators(&self) -> usize {
        let generators = self.generators.take().into_iter().flatten();
        let open = generators.filter(|generator| !generator.is_finished());
        open.map(std::mem::forget).count()
    }

    /// Everything that was seen.
    pub(super) fn history(&self, end: End, left: usize) -> History {
        History {
            open: self.forget_generators(),
            events: self.events.take(),
            end,
            left,
        }
    }

    /// Everything that must never be.
    pub(super) fn faults(&self) -> Vec<String> {
        self.faults.take()
    }
}

/// How a green thread ended, by what its handle says.
pub(super) fn end_of(result: Result<Returned, JoinError>) -> End {
    match result {
        Ok(Ok(())) => End::Done,
        Ok(Err(step)) => End::Failed(step),
        Err(error) if error.is_cancelled() => End::Cancelled(error.reason().map(why)),
        Err(error) => match error.try_into_panic() {
            Ok(payload) => panicked(&*payload),
            Err(_) => End::Panicked(None),
        },
    }
}

/// Why somebody was asked to end.
pub(super) fn why(reason: &(dyn Error + Send + Sync + 'static)) -> Why {
    if let Some(Asked(step)) = reason.downcast_ref() {
        return Why::Step(*step);
    }
    if reason.is::<Elapsed>() {
        return Why::Elapsed;
    }
    match reason.to_string() {
        text if text == "`run` has ended" => Why::EndOfRun,
        text if text == "another part of its scope failed" => Why::ScopeFailed,
        text if text == "it returned an error, which its scope has" => Why::ItsError,
        text if text.starts_with("greenthread: deadlock") => Why::Deadlock,
        _ => Why::Unknown,
    }
}
