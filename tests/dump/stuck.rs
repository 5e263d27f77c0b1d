//! Those whom nobody can wake any more are listed at the end of `run`, when asked for.

use std::rc::Rc;
use std::time::Duration;

use greenthread::sync::{Event, Mutex};
use greenthread::{Builder, Runtime, channel, park, sleep, spawn, yield_now};

use crate::child;

const HOUR: Duration = Duration::from_secs(3600);

fn named(name: &str, f: impl FnOnce() + 'static) {
    drop(Builder::new().name(name.into()).spawn(f).unwrap());
}

/// What a run of `f` says at its end.
fn said(test: &str, f: impl FnOnce()) -> String {
    let ended = child::run(&format!("stuck::{test}"), || {
        let runtime = Runtime::builder().report_stuck().build().unwrap();
        runtime.run(|| {
            f();
            yield_now();
        });
    });
    ended.succeeded();
    ended.stderr
}

#[test]
fn one_that_nobody_has_a_handle_to_and_one_behind_a_lock_that_went_with_its_owner() {
    let text = said(
        "one_that_nobody_has_a_handle_to_and_one_behind_a_lock_that_went_with_its_owner",
        || {
            // Something goes on, so that it is not simply silent.
            named("sleeper", || sleep(HOUR));
            named("forgotten", park);
            let lock = Rc::new(Mutex::new(()));
            let held = Rc::clone(&lock);
            named("leaver", move || std::mem::forget(held.lock()));
            named("orphan", move || drop(lock.lock()));
        },
    );
    assert!(
        text.contains("nobody can wake 2 green threads any more"),
        "{text}"
    );
    assert!(text.contains("\"forgotten\" waits in park"), "{text}");
    assert!(
        text.contains("\"orphan\" waits in Mutex::lock, spawned at"),
        "{text}"
    );
    assert!(
        !text.contains("sleeper") && !text.contains("leaver"),
        "{text}"
    );
}

#[test]
fn those_in_a_circle_and_those_who_wait_for_them_but_not_one_with_a_deadline() {
    let text = said(
        "those_in_a_circle_and_those_who_wait_for_them_but_not_one_with_a_deadline",
        || {
            named("sleeper", || sleep(HOUR));
            let twice = Builder::new().name("twice".into()).spawn(|| {
                let lock = Mutex::new(());
                let _once = lock.lock();
                drop(lock.lock());
            });
            let twice = twice.unwrap();
            named("behind", move || drop(twice.join()));
            named("patient", || {
                let lock = Mutex::new(());
                let _once = lock.lock();
                drop(lock.lock_timeout(HOUR));
            });
        },
    );
    assert!(
        text.contains("nobody can wake 2 green threads any more"),
        "{text}"
    );
    assert!(
        text.contains("\"twice\"") && text.contains("\"behind\""),
        "{text}"
    );
    assert!(!text.contains("patient"), "{text}");
}

#[test]
fn everybody_when_nothing_is_left_that_could_come() {
    let text = said("everybody_when_nothing_is_left_that_could_come", || {
        named("one", || Event::new().wait());
        let event = Rc::new(Event::new());
        let other = Rc::clone(&event);
        named("two", move || other.wait());
        drop(event);
    });
    assert!(
        text.contains("nobody can wake 2 green threads any more"),
        "{text}"
    );
}

#[test]
fn one_alone_is_told_of_as_one() {
    let text = said("one_alone_is_told_of_as_one", || {
        named("one", || Event::new().wait());
    });
    assert!(
        text.contains("nobody can wake 1 green thread any more"),
        "{text}"
    );
}

#[test]
fn nobody_who_can_still_be_woken() {
    let text = said("nobody_who_can_still_be_woken", || {
        let (sender, receiver) = channel::bounded::<u8>(1);
        named("receiver", move || {
            let _ = receiver.recv();
        });
        named("sender", move || {
            sleep(HOUR);
            let _ = sender.send(1);
        });
        let parked = spawn(park);
        named("waker", move || {
            sleep(HOUR);
            parked.thread().unpark();
        });
    });
    assert!(!text.contains("nobody can wake"), "{text}");
}

#[test]
fn without_being_asked_nothing_is_said() {
    let ended = child::run("stuck::without_being_asked_nothing_is_said", || {
        greenthread::run(|| named("forgotten", park));
    });
    ended.succeeded();
    assert_eq!(ended.times("nobody can wake"), 0);
}
