//! The first of several closures to end.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::sched::payload;
use crate::sched::scheduler::Scheduler;
use crate::sched::tally::Tally;
use crate::sched::wait::Operation;
use crate::thread::outcome::drop_quietly;
use crate::thread::report;
use crate::thread::scope::scope;

static RACE: Operation = Operation::new("race");

/// Runs the closures side by side and returns what the first to end gives; the others are cancelled and have ended before it returns.
///
/// The closures run on green threads of this OS thread and may borrow. The first to end wins, by its value or by its panic, which goes on here. What a loser still
/// returns is dropped, and a loser's panic is reported. Blocks until all have ended: a loser that shields itself, or cleans up for long, holds the race up. A
/// cancellation while waiting is passed on to all and raised after their end. On the root and on a plain OS thread the wait runs the event loop.
///
/// Closures of several types race in [`race!`](crate::race!).
///
/// # Panics
/// With the winner's panic; when there is no closure; when every one of them was cancelled from elsewhere.
///
/// # Examples
/// ```
/// use greenthread::{Runtime, race, sleep, time::Duration};
/// let mirrors = [3, 1, 2];
/// let runtime = Runtime::builder().virtual_time().build().unwrap();
/// let fastest = runtime.run(|| race(mirrors.iter().map(|n| move || { sleep(Duration::from_secs(*n)); n })));
/// assert_eq!(*fastest, 1);
/// ```
#[track_caller]
pub fn race<F, T>(closures: impl IntoIterator<Item = F>) -> T
where
    F: FnOnce() -> T,
{
    let runners: Vec<F> = closures.into_iter().collect();
    assert!(
        !runners.is_empty(),
        "race got 0 closures: nobody would win; at least 1 is needed",
    );
    let finish = FinishLine(RefCell::new(None));
    run(runners, &finish);
    match finish.0.take() {
        Some(Ok(value)) => value,
        Some(Err(panic)) => resume_unwind(panic),
        None => panic!("race: every closure was cancelled, so nobody won"),
    }
}

fn run<F, T>(runners: Vec<F>, finish: &FinishLine<T>)
where
    F: FnOnce() -> T,
{
    let (count, tally) = (runners.len(), Tally::new(runners.len()));
    scope(|s| {
        for (place, runner) in runners.into_iter().enumerate() {
            s.spawn(move || finish.cross(runner)).watch(&tally, place);
        }
        for _ in 0..count {
            tally.next(&RACE, None);
            if finish.0.borrow().is_some() {
                break;
            }
        }
        s.cancel();
    });
}

/// What the winner gave.
struct FinishLine<T>(RefCell<Option<Result<T, Box<dyn Any + Send>>>>);

impl<T> FinishLine<T> {
    /// Runs one of them; whoever ends first leaves its value or its panic here.
    fn cross(&self, runner: impl FnOnce() -> T) {
        let ended = match catch_unwind(AssertUnwindSafe(runner)) {
            Ok(value) => Ok(value),
            Err(caught) => match payload::sort(caught) {
                Ok(request) => resume_unwind(request),
                Err(panic) => Err(panic),
            },
        };
        let mut first = self.0.borrow_mut();
        if first.is_none() {
            *first = Some(ended);
            return;
        }
        drop(first);
        lose(ended);
    }
}

/// A loser's value is dropped, and its panic is said.
fn lose<T>(ended: Result<T, Box<dyn Any + Send>>) {
    let header = Scheduler::get().current_header();
    if let Err(panic) = &ended {
        report::panicked(&header.count(), &**panic);
    }
    drop_quietly(header, ended);
}

impl<T> Drop for FinishLine<T> {
    /// A request ended the race after somebody had won it by a panic: that is said, and lost.
    fn drop(&mut self) {
        if let Some(ended @ Err(_)) = self.0.take() {
            lose(ended);
        }
    }
}

/// Runs closures of several types side by side and returns what the first to end gives; see [`race`](crate::race()).
///
/// # Examples
/// ```
/// use greenthread::{race, sleep, time::Duration};
/// let name = String::from("cache");
/// let winner = race!(|| name.clone(), || { sleep(Duration::MAX); String::from("disk") });
/// assert_eq!(winner, "cache");
/// ```
#[macro_export]
macro_rules! race {
    ($($closure:expr),+ $(,)?) => {
        $crate::race([$($crate::__runner($closure)),+])
    };
}

/// A closure of `race!` as one of the type that all have. A function, because its bound tells the compiler what a closure that only panics is to give.
#[doc(hidden)]
pub fn runner<'a, T>(closure: impl FnOnce() -> T + 'a) -> Box<dyn FnOnce() -> T + 'a> {
    Box::new(closure)
}
