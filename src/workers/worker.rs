//! The life of one worker: an OS thread whose root only waits for orders, while its loop runs green threads.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::orders::{Answer, Order, Orders};
use crate::blocking::crew::Crew;
use crate::blocking::spawn::put_in_force;
use crate::sched::clock::Deadline;
use crate::sched::deadlock::describe;
use crate::sched::hooks::OnPanic;
use crate::sched::scheduler::Scheduler;
use crate::sched::work::Seat;
use crate::thread::join::wait_over;
use crate::thread::leftover::{self, end_what_was_left};
use crate::thread::spawn::spawn_at;
use crate::watchdog::observer;

/// Called at the start of each worker with its number.
pub(crate) type OnStart = Arc<dyn Fn(usize) + Send + Sync>;

/// What is in force on every worker of a set.
#[derive(Clone, Default)]
pub(crate) struct Customs {
    /// Bytes of stack for green threads that do not say.
    pub(crate) stack_size: Option<usize>,

    /// How long a green thread may hold its OS thread, if that is watched.
    pub(crate) watchdog: Option<Duration>,

    /// L13.
    pub(crate) on_panic: Option<OnPanic>,

    /// Who does blocking jobs.
    pub(crate) crew: Option<Arc<Crew>>,

    /// Called first.
    pub(crate) on_start: Option<OnStart>,
}

/// Says that the worker has arrived, or, when it is dropped before, that it never will.
struct Arrival<'a>(Option<&'a Orders>);

impl Arrival<'_> {
    fn works(mut self) {
        if let Some(orders) = self.0.take() {
            orders.arrive(true);
        }
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        if let Some(orders) = self.0.take() {
            orders.arrive(false);
        }
    }
}

/// The body of the OS thread of worker `number`.
pub(super) fn live(number: usize, seat: Seat, customs: Customs, orders: &Orders) {
    let arrival = Arrival(Some(orders));
    let scheduler = Scheduler::get();
    scheduler.hooks().stack_size.set(customs.stack_size);
    scheduler.hooks().on_panic.replace(customs.on_panic);
    if let Some(limit) = customs.watchdog {
        scheduler.watch(Some(observer::watch(limit)));
    }
    put_in_force(customs.crew);
    if let Some(on_start) = customs.on_start {
        call(move || on_start(number));
    }
    scheduler.sit_down(seat);
    arrival.works();
    follow(number, scheduler, orders);
    read_letters(scheduler);
    // L11: it ends when nobody is left, and not before.
    while scheduler.begin_work() || !scheduler.everybody().is_empty() {
        end_what_was_left(scheduler, Scheduler::everybody);
    }
    orders.go(number);
}

/// Calls the user's function on a green thread (L18), and waits for its end.
fn call(f: impl FnOnce() + 'static) {
    let called = spawn_at(Location::caller(), f);
    wait_over(called.thread().header(), None);
}

/// Whoever was sent here before an order counts when it is followed, although the root may not have parked meanwhile: the loop reads letters after a turn, and the first turn of these
/// may be its very first, the root's own.
fn read_letters(scheduler: &Scheduler) {
    scheduler.yield_now();
    scheduler.yield_now();
}

/// Does what it is told, until it is told to go.
fn follow(number: usize, scheduler: &'static Scheduler, orders: &Orders) {
    let mut seen = 0;
    while let Order::End(round, until) = orders.next(seen) {
        seen = round;
        read_letters(scheduler);
        orders.answer(number, round, end(scheduler, until));
    }
}

/// Ends who is left, until `until`.
fn end(scheduler: &Scheduler, until: Deadline) -> Answer {
    let ended = leftover::end_until(scheduler, Scheduler::everybody, Some(until));
    let left = match ended.all {
        true => Vec::new(),
        false => lines(scheduler),
    };
    Answer {
        found: ended.found,
        left,
    }
}

fn lines(scheduler: &Scheduler) -> Vec<String> {
    let everybody = scheduler.everybody();
    let line = |header| {
        let mut line = String::new();
        describe(&mut line, header, scheduler);
        line
    };
    everybody.iter().map(|header| line(header)).collect()
}
