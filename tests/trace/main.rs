//! Recordings of green threads, and what is drawn of them.
//!
//! Most record their own OS thread alone. A recording of all OS threads takes in the whole process, so the tests that make one take turns.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod chrome;
mod drawings;
mod events;
mod flight;
mod many_threads;
mod picture;

/// The parity program's way of saying a line.
mod log {
    macro_rules! say {
        ($log:expr, $($line:tt)*) => {{
            let _: &$crate::Log = &$log;
            greenthread::trace::mark(format_args!($($line)*))
        }};
    }
    pub(crate) use say;
}

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use greenthread::trace::{Recording, Timeline, What};
use greenthread::{Builder, JoinHandle};

use support::everywhere::virtual_time;

/// What the parity program says, it says by marks.
#[derive(Clone, Debug)]
pub(crate) struct Log;

/// What the parity program calls its unit of time.
pub(crate) const U: Duration = Duration::from_millis(30);

static TURN: Mutex<()> = Mutex::new(());

/// Lets one test at a time record everything.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What happens while `f` runs on the root, under virtual time.
pub(crate) fn record(f: impl FnOnce()) -> Timeline {
    virtual_time(|| {
        let recording = Recording::start_here();
        f();
        recording.finish()
    })
}

/// A green thread with a name.
pub(crate) fn named<T: 'static>(name: &str, f: impl FnOnce() -> T + 'static) -> JoinHandle<T> {
    Builder::new().name(name.into()).spawn(f).unwrap()
}

/// What has happened, a line each: who did it, what, and to whom. Looks at sockets are left out.
pub(crate) fn story(timeline: &Timeline) -> Vec<String> {
    let name = |id: u64| timeline.name(id).unwrap_or("?").to_owned();
    let events = timeline.events().filter_map(|event| {
        let by = event.by.map_or("nobody".to_owned(), name);
        Some(match &event.what {
            What::Spawn { who } => format!("{by} spawns {}", name(*who)),
            What::SpawnBlocking { .. } => format!("{by} spawns a job"),
            What::Run { who } => format!("{} runs", name(*who)),
            What::Yield { who } => format!("{} yields", name(*who)),
            What::Park { who, operation, .. } => format!("{} waits in {operation}", name(*who)),
            What::Wake {
                who,
                how,
                operation,
            } => format!("{by} wakes {} from {operation}: {how:?}", name(*who)),
            What::Cancel { who } => format!("{by} cancels {}", name(*who)),
            What::Panic { who, message } => format!("{} panics: {message}", name(*who)),
            What::End { who, how } => format!("{} ends: {how:?}", name(*who)),
            What::BlockingBegin { .. } => "a job begins".to_owned(),
            What::BlockingEnd { how, .. } => format!("a job ends: {how:?}"),
            What::Resume { generator } => format!("{by} resumes generator {generator}"),
            What::GeneratorYield { generator } => format!("generator {generator} yields"),
            What::GeneratorEnd { generator } => format!("generator {generator} ends"),
            What::Mark { text } => format!("{by} says {text}"),
            _ => return None,
        })
    });
    events.collect()
}
