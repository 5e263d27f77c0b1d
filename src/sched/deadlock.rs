//! Silence that nobody can break (L8).
//!
//! An OS thread that has nothing ready, no timer, no socket to wait for and nobody at work for it can only be woken by another OS thread. When the
//! user has said that no other takes part (`only_our_threads`, virtual time), that is a deadlock at once. Otherwise it is one only when every OS
//! thread of the process is ours and asleep in the same way.
//!
//! That is found out by looking twice: each of ours counts its long sleeps. When all are asleep at both looks and no count has changed, there was
//! a moment between the looks at which all slept, and whoever sleeps can be woken by nobody but one who does not. Those of a crew who wait for work count as
//! asleep, although they go after a while: they wake nobody. Helpers (who write dumps, watch) do not count at all.
//!
//! Each leaves to be seen who stands on it, so that the report of one tells of all, and of circles across them.
//!
//! Workers only sleep: whoever waits for what they do is the root that is told. While there are any, silence is never a deadlock at once: where no other OS thread
//! takes part, it is one when the root and every worker of the process sleep in this way.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::cancel;
use super::cycle::{self, Waits};
use super::header::Header;
use super::inbox::Home;
use super::reactor::Reactor;
use super::request::Request;
use super::scheduler::Scheduler;
use super::sight::Sight;
use crate::base::biased::Biased;
use crate::base::recorder;

/// How long an OS thread that nobody of ours can wake sleeps before it asks whether anybody else can.
const PATIENCE: Duration = Duration::from_millis(100);

/// The longest that it sleeps before it asks again: other OS threads may have gone meanwhile.
const LONGEST_PATIENCE: Duration = Duration::from_secs(10);

/// One that sleeps for nobody but another OS thread.
struct Sleeper {
    /// Its OS thread.
    home: Biased<Home>,

    /// Which sleep it is.
    sleep: u64,

    /// Whether it is a worker.
    is_worker: bool,

    /// Who stands there, for the report: nothing changes before it wakes.
    sights: Vec<Sight>,
}

/// The most that one OS thread leaves to be seen by others while it sleeps.
const MOST_SEEN: usize = 256;

/// Every OS thread of ours that sleeps so.
static SLEEPERS: Mutex<Vec<Sleeper>> = Mutex::new(Vec::new());

/// How many workers there are in the process, those that are about to begin included.
static WORKERS: AtomicUsize = AtomicUsize::new(0);

/// The number of the next such sleep.
static SLEEPS: AtomicU64 = AtomicU64::new(0);

/// How many OS threads of ours there are that wake nobody by themselves.
static HELPERS: AtomicUsize = AtomicUsize::new(0);

/// While it lives, one OS thread more is none that may wake anybody.
#[derive(Debug)]
pub(crate) struct Helper(());

impl Helper {
    pub(crate) fn begin() -> Self {
        HELPERS.fetch_add(1, Ordering::Relaxed);
        Helper(())
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        HELPERS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// While it lives, there is one worker more.
#[derive(Debug)]
pub(crate) struct OneWorker(());

impl OneWorker {
    pub(crate) fn new() -> Self {
        WORKERS.fetch_add(1, Ordering::AcqRel);
        OneWorker(())
    }
}

impl Drop for OneWorker {
    fn drop(&mut self) {
        WORKERS.fetch_sub(1, Ordering::AcqRel);
    }
}

fn sleepers() -> MutexGuard<'static, Vec<Sleeper>> {
    SLEEPERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// This OS thread no longer sleeps so.
pub(super) fn forget(home: &Biased<Home>) {
    sleepers().retain(|sleeper| !sleeper.home.ptr_eq(home));
}

/// How many OS threads the process has; `None` where that cannot be read.
fn threads_of_process() -> Option<usize> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    Some(tasks.count())
}

impl Scheduler {
    /// Whether nothing here can end the silence, and no other OS thread takes part.
    #[cfg(not(loom))]
    pub(super) fn is_deadlocked(&self) -> bool {
        self.is_silent() && self.takes_part_alone() && WORKERS.load(Ordering::Acquire) == 0
    }

    /// Whether no OS thread that is not ours takes part.
    fn takes_part_alone(&self) -> bool {
        self.hooks().only_our_threads.get() || self.clock().is_virtual()
    }

    /// The sleeps under way, when every one of them is still asleep and there is one for everybody who takes part: for every OS thread of the process, unless it is known to be
    /// this one and the workers alone.
    fn everybody_asleep(&self) -> Option<Vec<u64>> {
        let parts = if self.takes_part_alone() {
            1 + WORKERS.load(Ordering::Acquire)
        } else {
            let helpers = HELPERS.load(Ordering::Relaxed);
            threads_of_process()?.checked_sub(helpers)?
        };
        let sleepers = sleepers();
        let asleep = sleepers
            .iter()
            .filter(|sleeper| self.takes_part(sleeper))
            .map(|sleeper| sleeper.home.is_asleep().then_some(sleeper.sleep));
        let asleep: Vec<u64> = asleep.collect::<Option<_>>()?;
        (asleep.len() == parts).then_some(asleep)
    }

    fn takes_part(&self, sleeper: &Sleeper) -> bool {
        !self.takes_part_alone() || sleeper.is_worker || sleeper.home.ptr_eq(self.home())
    }

    /// Nothing at work for us, no socket waited for; the caller has looked at the rest.
    pub(super) fn is_silent(&self) -> bool {
        self.outside.get() == 0 && self.sources_waited.get() == 0 && !self.futures_wait()
    }

    /// Whether a future waits for a socket.
    fn futures_wait(&self) -> bool {
        self.reactor_if_made().is_some_and(Reactor::has_tasks)
    }

    /// The model checker finds deadlocks itself.
    #[cfg(loom)]
    pub(super) fn is_deadlocked(&self) -> bool {
        false
    }

    /// Sleeps until rung; under the model checker time is virtual and jumps, and an end of the silence is its business.
    #[cfg(loom)]
    pub(super) fn doze(&self, _: Option<Duration>) {
        self.home().doze(None);
    }

    /// Sleeps until rung or for `limit`; without a limit, and if nobody rings for long, asks whether anybody can.
    #[cfg(not(loom))]
    pub(super) fn doze(&self, limit: Option<Duration>) {
        if self.only_rests() {
            return self.doze_at_rest(limit);
        }
        if limit.is_some() || !self.is_silent() {
            return self.wait_for_ring(limit);
        }
        self.wait_for_ring(Some(PATIENCE));
        if self.home().is_asleep() {
            self.doze_for_good();
        }
    }

    /// What stands here waits for work, as one of a crew does: when its time is up it goes, and wakes nobody.
    pub(crate) fn resting<T>(&self, f: impl FnOnce() -> T) -> T {
        self.resting.set(true);
        let value = f();
        self.resting.set(false);
        value
    }

    /// Whether nothing here can wake anybody by itself.
    fn only_rests(&self) -> bool {
        self.resting.get() && self.is_silent() && self.all.borrow().is_empty()
    }

    fn doze_at_rest(&self, limit: Option<Duration>) {
        sleepers().push(Sleeper {
            home: self.home().clone(),
            sleep: SLEEPS.fetch_add(1, Ordering::Relaxed),
            is_worker: false,
            sights: Vec::new(),
        });
        self.wait_for_ring(limit);
        forget(self.home());
    }

    fn doze_for_good(&self) {
        let is_worker = self.is_worker();
        // Looking takes locks: not under that of the list.
        let sights = self.sights_for_others();
        sleepers().push(Sleeper {
            home: self.home().clone(),
            sleep: SLEEPS.fetch_add(1, Ordering::Relaxed),
            is_worker,
            sights,
        });
        let mut patience = PATIENCE;
        while self.home().is_asleep() {
            if is_worker {
                self.wait_for_ring(None);
                continue;
            }
            let first = self.everybody_asleep();
            if first.is_some() && first == self.everybody_asleep() {
                self.report_deadlock();
                break;
            }
            patience = (patience * 2).min(LONGEST_PATIENCE);
            self.wait_for_ring(Some(patience));
        }
        forget(self.home());
    }

    /// Sleeps in the reactor if there is one, else on the bell.
    fn wait_for_ring(&self, limit: Option<Duration>) {
        if self.reactor_if_made().is_some() {
            self.poll_sources(limit);
        } else {
            let began = recorder::polls();
            self.home().doze(limit);
            recorder::polled(began, true);
        }
    }

    /// Tells the root: now, by a panic at its wait point, or when the children that it waits for have been cancelled and have ended.
    pub(super) fn report_deadlock(&self) {
        let report = self.describe_deadlock();
        let root = &self.root;
        let first = self.deadlock.borrow_mut().replace(report.clone()).is_none();
        let Some(wait) = self.wait_of(root) else {
            return;
        };
        if self.root_can_be_interrupted() {
            wait.interrupt();
            return;
        }
        if !first {
            let _ = writeln!(
                io::stderr(),
                "{report}\ngreenthread: cancelling them did not end it"
            );
            std::process::abort();
        }
        self.cancel_everybody(&report);
    }

    fn cancel_everybody(&self, report: &str) {
        // Children on workers are reached through the root's scopes alone.
        self.pass_on_from_root(Arc::from(Box::from(report)));
        for header in self.everybody() {
            let request = Request::new(Some(Arc::from(Box::from(report))), true);
            cancel::cancel(&header, request);
        }
    }

    /// Those who stand here. The root of a worker waits for orders, which is told of nobody.
    #[cold]
    fn sights_for_others(&self) -> Vec<Sight> {
        let root = (!self.is_worker()).then(|| self.sight(&self.root));
        let all = self.all.borrow();
        let green_threads = all.iter().take(MOST_SEEN).map(|header| self.sight(header));
        root.into_iter().chain(green_threads).collect()
    }

    /// Those who stand on the other OS threads that take part and sleep.
    fn sights_elsewhere(&self) -> Vec<Sight> {
        let sleepers = sleepers();
        let elsewhere = sleepers
            .iter()
            .filter(|sleeper| self.takes_part(sleeper) && !sleeper.home.ptr_eq(self.home()));
        let sights = elsewhere.flat_map(|sleeper| sleeper.sights.iter().cloned());
        let mut sights: Vec<Sight> = sights.collect();
        sights.sort_by_key(|sight| sight.id);
        sights
    }

    fn describe_deadlock(&self) -> String {
        let mut report = String::from(
            "greenthread: deadlock: everybody waits, no timer runs, no socket is waited for, and no other OS thread can wake anybody here",
        );
        let mut sights = self.sights();
        sights.extend(self.sights_elsewhere());
        for sight in &sights {
            // Writing to a string does not fail.
            let _ = write!(report, "\n  {sight}");
        }
        cycle::spell(&sights, &Waits::of(&sights), &mut report);
        if let Some(seed) = self.shuffle.seed() {
            let _ = write!(report, "\n  who ran next was chosen by the seed {seed}");
        }
        report
    }

    /// The root leaves a wait in which nothing could be raised, because it unwinds: a deadlock that came meanwhile is told to stderr, once.
    #[cold]
    pub(crate) fn tell_of_deadlock(&self) {
        if self.is_root(self.current_header())
            && let Some(report) = self.take_deadlock()
        {
            let _ = writeln!(io::stderr(), "{report}");
        }
    }

    /// The report of a deadlock that the root has not raised yet.
    pub(crate) fn take_deadlock(&self) -> Option<String> {
        let report = self.deadlock.borrow_mut().take();
        if report.is_some() {
            recorder::trouble("deadlock");
        }
        report
    }
}

/// Adds a line about one who belongs to this OS thread.
pub(crate) fn describe(report: &mut String, header: &Header, scheduler: &Scheduler) {
    // Writing to a string does not fail.
    let _ = write!(report, "\n  {}", scheduler.sight(header));
}
