//! A set of workers: made together, told together, ended together.
//!
//! The end of what they run goes in rounds. In each, every worker asks everybody on it to end, waits for that, and says whether there was anybody; meanwhile
//! whatever work is begun is asked to end first. It is over when a whole round finds nobody and nothing was put in or begun since before it:
//!
//! - E1 At the beginning of that round nothing was in a tray or in hands (`Work::all_begun`), and at its end nothing had been put in: so nothing was begun in between. A worker
//!   that had nobody at its moment of the round can have got somebody after it only from a green thread of its own, which it had not, or from a tray, which it did not: so
//!   it has nobody at the end. (What another OS thread spawns through a `Spawner` meanwhile is that one's affair.)
//!
//! There is a bound. What has not ended by then is named on stderr, with the worker that runs it, and goes on; its worker stays as long as it lives (L11), and
//! nobody waits for that one any more.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::panic::Location;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::orders::{Answer, Orders};
use super::worker::{Customs, live};
use crate::base::lock;
use crate::sched::clock::Deadline;
use crate::sched::deadlock::OneWorker;
use crate::sched::scheduler::Scheduler;
use crate::sched::vigil::has_several_cores;
use crate::sched::work::{Seat, Work};
use crate::thread::join::JoinHandle;
use crate::thread::spawner::spawn_at_home;

/// More than any machine has use for: a larger number is a mistake.
pub(super) const MOST: usize = 4096;

/// How much longer than a worker its boss waits for an answer: one that answers in the last moment is heard.
const MARGIN: Duration = Duration::from_millis(200);

/// Workers, as the one who made them sees them.
#[derive(Debug)]
pub(crate) struct Set {
    /// What they share.
    work: Arc<Work>,

    /// What they are told.
    orders: Arc<Orders>,

    /// How long their green threads have to end, when they are to.
    bound: Duration,

    /// How many of them follow orders: all, unless making them has failed.
    present: usize,

    /// Their OS threads, by number.
    threads: Vec<thread::JoinHandle<()>>,
}

/// How one round went.
enum Round {
    /// Nobody was there.
    Quiet,

    /// Somebody was, and has ended.
    Again,

    /// Somebody has not ended in time; these workers have nobody.
    Late(usize),
}

impl Set {
    /// Makes `count` workers, and waits until each is there and has called what is to be called at its start.
    ///
    /// # Errors
    /// What kept an OS thread or its scheduler from being made; the others go then.
    pub(crate) fn make(count: usize, customs: &Customs, bound: Duration) -> io::Result<Set> {
        let _outside = Scheduler::get().begin_outside();
        Set::make_by(Orders::wait_for_arrivals, count, customs, bound)
    }

    /// Makes as many of `count` workers as there can be, without letting anybody else of this OS thread run meanwhile.
    ///
    /// # Errors
    /// As [`make`](Self::make), when there can be none.
    pub(crate) fn make_at_once(count: usize) -> io::Result<Set> {
        let customs = Customs::default();
        let mut failed = None;
        // Nobody tells them to end, so there is no bound to it.
        let made = (1..=count).rev().find_map(|count| {
            let made = Set::make_by(Orders::watch_for_arrivals, count, &customs, Duration::ZERO);
            made.map_err(|error| failed.get_or_insert(error).kind())
                .ok()
        });
        made.ok_or_else(|| failed.unwrap_or_else(|| io::Error::other("no workers")))
    }

    fn make_by(
        wait: fn(&Orders, usize) -> usize,
        count: usize,
        customs: &Customs,
        bound: Duration,
    ) -> io::Result<Set> {
        if count > MOST {
            let text = format!("workers({count}): there are at most {MOST}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        has_several_cores();
        lock::prepare();
        let mut set = Set {
            work: Work::new(count),
            orders: Arc::default(),
            bound,
            present: 0,
            threads: Vec::with_capacity(count),
        };
        let hired = (0..count).try_for_each(|number| set.hire(number, customs));
        let missing = wait(&set.orders, set.threads.len());
        set.present = set.threads.len() - missing;
        let made = match hired {
            Ok(()) if missing > 0 => {
                Err(io::Error::other("a worker found no memory to begin with"))
            }
            hired => hired,
        };
        if made.is_err() {
            // Those that are there have nothing to do, and go without anybody waiting for it.
            set.present = 0;
        }
        made.map(|()| set)
    }

    fn hire(&mut self, number: usize, customs: &Customs) -> io::Result<()> {
        let (customs, orders) = (customs.clone(), Arc::clone(&self.orders));
        let seat = Seat::new(Arc::clone(&self.work), number);
        let counted = OneWorker::new();
        let builder = thread::Builder::new().name(format!("greenthread-worker-{number}"));
        let body = move || {
            let _counted = counted;
            live(number, seat, customs, &orders);
        };
        self.threads.push(builder.spawn(body)?);
        Ok(())
    }

    pub(crate) fn work(&self) -> &Arc<Work> {
        &self.work
    }

    /// Spawns on the worker with this number.
    pub(crate) fn spawn_on<F, T>(
        &self,
        worker: usize,
        site: &'static Location<'static>,
        f: F,
    ) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let home = self.work.root_of(worker).home();
        let home = home.expect("a root has a home").clone();
        spawn_at_home(home, site, f)
    }

    /// Ends whatever runs on the workers; `meanwhile` is done when they have been told. Returns how many of them run nothing any more.
    pub(crate) fn end_all(&self, scheduler: &'static Scheduler, meanwhile: impl FnOnce()) -> usize {
        self.work.begin_ending();
        let until = self.until();
        self.orders.order(until);
        meanwhile();
        let outside = scheduler.begin_outside();
        // That round began before what was done meanwhile had ended: it proves nothing.
        self.orders.collect(self.present, until.after(MARGIN));
        let quiet = self.end_in_rounds();
        drop(outside);
        self.work.end_ending();
        quiet
    }

    fn until(&self) -> Deadline {
        Deadline::real_now().after(self.bound)
    }

    fn end_in_rounds(&self) -> usize {
        let until = self.until();
        loop {
            match self.round(until) {
                Round::Again => {}
                Round::Quiet => return self.present,
                Round::Late(quiet) => return quiet,
            }
        }
    }

    /// E1.
    fn round(&self, until: Deadline) -> Round {
        let before = self.work.all_begun();
        self.orders.order(until);
        let answers = self.orders.collect(self.present, until.after(MARGIN));
        let quiet = |answer: &&Answer| answer.left.is_empty();
        let quiet = answers.values().filter(quiet).count();
        if quiet < self.present {
            self.report(&answers);
            return Round::Late(quiet);
        }
        let found = answers.values().any(|answer| answer.found);
        if !found && before == Some(self.work.put_so_far()) {
            Round::Quiet
        } else {
            Round::Again
        }
    }

    /// Names who has not ended.
    fn report(&self, answers: &BTreeMap<usize, Answer>) {
        let mut text = format!(
            "greenthread: asked to end, and not ended after {:?}; they go on:",
            self.bound
        );
        for worker in 0..self.threads.len() {
            match answers.get(&worker) {
                Some(answer) => text.extend(answer.left.iter().map(String::as_str)),
                None => {
                    text += &format!(
                        "\n  whatever runs on greenthread-worker-{worker}, which has not reached a wait point"
                    );
                }
            }
        }
        // Nobody may be there to be told.
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Lets the workers go, and waits for those that run nothing any more.
    fn close(&mut self, scheduler: &'static Scheduler) {
        self.work.begin_ending();
        let leaving = self.end_all(scheduler, || ());
        self.orders.dismiss();
        let _outside = scheduler.begin_outside();
        let gone = self.orders.wait_for_gone(leaving, self.until());
        for (worker, thread) in self.threads.drain(..).enumerate() {
            if gone.contains(&worker) {
                join(thread);
            }
        }
    }
}

/// The worker has said that it goes: its thread-locals are all that is left of it.
#[allow(
    clippy::disallowed_methods,
    reason = "what is joined runs nothing any more"
)]
fn join(thread: thread::JoinHandle<()>) {
    // It has nothing to say.
    drop(thread.join());
}

impl Drop for Set {
    fn drop(&mut self) {
        match Scheduler::if_made() {
            Some(scheduler) => self.close(scheduler),
            // In a thread-local's destructor nothing can be waited for.
            None => {
                self.work.begin_ending();
                self.orders.dismiss();
            }
        }
    }
}
