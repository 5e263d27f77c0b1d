//! The OS thread that looks at the notes of the others.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Duration;

use super::question;
use super::sample::Found;
use super::signal;
use crate::sched::beat::Beat;
use crate::sched::clock::Deadline;
use crate::sched::deadlock::Helper;
use crate::sched::residents::{Resident, residents};
use crate::symbols::names::Names;
use crate::symbols::text;

/// The observer, once somebody wants one.
static OBSERVER: OnceLock<Option<Thread>> = OnceLock::new();

/// Looks within a limit, so that nobody holds on for much longer and is not told.
const LOOKS_IN_A_LIMIT: u32 = 4;

/// The shortest time between two looks.
const SHORTEST: Duration = Duration::from_millis(1);

/// The longest.
const LONGEST: Duration = Duration::from_millis(250);

/// The least time between two reports.
const BETWEEN_REPORTS: Duration = Duration::from_secs(1);

/// What mostly is behind it.
const CAUSES: &str = "  typical causes: a blocking system call (std::thread::sleep, std::fs, std::net, a C library), an OS-level lock (std::sync::Mutex) that somebody holds across a \
     wait point, or a computation without `yield_now`; `spawn_blocking` takes such work elsewhere";

/// A note for an OS thread that is to be watched with this limit, and somebody who looks at it. Without an OS thread for the observer nobody does.
pub(crate) fn watch(limit: Duration) -> Arc<Beat> {
    signal::install();
    let observer = OBSERVER.get_or_init(begin);
    if let Some(observer) = observer {
        observer.unpark();
    }
    Arc::new(Beat::new(limit))
}

fn begin() -> Option<Thread> {
    let helper = Helper::begin();
    let builder = std::thread::Builder::new().name("greenthread-watchdog".into());
    let observe = move || {
        let _helper = helper;
        Observer::default().look_for_ever();
    };
    Some(builder.spawn(observe).ok()?.thread().clone())
}

/// Who holds on for too long.
struct Suspect {
    /// The kernel's number for the OS thread.
    number: i32,

    /// Its name.
    name: String,

    /// The turn.
    turn: u64,

    /// For how long.
    passed: Duration,

    /// The limit.
    limit: Duration,
}

/// What was reported.
#[derive(Default)]
struct Observer {
    /// The turns that were told, or are nobody's fault, by OS thread.
    settled: Vec<(i32, u64)>,

    /// When the last report was written.
    last: Option<Deadline>,

    /// How many were not told since.
    withheld: usize,
}

impl Observer {
    #[allow(
        clippy::disallowed_methods,
        reason = "an OS thread of its own sleeps here, by real time"
    )]
    fn look_for_ever(mut self) {
        loop {
            match self.look() {
                Some(pause) => std::thread::sleep(pause),
                // Somebody who wants to be watched unparks it.
                None => std::thread::park_timeout(LONGEST),
            }
        }
    }

    /// Looks at all; how long to wait until the next look, if anybody is watched.
    fn look(&mut self) -> Option<Duration> {
        let (suspects, shortest) = self.suspects();
        self.settled.retain(|(number, turn)| {
            let still = |suspect: &Suspect| (suspect.number, suspect.turn) == (*number, *turn);
            suspects.iter().any(still)
        });
        for suspect in suspects {
            self.examine(&suspect);
        }
        shortest.map(|limit| (limit / LOOKS_IN_A_LIMIT).clamp(SHORTEST, LONGEST))
    }

    /// Those who have held on for longer than they may, and the shortest limit.
    fn suspects(&self) -> (Vec<Suspect>, Option<Duration>) {
        let mut suspects = Vec::new();
        let mut shortest = None;
        for resident in residents().iter() {
            let Some(beat) = resident.beat() else {
                continue;
            };
            let limit = beat.limit();
            shortest = Some(shortest.map_or(limit, |other: Duration| other.min(limit)));
            if let Some((turn, passed)) = beat.turn()
                && passed > limit
            {
                suspects.push(Suspect {
                    number: resident.number(),
                    name: resident.name().unwrap_or("unnamed").into(),
                    turn,
                    passed,
                    limit,
                });
            }
        }
        (suspects, shortest)
    }

    fn examine(&mut self, suspect: &Suspect) {
        let key = (suspect.number, suspect.turn);
        if self.settled.contains(&key) {
            return;
        }
        let now = Deadline::real_now();
        let is_early = self
            .last
            .is_some_and(|last| now.since(last) < BETWEEN_REPORTS);
        self.settled.push(key);
        if is_early {
            self.withheld += 1;
            return;
        }
        let is_under_way = |resident: &Resident| {
            let turn = resident.beat().and_then(|beat| beat.turn());
            turn.is_some_and(|(turn, _)| turn == suspect.turn)
        };
        if let Some(found) = question::who_runs_on(suspect.number, is_under_way) {
            self.last = Some(now);
            self.report(suspect, &found);
        }
    }

    fn report(&mut self, suspect: &Suspect, found: &Found) {
        let mut out = String::new();
        let Suspect {
            number,
            name,
            passed,
            limit,
            ..
        } = suspect;
        // Writing to a string does not fail.
        let _ = writeln!(
            out,
            "greenthread: watchdog: {} has held OS thread {number} ({name:?}) for {passed:.0?}, the limit is {limit:?}\n  spawned at {}\n  backtrace at this moment, innermost first:",
            found.name, found.site
        );
        let names = Names::of(found.frames.iter());
        let frames = found
            .frames
            .iter()
            .flat_map(|address| names.of_one(*address));
        let _ = text::show(frames, &mut out);
        let _ = writeln!(out, "{CAUSES}");
        let withheld = std::mem::take(&mut self.withheld);
        if withheld > 0 {
            let _ = writeln!(
                out,
                "  {withheld} more were not reported: at most one a second is"
            );
        }
        // Nobody may listen.
        let _ = io::stderr().lock().write_all(out.as_bytes());
    }
}
