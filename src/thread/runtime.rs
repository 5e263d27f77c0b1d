//! An orderly end, and settings for it.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::io::{self, Write as _};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::current::GreenThread;
use super::join::JoinHandle;
use super::leftover::end_what_was_left;
use super::local_table;
use super::scope::raise_deadlock;
use super::stuck;
use crate::base::random;
use crate::blocking::crew::{Crew, Terms};
use crate::blocking::pool::Pool;
use crate::blocking::spawn::{default_terms, put_in_force};
use crate::dump::on_signal::OnSignal;
use crate::sched::beat::Beat;
use crate::sched::faults::{self, Faults};
use crate::sched::header::Counted;
use crate::sched::hooks::OnPanic;
use crate::sched::scheduler::Scheduler;
use crate::sched::work::Work;
use crate::stack::{idle, pool};
use crate::watchdog::observer;
use crate::workers::set::Set;
use crate::workers::worker::{Customs, OnStart};

/// How long green threads on workers have to end, unless said otherwise.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(30);

/// Runs `f` on the root, then cancels what it left behind and waits for its end.
///
/// Blocks until every green thread that was spawned on this OS thread inside has ended; the cancellation cannot be consumed. Its result comes back, or its panic
/// goes on, after that.
///
/// # Panics
/// When it is nested in another `run`, or called on a green thread. When what it left behind waits for ever, with the report of that deadlock; if children on workers still borrow from it, the
/// process is aborted instead. With what `f` panics with.
///
/// # Examples
/// ```
/// use std::{cell::Cell, rc::Rc};
/// let ended = Rc::new(Cell::new(false));
/// struct Tell(Rc<Cell<bool>>);
/// impl Drop for Tell { fn drop(&mut self) { self.0.set(true) } }
/// let tell = Tell(Rc::clone(&ended));
/// greenthread::run(|| drop(greenthread::spawn(move || { let _tell = tell; greenthread::park() })));
/// assert!(ended.get());
/// ```
#[track_caller]
pub fn run<T>(f: impl FnOnce() -> T) -> T {
    Settings::default().run(None, f)
}

/// Settings for [`Runtime::run`], and perhaps workers of its own. Stays on its OS thread.
///
/// Dropping a runtime with workers asks what runs on them to end, waits for that as the end of [`run`](Self::run) does, and stops them. Dropping one with a pool for blocking
/// jobs waits for these.
///
/// # Examples
/// ```
/// let runtime = greenthread::Runtime::builder().stack_size(64 * 1024).build().unwrap();
/// assert_eq!(runtime.run(|| greenthread::spawn(|| 1).join().unwrap()), 1);
/// ```
pub struct Runtime {
    /// What `run` puts in force.
    settings: Settings,

    /// OS threads for green threads beside the caller's, if there are any; they go before the pool.
    workers: Option<Set>,

    /// OS threads for blocking jobs, if there are settings for them; dropping it waits for the jobs.
    _blocking: Option<Pool>,

    /// Brings dumps, if it was asked for.
    _on_signal: Option<OnSignal>,

    /// Neither `Send` nor `Sync`.
    here: PhantomData<Cell<*const ()>>,
}

impl Runtime {
    /// Starts from the defaults.
    pub fn builder() -> RuntimeBuilder {
        RuntimeBuilder {
            settings: Settings::default(),
            blocking: None,
            workers: None,
            dump_on: None,
            on_worker_start: None,
            shutdown_limit: SHUTDOWN_LIMIT,
        }
    }

    /// As [`run`], with these settings in force until it returns; what runs on its workers is asked to end too, and waited for.
    ///
    /// For the workers there is a bound, [`shutdown_limit`](RuntimeBuilder::shutdown_limit): what has not ended by then is named on stderr, with the place of its spawn,
    /// and goes on.
    ///
    /// # Panics
    /// As [`run`].
    #[track_caller]
    pub fn run<T>(&self, f: impl FnOnce() -> T) -> T {
        self.settings.run(self.workers.as_ref(), f)
    }

    /// Starts one green thread on every worker, which runs `f` with the worker's number, from 0; their handles come in this order.
    ///
    /// Does not block. For what must be everywhere, such as a listener of each worker's own on a shared port. They never move, and end, if not by themselves, with the
    /// `run` that is under way, or the next; outside of any, when the runtime is dropped. Dropping a handle detaches.
    ///
    /// # Panics
    /// When the runtime has no workers.
    ///
    /// # Examples
    /// ```
    /// let runtime = greenthread::Runtime::builder().workers(2).build().unwrap();
    /// let squares = runtime.run(|| greenthread::gather(runtime.run_on_each(|number| number * number)));
    /// assert_eq!(squares.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [0, 1]);
    /// ```
    #[track_caller]
    pub fn run_on_each<F, T>(&self, f: F) -> Vec<JoinHandle<T>>
    where
        F: Fn(usize) -> T + Send + Sync + 'static,
        T: Send + 'static,
    {
        let Some(set) = &self.workers else {
            panic!("run_on_each: this runtime has no workers: `Runtime::builder().workers(n)`");
        };
        let (f, site) = (Arc::new(f), Location::caller());
        let spawn_on = |number| {
            let f = Arc::clone(&f);
            set.spawn_on(number, site, move || f(number))
        };
        (0..set.work().workers()).map(spawn_on).collect()
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}

/// Makes a [`Runtime`].
#[must_use = "a builder does nothing before `build`"]
pub struct RuntimeBuilder {
    /// What was asked for so far.
    settings: Settings,

    /// What the pool for blocking jobs is to be like, if anything was said.
    blocking: Option<Terms>,

    /// How many OS threads are to run green threads beside the caller's, if anything was said.
    workers: Option<usize>,

    /// Which signal is to bring a dump, if one is.
    dump_on: Option<i32>,

    /// Called first on each of them.
    on_worker_start: Option<OnStart>,

    /// How long what runs there has to end.
    shutdown_limit: Duration,
}

impl RuntimeBuilder {
    /// Sets the stack size of green threads that do not say, in bytes of address space.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.settings.stack_size = Some(bytes);
        self
    }

    /// Makes time virtual: when nothing is ready, the clock jumps to the next deadline.
    ///
    /// Before it jumps, sockets are polled once without waiting, and it does not jump while a blocking job or a child process runs. Says also
    /// [`only_our_threads`](Self::only_our_threads).
    pub fn virtual_time(mut self) -> Self {
        self.settings.virtual_time = true;
        self
    }

    /// Has the order in which ready green threads run follow from `seed`: for tests, which are to meet other orders than the one in which they became ready.
    ///
    /// The same seed makes the same choices, in every run and every process: the next to run is any of those who are ready, timers of one moment fire in any order and others
    /// may run between them, and [`select!`](crate::select) begins with any arm. Those who wait in line for a lock or a message keep their order. A program has the same schedule
    /// again as far as everything else is the same: mostly that takes [`virtual_time`](Self::virtual_time), and no other OS threads, child processes or orders of a `HashMap`. [`yield_now`](crate::yield_now)
    /// may come back at once. [`explore`](crate::explore()) tries many seeds.
    ///
    /// # Examples
    /// ```
    /// use greenthread::{Runtime, scope};
    /// use std::cell::RefCell;
    /// let order = |seed| {
    ///     let ran = RefCell::new(Vec::new());
    ///     let runtime = Runtime::builder().shuffle(seed).build().unwrap();
    ///     runtime.run(|| scope(|s| for n in 0..8 { let ran = &ran; s.spawn(move || ran.borrow_mut().push(n)); }));
    ///     ran.into_inner()
    /// };
    /// assert_eq!(order(1), order(1));
    /// assert_ne!(order(1), order(2));
    /// ```
    pub fn shuffle(mut self, seed: u64) -> Self {
        self.settings.shuffle = Some(seed);
        self
    }

    /// Has faults in force on the sockets of the runs' OS thread: see [`Faults`].
    pub fn faults(mut self, faults: Faults) -> Self {
        self.settings.faults = Some(faults);
        self
    }

    /// Gives the runtime `n` workers: OS threads beside the caller's that only run green threads.
    ///
    /// Before an OS thread sleeps that others wake often, it stays awake for up to 20 us, which only helps where there are several cores. Whether there are is asked once in a process, when
    /// the first workers are made or an OS thread first uses this crate: a process that is given more cores later, or is left with one, is not noticed.
    ///
    /// Inside [`run`](Runtime::run), and in all that runs on them, [`spawn_anywhere`](crate::spawn_anywhere) uses these. Each has its own scheduler, timers, sockets and stacks,
    /// and is called `greenthread-worker-` and its number. They are there from [`build`](Self::build) until the runtime is dropped. More than 4096 are an error of `build`.
    ///
    /// # Panics
    /// When `n` is 0.
    #[track_caller]
    pub fn workers(mut self, n: usize) -> Self {
        assert!(
            n > 0,
            "workers(0): a runtime with workers needs at least 1; say nothing for none"
        );
        self.workers = Some(n);
        self
    }

    /// Has `f` called on each worker when it starts, with its number, before anything else runs there: to name it, to pin it to a core, to set its priority.
    ///
    /// It runs on a green thread of that worker, and [`build`](Self::build) waits for its end. A panic in it is told to [`on_panic`](Self::on_panic), and the worker works all
    /// the same.
    pub fn on_worker_start<F>(mut self, f: F) -> Self
    where
        F: Fn(usize) + Send + Sync + 'static,
    {
        self.on_worker_start = Some(Arc::new(f));
        self
    }

    /// Sets how long green threads on workers have to end, at the end of a `run` and when the runtime is dropped; 30 s unless said.
    ///
    /// What has not ended by then is named on stderr and goes on, and so does its worker, until it has.
    pub fn shutdown_limit(mut self, limit: Duration) -> Self {
        self.shutdown_limit = limit;
        self
    }

    /// Says that no other OS thread takes part, so that silence is a deadlock, reported by a panic on the root, at once; where there are workers, as soon as
    /// they have been asleep for a while too.
    pub fn only_our_threads(mut self) -> Self {
        self.settings.only_our_threads = true;
        self
    }

    /// Gives the runtime a pool of its own for [`spawn_blocking`](crate::spawn_blocking), of at most `max` OS threads.
    ///
    /// Without this and [`blocking_idle`](Self::blocking_idle) it uses the process's pool, of at most 512. Dropping the runtime waits until the jobs of its own pool are
    /// done.
    ///
    /// # Panics
    /// When `max` is 0.
    #[track_caller]
    pub fn blocking_threads(mut self, max: usize) -> Self {
        assert!(
            max > 0,
            "blocking_threads(0): a pool needs at least 1 OS thread"
        );
        self.blocking_terms().most = max;
        self
    }

    /// Gives the runtime a pool of its own for [`spawn_blocking`](crate::spawn_blocking), whose OS threads go after `idle` without work; 10 s unless said.
    pub fn blocking_idle(mut self, idle: Duration) -> Self {
        self.blocking_terms().idle = idle;
        self
    }

    fn blocking_terms(&mut self) -> &mut Terms {
        self.blocking.get_or_insert_with(default_terms)
    }

    /// Has `f` called with a green thread's panic that nobody joins, instead of writing to stderr.
    ///
    /// For green threads of the OS thread that runs and of the runtime's own workers; the process's workers, which [`spawn_anywhere`](crate::spawn_anywhere) uses where a runtime has
    /// none, belong to no runtime and write to stderr.
    pub fn on_panic<F>(mut self, f: F) -> Self
    where
        F: Fn(&GreenThread, &(dyn Any + Send)) + Send + Sync + 'static,
    {
        self.settings.on_panic = Some(Arc::new(move |header: &Counted, payload| {
            f(&GreenThread::new(header.clone()), payload);
        }));
        self
    }

    /// Reports every green thread that holds its OS thread for longer than `limit` without reaching a wait point, on stderr: its name, where it was spawned, for how long, and where
    /// it is at that moment.
    ///
    /// Off unless asked for, here or by the environment variable `GREENTHREAD_WATCHDOG` (`100ms`, `500us`, `2s`), which is for every OS thread of the process. An OS thread of its own looks four
    /// times within the limit; it asks the OS thread that is held up by the signal `SIGURG`. At most one report is written a second, and one for each time. While it is on, the event loop looks
    /// at the clock after each green thread: about 50 ns a switch.
    ///
    /// # Panics
    /// When `limit` is zero.
    pub fn watchdog(mut self, limit: Duration) -> Self {
        assert!(
            !limit.is_zero(),
            "watchdog(0): everybody holds its OS thread for longer than that"
        );
        self.settings.watchdog = Some(limit);
        self
    }

    /// Has those listed on stderr, at the end of each `run` and before it cancels them, whom nobody can wake any more: leaks.
    ///
    /// Known to be so are: everybody who is parked, when no timer runs, no socket is waited for, no job is at work and no other OS thread with a scheduler is there; else those who wait for each other in a
    /// circle, for a lock whose owner has ended without giving it back, or in [`park`](crate::park()) while nobody has a handle to them; and those who wait for one of these. One who waits with a
    /// deadline is none of them. A channel's receiver needs no such help: it learns when the last sender has gone.
    pub fn report_stuck(mut self) -> Self {
        self.settings.report_stuck = true;
        self
    }

    /// Has a [`dump()`](crate::dump()) written to stderr whenever the process gets this signal, for example `SIGUSR1`, as long as the runtime lives.
    ///
    /// Others who handle it, by the `signal-hook` crate or before, are called too. The dump is made by an OS thread of its own; signals that come meanwhile bring one more.
    pub fn dump_on_signal(mut self, signal: i32) -> Self {
        self.dump_on = Some(signal);
        self
    }

    /// Makes the runtime.
    ///
    /// Blocks, with workers, until each of them has started and called [`on_worker_start`](Self::on_worker_start); a cancellation does not end that. On the root and on a plain
    /// OS thread that wait runs the event loop.
    ///
    /// # Errors
    /// For a signal that cannot be handled, `InvalidInput`; when the system refuses the handler, a descriptor or an OS thread for dumps, its error.
    /// `InvalidInput` when the stack size is past the largest, or for workers under virtual time, with [`shuffle`](Self::shuffle) or with [`faults`](Self::faults), which are one OS thread's; else what kept an OS thread from being
    /// made.
    pub fn build(mut self) -> io::Result<Runtime> {
        if let Some(size) = self.settings.stack_size {
            // A size that no stack can have is refused here rather than at every spawn.
            drop(pool::take(size)?);
        }
        let blocking = self.blocking.take().map(Pool::with_terms);
        self.settings.crew = blocking.as_ref().map(|pool| Arc::clone(pool.crew()));
        let workers = self.workers.map(|count| self.make_workers(count));
        let workers = workers.transpose()?;
        self.settings.work = workers.as_ref().map(|set| Arc::clone(set.work()));
        Ok(Runtime {
            settings: self.settings,
            workers,
            _blocking: blocking,
            _on_signal: self.dump_on.map(OnSignal::new).transpose()?,
            here: PhantomData,
        })
    }

    fn make_workers(&self, count: usize) -> io::Result<Set> {
        if self.settings.virtual_time {
            return Err(refuse_workers(count, "under virtual time"));
        }
        if self.settings.shuffle.is_some() {
            return Err(refuse_workers(count, "with shuffle"));
        }
        if self.settings.faults.is_some() {
            return Err(refuse_workers(count, "with faults"));
        }
        let customs = Customs {
            stack_size: self.settings.stack_size,
            watchdog: self.settings.watchdog,
            on_panic: self.settings.on_panic.clone(),
            crew: self.settings.crew.clone(),
            on_start: self.on_worker_start.clone(),
        };
        Set::make(count, &customs, self.shutdown_limit)
    }
}

/// Why a runtime with workers cannot be made.
fn refuse_workers(workers: usize, with: &str) -> io::Error {
    let text = format!(
        "workers({workers}) {with}: that is for one OS thread, because nothing decides which of several is the faster"
    );
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

impl fmt::Debug for RuntimeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeBuilder").finish_non_exhaustive()
    }
}

/// What a `run` puts in force on its OS thread.
#[derive(Clone, Default)]
struct Settings {
    /// Bytes.
    stack_size: Option<usize>,

    /// Whether the clock only jumps.
    virtual_time: bool,

    /// What the order in which they run follows from, if not from the order in which they became ready.
    shuffle: Option<u64>,

    /// What goes wrong with sockets, if anything.
    faults: Option<Faults>,

    /// Whether silence is a deadlock at once.
    only_our_threads: bool,

    /// Whether its end tells of those whom nobody can wake.
    report_stuck: bool,

    /// How long a green thread may hold its OS thread; what was in force before, when none.
    watchdog: Option<Duration>,

    /// L13.
    on_panic: Option<OnPanic>,

    /// Who does blocking jobs; the process's crew when none.
    crew: Option<Arc<Crew>>,

    /// Where `spawn_anywhere` puts its work; the process's when none.
    work: Option<Arc<Work>>,
}

impl Settings {
    #[track_caller]
    fn run<T>(&self, workers: Option<&Set>, f: impl FnOnce() -> T) -> T {
        let scheduler = Scheduler::get();
        assert!(
            scheduler.is_root(scheduler.current_header()),
            "`run` on a green thread: it ends what runs on the root, and this is green thread {}",
            scheduler.current_header().id()
        );
        give_up_lost_run(scheduler);
        assert!(
            scheduler.hooks().run.get() == 0,
            "a nested `run`: this OS thread's root is inside one already"
        );
        // In a generator, which may be forgotten, it may never come to its end (A3 of `scope`).
        scheduler.hooks().run_ends.set(scheduler.is_on_base());
        scheduler.begin_run();
        let changed = Changed::by(scheduler, self);
        let lent = scheduler.lent_out();
        let result = catch_unwind(AssertUnwindSafe(f));
        if self.report_stuck {
            stuck::report(scheduler);
        }
        let unended = Unended::since(scheduler, lent);
        end_run(scheduler, workers);
        std::mem::forget(unended);
        drop(changed);
        idle::release();
        raise_deadlock(scheduler);
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// Does what the end of a `run` would do here that stands in a generator which was dropped and did not close: it will never come to its end.
fn give_up_lost_run(scheduler: &'static Scheduler) {
    if scheduler.run_is_lost() {
        let changed = Changed(scheduler);
        end_what_was_left(scheduler, Scheduler::left_by_run);
        drop(changed);
        raise_deadlock(scheduler);
    }
}

/// Ends what a `run` leaves behind: here, and on its workers.
fn end_run(scheduler: &'static Scheduler, workers: Option<&Set>) {
    let end_here = || end_what_was_left(scheduler, Scheduler::left_by_run);
    let Some(workers) = workers else {
        return end_here();
    };
    workers.end_all(scheduler, end_here);
    while !scheduler.left_by_run().is_empty() {
        // Somebody there has spawned here once more.
        workers.end_all(scheduler, end_here);
    }
}

/// Dropped by a deadlock's panic at the end of a `run` (L8): those who have not ended stay behind, which they must not do while children elsewhere borrow from them (A3 of
/// `scope`, L11). Then the process ends.
struct Unended {
    /// Of this OS thread.
    scheduler: &'static Scheduler,

    /// How many scopes had lent something out before.
    lent: usize,
}

impl Unended {
    fn since(scheduler: &'static Scheduler, lent: usize) -> Self {
        Unended { scheduler, lent }
    }
}

impl Drop for Unended {
    fn drop(&mut self) {
        if self.scheduler.lent_out() > self.lent {
            // Nobody may be there to be told.
            let _ = writeln!(
                io::stderr(),
                "greenthread: a deadlock at the end of `run`, and children on workers borrow from those who have not ended: the process ends"
            );
            std::process::abort();
        }
    }
}

/// What the `run` under way on this OS thread has changed. It is put back when this is dropped; it is not kept in here, because the stack of that `run` may be lost.
struct Changed(&'static Scheduler);

impl Changed {
    fn by(scheduler: &'static Scheduler, settings: &Settings) -> Self {
        let in_force = InForce::put(scheduler, settings);
        // Values are dropped before the settings go.
        let changed: Box<dyn Any> = Box::new((local_table::fresh(), in_force));
        let hooks = scheduler.hooks();
        hooks.run_changed.replace(Some(ManuallyDrop::new(changed)));
        Changed(scheduler)
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        let changed = self.0.hooks().run_changed.take();
        drop(changed.map(ManuallyDrop::into_inner));
    }
}

/// Settings in force; what was in force before comes back when this is dropped.
struct InForce {
    /// Of this OS thread.
    scheduler: &'static Scheduler,

    /// Where this OS thread's own numbers were, if they and the order follow from a seed.
    shuffled: Option<u32>,

    /// What goes wrong with sockets.
    _faults: Option<faults::InForce>,

    /// From before.
    stack_size: Option<usize>,

    /// From before, if it was replaced.
    watchdog: Option<Option<Arc<Beat>>>,

    /// From before.
    on_panic: Option<OnPanic>,

    /// From before.
    crew: Option<Arc<Crew>>,

    /// From before.
    work: Option<Arc<Work>>,
}

impl InForce {
    fn put(scheduler: &'static Scheduler, settings: &Settings) -> Self {
        let hooks = scheduler.hooks();
        if settings.virtual_time {
            scheduler.clock().make_virtual();
        }
        hooks.only_our_threads.set(settings.only_our_threads);
        let shuffled = settings.shuffle.map(|seed| {
            scheduler.shuffle(Some(seed));
            random::reseed_here(seed)
        });
        InForce {
            scheduler,
            shuffled,
            _faults: settings.faults.clone().map(faults::InForce::put),
            stack_size: hooks.stack_size.replace(settings.stack_size),
            watchdog: settings
                .watchdog
                .map(|limit| scheduler.watch(Some(observer::watch(limit)))),
            on_panic: hooks.on_panic.replace(settings.on_panic.clone()),
            crew: put_in_force(settings.crew.clone()),
            work: hooks.work.replace(settings.work.clone()),
        }
    }
}

impl Drop for InForce {
    fn drop(&mut self) {
        let hooks = self.scheduler.hooks();
        self.scheduler.clock().make_real();
        if let Some(last) = self.shuffled {
            self.scheduler.shuffle(None);
            random::go_on_here(last);
        }
        hooks.only_our_threads.set(false);
        hooks.stack_size.set(self.stack_size);
        hooks.on_panic.replace(self.on_panic.take());
        put_in_force(self.crew.take());
        hooks.work.replace(self.work.take());
        if let Some(before) = self.watchdog.take() {
            self.scheduler.watch(before);
        }
        hooks.run.set(0);
    }
}
