//! Asks for a dump and waits for it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::seen::Dump;
use crate::channel::oneshot::oneshot;
use crate::sched::clock::Deadline;
use crate::sched::deadlock::Helper;
use crate::sched::residents;
use crate::sched::scheduler::Scheduler;
use crate::sched::survey::Survey;
use crate::thread::current::yield_now;
use crate::thread::shield::shield;

/// How long an OS thread has to begin its answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Returns what every green thread of the process does, and where it stands.
///
/// Every OS thread that has a scheduler is asked. Its loop goes round its green threads: each is switched to for some 20 us, on its own stack, says where it stands, and
/// waits on as if nothing had happened: it keeps its place in line and its deadline, and none of its code runs. After 5 ms the others have a turn, so the
/// picture is of about one moment. An OS thread whose loop does not come to it within a second, because something runs on it that reaches no wait point, is listed without its
/// green threads; who runs on it is asked by a signal (`SIGURG`, as the watchdog does). Names and lines are looked up at the end, on an OS thread of its own.
///
/// Blocks until all have answered, for little more than a second at the most unless there are very many. Cannot be cancelled. On the root and on a plain OS thread the wait runs the event loop.
///
/// # Panics
/// In a thread-local's destructor, when greenthread's own is gone already.
///
/// # Examples
/// ```
/// let stuck = greenthread::Builder::new().name("stuck".into()).spawn(greenthread::park).unwrap();
/// greenthread::yield_now();
/// let dump = greenthread::dump();
/// let seen = dump.get(stuck.thread().id()).unwrap();
/// assert_eq!(seen.operation, Some("park"));
/// assert!(dump.to_string().contains("\"stuck\" [park"));
/// ```
#[must_use]
pub fn dump() -> Dump {
    let scheduler = Scheduler::get();
    let start = Deadline::real_now();
    let survey = residents::ask(scheduler.current_header().id());
    let (send, receive) = oneshot();
    let from_elsewhere = {
        let survey = Arc::clone(&survey);
        // Nobody receives when the asker's OS thread has gone.
        on_a_helper("greenthread-dump", move || {
            drop(send.send(finish(&survey, start)))
        })
    };
    let _outside = scheduler.begin_outside();
    match from_elsewhere {
        Ok(()) => shield(|| receive.recv()).unwrap_or_else(|_| finish(&survey, start)),
        Err(_) => finish_here(&survey, start),
    }
}

/// The same for an OS thread of ours without a scheduler.
pub(crate) fn dump_from_outside() -> Dump {
    finish(&residents::ask(0), Deadline::real_now())
}

fn finish(survey: &Survey, start: Deadline) -> Dump {
    let answers = survey.wait(PATIENCE);
    Dump::of(answers, Deadline::real_now().since(start))
}

/// The system gives no further OS thread: this one turns until its own answer is there.
fn finish_here(survey: &Survey, start: Deadline) -> Dump {
    while !survey.is_complete() && Deadline::real_now().since(start) < PATIENCE {
        shield(yield_now);
    }
    finish(survey, start)
}

/// Runs `f` on an OS thread that wakes nobody but who asked for it.
pub(crate) fn on_a_helper(name: &str, f: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let helper = Helper::begin();
    let builder = std::thread::Builder::new().name(name.into());
    builder.spawn(move || {
        f();
        drop(helper);
    })?;
    Ok(())
}
