//! Tokens and requests: what is written to a green thread that may be about to wait.

use std::sync::Arc;

use loom::thread;

use crate::sched::model_root::{SOON, check};
use crate::sync::Event;
use crate::thread::catch::catch_cancel;
use crate::thread::current::{current, park, park_timeout};

#[test]
fn l7_an_unpark_that_meets_a_park_is_not_lost() {
    check(|| {
        let me = current();
        let other = thread::spawn(move || me.unpark());
        park();
        other.join().unwrap();
    });
}

#[test]
fn two_unparks_give_one_token_or_end_two_parks() {
    check(|| {
        let others = [current(), current()].map(|me| thread::spawn(move || me.unpark()));
        park();
        for other in others {
            other.join().unwrap();
        }
        park_timeout(SOON);
    });
}

#[test]
fn l4_an_unpark_that_meets_a_deadline_is_kept_or_used() {
    check(|| {
        let (me, again) = (current(), current());
        let other = thread::spawn(move || me.unpark());
        park_timeout(SOON);
        other.join().unwrap();
        // Used or not, the next one is not lost: a token is there or is brought.
        again.unpark();
        park();
    });
}

#[test]
fn an_unpark_that_meets_another_wait_is_kept_for_the_park() {
    check(|| {
        let (me, event) = (current(), Arc::new(Event::new()));
        let sets = Arc::clone(&event);
        let other = thread::spawn(move || {
            me.unpark();
            sets.set();
        });
        event.wait();
        park();
        other.join().unwrap();
    });
}

#[test]
fn l9_a_cancellation_that_meets_a_park_ends_it() {
    check(|| {
        let me = current();
        let other = thread::spawn(move || me.cancel());
        assert!(catch_cancel(park).is_err());
        assert!(other.join().unwrap());
    });
}

#[test]
fn l4_a_cancelled_park_gives_its_token_back() {
    check(|| {
        let (me, too) = (current(), current());
        let unparks = thread::spawn(move || me.unpark());
        let cancels = thread::spawn(move || too.cancel());
        let cancelled = catch_cancel(park).is_err();
        unparks.join().unwrap();
        cancels.join().unwrap();
        if cancelled {
            park();
        }
    });
}
