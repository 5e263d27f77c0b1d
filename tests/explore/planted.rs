//! Faults that were planted: they do not show in the order of the line, a search finds each, and its seed shows it again.

use std::cell::{Cell, RefCell};

use greenthread::explore::{Failure, replay, search};
use greenthread::sync::{Mutex, Semaphore};
use greenthread::{GreenThread, current, park, scope, sleep, yield_now};

use super::{MANY, TICK, in_order};

/// A flag that one waits for, with a hole: between the look at the flag and the note of who waits, another may come.
#[derive(Default)]
struct Flag {
    is_set: Cell<bool>,
    waiter: RefCell<Option<GreenThread>>,
}

impl Flag {
    fn wait(&self) {
        if !self.is_set.get() {
            // Where another core could come between.
            yield_now();
            *self.waiter.borrow_mut() = Some(current());
            park();
        }
    }

    fn set(&self) {
        self.is_set.set(true);
        if let Some(waiter) = self.waiter.borrow_mut().take() {
            waiter.unpark();
        }
    }
}

fn lost_wakeup() {
    let flag = Flag::default();
    scope(|s| {
        s.spawn(|| flag.wait());
        s.spawn(|| {
            sleep(TICK);
            flag.set();
        });
        s.spawn(|| sleep(TICK));
    });
    let late = Flag::default();
    scope(|s| {
        s.spawn(|| {
            sleep(TICK);
            late.wait();
        });
        s.spawn(|| {
            sleep(TICK);
            yield_now();
            yield_now();
            yield_now();
            late.set();
        });
    });
}

fn lock_order() {
    let (first, second) = (Mutex::new(()), Mutex::new(()));
    scope(|s| {
        s.spawn(|| {
            let _one = first.lock();
            yield_now();
            let _two = second.lock();
        });
        s.spawn(|| {
            sleep(TICK);
            let _two = second.lock();
        });
        s.spawn(|| {
            for _ in 0..4 {
                yield_now();
            }
            let _two = second.lock();
            yield_now();
            let _one = first.lock();
        });
    });
}

struct GiveBack<'a>(&'a Semaphore);

impl Drop for GiveBack<'_> {
    fn drop(&mut self) {
        self.0.release(1);
    }
}

fn cancel_race() {
    let permits = Semaphore::new(1);
    scope(|s| {
        let user = s.spawn(|| {
            permits.acquire().forget();
            // A wait point between taking and seeing to it that it is given back.
            yield_now();
            let _back = GiveBack(&permits);
            sleep(TICK);
        });
        for _ in 0..4 {
            yield_now();
        }
        user.cancel();
        drop(user.join());
    });
    assert_eq!(permits.available(), 1, "the permit is lost");
}

/// What a search finds, after the order of the line has shown nothing; and that its seed draws the same twice.
fn find(planted: fn()) -> Failure {
    in_order(planted);
    let failure = search(MANY, |_| planted()).expect_err("nothing was found");
    assert!(failure.is_repeatable());
    let drawn = failure.timeline().to_text();
    for _ in 0..2 {
        let again = replay(failure.seed(), |_| planted()).expect_err("it did not fail again");
        assert_eq!(again.timeline().to_text(), drawn);
    }
    failure
}

#[test]
#[apply(on_roots)]
fn a_lost_wakeup_is_found_and_shown_again() {
    let failure = find(lost_wakeup);
    assert!(failure.message().contains("deadlock"), "{failure}");
    assert!(failure.message().contains("park"), "{failure}");
}

#[test]
#[apply(on_roots)]
fn a_deadlock_by_the_order_of_locks_is_found_and_shown_again() {
    let failure = find(lock_order);
    assert!(failure.message().contains("deadlock"), "{failure}");
    let drawn = failure.timeline().to_text();
    assert!(drawn.contains("Mutex::lock"), "{drawn}");
}

#[test]
#[apply(on_roots)]
fn a_cancellation_at_the_wrong_moment_is_found_and_shown_again() {
    let failure = find(cancel_race);
    assert!(
        failure.message().contains("the permit is lost"),
        "{failure}"
    );
}
