//! One schedule: a runtime that follows one seed, and what came of it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use crate::sched::scheduler::Scheduler;
use crate::thread::current::GreenThread;
use crate::thread::join_error::message;
use crate::thread::runtime::Runtime;
use crate::trace::{Recording, Timeline};

/// What a panic carries.
pub(super) type Payload = Box<dyn Any + Send>;

/// What came of one schedule.
pub(super) struct Schedule {
    /// How it ended: a panic of the closure, of the deadlock, or of somebody whom nobody joined.
    pub(super) result: Result<(), Payload>,

    /// Tells its choices from those of other schedules.
    pub(super) print: u64,

    /// What happened, up to the closure's end; nothing unless it was recorded.
    pub(super) timeline: Timeline,
}

/// The first panic that nobody joined, in words.
#[derive(Clone, Default)]
struct Unjoined(Arc<Mutex<Option<String>>>);

impl Unjoined {
    fn note(&self, who: &GreenThread, payload: &(dyn Any + Send)) {
        let name = who.name().unwrap_or("unnamed");
        let told = message(payload);
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| {
            format!("green thread \"{name}\" panicked and nobody joined it: {told}")
        });
    }

    fn take(&self) -> Option<String> {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.take()
    }
}

/// Runs `f` under the schedule of `seed`.
#[track_caller]
pub(super) fn run(seed: u64, records: bool, f: &mut dyn FnMut(u64)) -> Schedule {
    let unjoined = Unjoined::default();
    let runtime = runtime(seed, unjoined.clone());
    let mut seen = None;
    let ended = catch_unwind(AssertUnwindSafe(|| {
        runtime.run(|| {
            let recording = records.then(Recording::start_here);
            let ended = catch_unwind(AssertUnwindSafe(|| f(seed)));
            let timeline = recording.map(Recording::finish).unwrap_or_default();
            seen = Some((Scheduler::get().print_of_choices(), timeline));
            ended.unwrap_or_else(|payload| resume_unwind(payload));
        });
    }));
    match (seen, ended) {
        (Some((print, timeline)), ended) => Schedule {
            result: ended.and_then(|()| unjoined.take().map_or(Ok(()), |told| Err(Box::new(told)))),
            print,
            timeline: timeline.with_own_numbers(),
        },
        (None, Err(misuse)) => resume_unwind(misuse),
        (None, Ok(())) => unreachable!("a run that did not call its closure"),
    }
}

fn runtime(seed: u64, unjoined: Unjoined) -> Runtime {
    let builder = Runtime::builder()
        .virtual_time()
        .only_our_threads()
        .shuffle(seed)
        .on_panic(move |who, payload| unjoined.note(who, payload));
    builder.build().expect("it takes nothing of the system's")
}
