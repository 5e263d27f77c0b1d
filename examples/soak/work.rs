//! The kinds of work that need no network: each goes round until it is told to stop, and checks every round.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use greenthread::channel;
use greenthread::generator::{Generator, Yielder};
use greenthread::sync::Semaphore;
use greenthread::{
    JoinHandle, gather, scope, sleep, spawn, spawn_anywhere, spawn_blocking, timeout, yield_now,
};

use crate::ledger::{Kind, Ledger};

/// How many of a kind go on at once.
const WIDTH: u64 = 8;

/// Items of a round.
const ITEMS: u64 = 1000;

/// Permits that those who are to be cancelled fight for.
const PERMITS: usize = 2;

/// Begins all kinds, some here and some on workers.
pub(crate) fn begin(ledger: &Ledger) -> Vec<JoinHandle<()>> {
    let mut all = Vec::new();
    for number in 0..WIDTH {
        all.push(spawn(rounds(ledger, move |ledger| sleeps(ledger, number))));
        all.push(spawn_anywhere(rounds(ledger, move |ledger| {
            sleeps(ledger, number)
        })));
    }
    all.push(spawn(rounds(ledger, items_here)));
    all.push(spawn(rounds(ledger, items_across)));
    all.push(spawn(rounds(ledger, cancels)));
    all.push(spawn_anywhere(rounds(ledger, cancels)));
    all.push(spawn(rounds(ledger, panics)));
    all.push(spawn_anywhere(rounds(ledger, panics)));
    all.push(spawn(rounds(ledger, jobs)));
    all.push(spawn(rounds(ledger, yields)));
    all.push(spawn_anywhere(rounds(ledger, yields)));
    all
}

/// One round after the other until it is told to stop; others have their turn between.
fn rounds(
    ledger: &Ledger,
    round: impl Fn(&Ledger) + Send + 'static,
) -> impl FnOnce() + Send + 'static {
    let ledger = ledger.clone();
    move || {
        while !ledger.is_stopping() {
            round(&ledger);
            yield_now();
        }
    }
}

/// Sleeps of up to 20 ms; none ends early.
fn sleeps(ledger: &Ledger, number: u64) {
    for step in 0..ITEMS / 100 {
        let duration = Duration::from_micros(hash(number, step) % 20_000);
        let begin = Instant::now();
        sleep(duration);
        ledger.check(begin.elapsed() >= duration, || {
            format!("a sleep of {duration:?} took {:?}", begin.elapsed())
        });
        ledger.add(Kind::Timers, 1);
    }
}

/// Through a channel of one and a channel of sixty-four, on one OS thread, with a deadline now and then.
fn items_here(ledger: &Ledger) {
    for capacity in [1, 64] {
        let (sender, receiver) = channel::bounded(capacity);
        let producer = spawn(move || {
            (0..ITEMS).for_each(|item| sender.send(item).expect("a receiver"));
        });
        let mut sum = 0;
        loop {
            match timeout(Duration::from_micros(50), || receiver.recv()) {
                Ok(Ok(item)) => sum += item,
                Ok(Err(_)) => break,
                Err(_) => yield_now(),
            }
        }
        producer.join().expect("it sends all");
        check_sum(ledger, sum);
    }
}

/// The same between workers, with several at each end.
fn items_across(ledger: &Ledger) {
    let (sender, receiver) = channel::bounded(64);
    let sum = scope(|s| {
        for part in 0..4 {
            let sender = sender.clone();
            s.spawn_anywhere(move || {
                let items = (0..ITEMS).filter(|item| item % 4 == part);
                items.for_each(|item| sender.send(item).expect("a receiver"));
            });
        }
        drop(sender);
        let sums = [receiver.clone(), receiver]
            .map(|receiver| s.spawn_anywhere(move || receiver.iter().sum::<u64>()));
        sums.map(|sum| sum.join().expect("a sum")).iter().sum()
    });
    check_sum(ledger, sum);
}

fn check_sum(ledger: &Ledger, sum: u64) {
    let right = ITEMS * (ITEMS - 1) / 2;
    ledger.check(sum == right, || {
        format!("items that sum up to {right} came to {sum}")
    });
    ledger.add(Kind::Items, ITEMS);
}

/// Many wait for few permits and are cancelled at any point of that; all permits are back at the end.
fn cancels(ledger: &Ledger) {
    let permits = Arc::new(Semaphore::new(PERMITS));
    let waiting: Vec<_> = (0..WIDTH * 4)
        .map(|number| {
            let permits = Arc::clone(&permits);
            spawn(move || {
                let _permit = permits.acquire();
                for _ in 0..number % 5 {
                    yield_now();
                }
            })
        })
        .collect();
    for (number, handle) in waiting.iter().enumerate() {
        if !hash(number as u64, 7).is_multiple_of(3) {
            yield_now();
        }
        handle.cancel();
    }
    let ended = gather(waiting);
    let panicked = ended.iter().flat_map(|end| end.as_ref().err());
    let panicked = panicked.filter(|error| !error.is_cancelled()).count();
    ledger.check(panicked == 0, || {
        format!("{panicked} failed in place of being cancelled")
    });
    let available = permits.available();
    ledger.check(available == PERMITS, || {
        format!("{PERMITS} permits became {available}")
    });
    ledger.add(Kind::Cancels, ended.len() as u64);
}

/// Panics come out of `join` with what they carry, and of a scope.
fn panics(ledger: &Ledger) {
    for number in 0..WIDTH {
        let handle = spawn(move || {
            yield_now();
            // Without the hook, which would fill the screen.
            resume_unwind(Box::new(number));
        });
        let error = handle.join().expect_err("it panics");
        let payload = error.into_panic().downcast::<u64>();
        ledger.check(payload.is_ok_and(|payload| *payload == number), || {
            format!("the payload of panic {number} was lost")
        });
        ledger.add(Kind::Panics, 1);
    }
}

/// Sums of the blocking pool.
fn jobs(ledger: &Ledger) {
    let jobs: Vec<_> = (0..WIDTH)
        .map(|number| spawn_blocking(move || (0..1000).map(|step| hash(number, step)).max()))
        .collect();
    for (number, job) in jobs.into_iter().enumerate() {
        let most = job.join().expect("it does not panic");
        let right = (0..1000).map(|step| hash(number as u64, step)).max();
        ledger.check(most == right, || format!("job {number} came to {most:?}"));
        ledger.add(Kind::Jobs, 1);
    }
}

/// Running sums by generators, of which some are closed and some dropped in the middle.
fn yields(ledger: &Ledger) {
    for number in 0..WIDTH {
        let sums = Generator::new(|y: &Yielder<u64, u64>| {
            let mut sum = 0;
            loop {
                sum += y.yield_(sum);
            }
        });
        let _: greenthread::generator::GeneratorState<u64, ()> = sums.start();
        let mut last = 0;
        for item in 0..ITEMS / 10 {
            last = sums.send(item).unwrap_yielded();
            if item % 16 == 0 {
                yield_now();
            }
        }
        let right = (ITEMS / 10) * (ITEMS / 10 - 1) / 2;
        ledger.check(last == right, || {
            format!("a generator came to {last}, not {right}")
        });
        if number % 2 == 0 {
            sums.close();
        }
        ledger.add(Kind::Yields, ITEMS / 10);
    }
}

/// A number that looks random, the same in every run.
pub(crate) fn hash(one: u64, other: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (one, other).hash(&mut hasher);
    hasher.finish()
}
