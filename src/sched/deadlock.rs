//! Silence that nobody can break (L8).
//!
//! An OS thread that has nothing ready, no timer, no socket to wait for and nobody at work for it can only be woken by another OS thread. When the
//! user has said that no other takes part (`only_our_threads`, virtual time), that is a deadlock at once. Otherwise it is one only when every OS
//! thread of the process is ours and asleep in the same way.
//!
//! That is found out by looking twice: each of ours counts its long sleeps. When all are asleep at both looks and no count has changed, there was
//! a moment between the looks at which all slept, and whoever sleeps can be woken by nobody but one who does not. Those of a crew who wait for work count as
//! asleep, although they go after a while: they wake nobody. Helpers (who write dumps, watch) do not count at all.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::cancel;
use super::cycle::{self, Waits};
use super::inbox::Home;
use super::request::Request;
use super::scheduler::Scheduler;
use crate::base::biased::Biased;

/// How long an OS thread that nobody of ours can wake sleeps before it asks whether anybody else can.
const PATIENCE: Duration = Duration::from_millis(100);

/// The longest that it sleeps before it asks again: other OS threads may have gone meanwhile.
const LONGEST_PATIENCE: Duration = Duration::from_secs(10);

/// Every OS thread of ours that sleeps for nobody but another OS thread, with the number of its sleep.
static SLEEPERS: Mutex<Vec<(Biased<Home>, u64)>> = Mutex::new(Vec::new());

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

fn sleepers() -> MutexGuard<'static, Vec<(Biased<Home>, u64)>> {
    SLEEPERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// This OS thread no longer sleeps so.
pub(super) fn forget(home: &Biased<Home>) {
    sleepers().retain(|(other, _)| !other.ptr_eq(home));
}

/// How many OS threads the process has; `None` where that cannot be read.
fn threads_of_process() -> Option<usize> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    Some(tasks.count())
}

/// The sleeps under way, when every one of them is still asleep and there is one for every OS thread of the process.
fn everybody_asleep() -> Option<Vec<u64>> {
    let threads = threads_of_process()?;
    let sleepers = sleepers();
    let all_asleep = sleepers.iter().all(|(home, _)| home.is_asleep());
    let ours = sleepers.len() + HELPERS.load(Ordering::Relaxed);
    (all_asleep && ours == threads).then(|| sleepers.iter().map(|(_, sleep)| *sleep).collect())
}

impl Scheduler {
    /// Whether nothing here can end the silence, and no other OS thread takes part.
    pub(super) fn is_deadlocked(&self) -> bool {
        self.is_silent() && (self.hooks().only_our_threads.get() || self.clock().is_virtual())
    }

    /// Nothing at work for us, no socket waited for; the caller has looked at the rest.
    pub(super) fn is_silent(&self) -> bool {
        self.outside.get() == 0 && self.sources_waited.get() == 0
    }

    /// Sleeps until rung or for `limit`; without a limit, and if nobody rings for long, asks whether anybody can.
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
        let sleep = SLEEPS.fetch_add(1, Ordering::Relaxed);
        sleepers().push((self.home().clone(), sleep));
        self.wait_for_ring(limit);
        forget(self.home());
    }

    fn doze_for_good(&self) {
        let sleep = SLEEPS.fetch_add(1, Ordering::Relaxed);
        sleepers().push((self.home().clone(), sleep));
        let mut patience = PATIENCE;
        while self.home().is_asleep() {
            let first = everybody_asleep();
            if first.is_some() && first == everybody_asleep() {
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
            self.home().doze(limit);
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
        for header in self.everybody() {
            let request = Request {
                reason: Some(Arc::from(Box::from(report))),
                forced: true,
            };
            cancel::cancel(&header, request);
        }
    }

    fn describe_deadlock(&self) -> String {
        let mut report = String::from(
            "greenthread: deadlock: everybody waits, no timer runs, no socket is waited for, and no other OS thread can wake anybody here",
        );
        let sights = self.sights();
        for sight in &sights {
            // Writing to a string does not fail.
            let _ = write!(report, "\n  {sight}");
        }
        cycle::spell(&sights, &Waits::of(&sights), &mut report);
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
        self.deadlock.borrow_mut().take()
    }
}
