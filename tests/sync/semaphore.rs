//! What a semaphore does besides: weights, bounds, permits.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use greenthread::sync::Semaphore;
use greenthread::{JoinHandle, sleep, spawn, yield_now};

use crate::support::{Log, panic_text};
use crate::virtual_time;

fn asks(semaphore: &Rc<Semaphore>, count: usize, log: &Log, name: &'static str) -> JoinHandle<()> {
    let (semaphore, log) = (Rc::clone(semaphore), log.clone());
    let handle = spawn(move || {
        semaphore.acquire_many(count).forget();
        log.say(name);
    });
    yield_now();
    handle
}

#[test]
#[apply(on_workers)]
fn a_big_request_in_front_is_not_overtaken() {
    virtual_time(|| {
        let (semaphore, log) = (Rc::new(Semaphore::new(2)), Log::default());
        let big = asks(&semaphore, 3, &log, "big");
        let small = asks(&semaphore, 1, &log, "small");
        assert!(semaphore.try_acquire().is_none(), "somebody waits");
        assert_eq!(semaphore.available(), 2);
        semaphore.release(1);
        big.join().unwrap();
        assert!(!small.is_finished());
        semaphore.release(1);
        small.join().unwrap();
        assert_eq!(log.lines(), ["big", "small"]);
    });
}

#[test]
#[apply(on_workers)]
fn l4_those_behind_a_big_request_that_leaves_are_served() {
    virtual_time(|| {
        let (semaphore, log) = (Rc::new(Semaphore::new(2)), Log::default());
        let big = asks(&semaphore, 3, &log, "big");
        let small = [1, 1].map(|n| asks(&semaphore, n, &log, "small"));
        big.cancel();
        for small in small {
            small.join().unwrap();
        }
        assert_eq!(log.lines(), ["small", "small"]);
        assert!(big.join().unwrap_err().is_cancelled());
    });
}

#[test]
#[apply(on_roots)]
fn l4_those_behind_a_big_request_whose_time_is_up_are_served() {
    virtual_time(|| {
        let semaphore = Semaphore::new(1);
        greenthread::scope(|s| {
            s.spawn(|| {
                let limit = Duration::from_secs(1);
                assert!(greenthread::timeout(limit, || semaphore.acquire_many(2)).is_err());
            });
            yield_now();
            drop(semaphore.acquire());
        });
        assert_eq!(semaphore.available(), 1);
    });
}

#[test]
#[apply(on_workers)]
fn l4_a_big_grant_that_meets_a_cancellation_serves_several() {
    virtual_time(|| {
        let (semaphore, log) = (Rc::new(Semaphore::new(0)), Log::default());
        let big = asks(&semaphore, 3, &log, "big");
        let small = [1, 1].map(|n| asks(&semaphore, n, &log, "small"));
        semaphore.release(3);
        big.cancel();
        for small in small {
            small.join().unwrap();
        }
        assert_eq!(semaphore.available(), 1);
    });
}

#[test]
#[apply(on_workers)]
fn releasing_past_the_bound_names_value_and_limit() {
    let bounded = Semaphore::bounded(2);
    let text = panic_text(|| bounded.release(1));
    assert!(
        text.contains("release(1)") && text.contains("2 permits"),
        "{text}"
    );
    let held = bounded.acquire();
    assert!(
        panic_text(|| bounded.release(1)).contains("release(1)"),
        "one is out and comes back"
    );
    held.forget();
    bounded.release(1);
    assert_eq!(bounded.available(), 2);
}

#[test]
#[apply(on_workers)]
fn asking_past_the_bound_names_value_and_limit() {
    let bounded = Semaphore::bounded(2);
    let text = panic_text(|| drop(bounded.acquire_many(3)));
    assert!(text.contains('3') && text.contains('2'), "{text}");
    assert!(panic_text(|| Semaphore::bounded(0).acquire().forget()).contains("bounded to 0"));
}

#[test]
#[apply(on_workers)]
fn releasing_past_the_largest_number_panics_and_changes_nothing() {
    let semaphore = Semaphore::new(usize::MAX);
    assert!(panic_text(|| semaphore.release(1)).contains("release(1)"));
    assert_eq!(semaphore.available(), usize::MAX);
}

#[test]
#[apply(on_workers)]
fn owned_permits_come_back_from_wherever_they_are_dropped() {
    let semaphore = Arc::new(Semaphore::new(1));
    let permit = semaphore.acquire_owned();
    std::thread::spawn(move || drop(permit)).join().unwrap();
    assert_eq!(semaphore.available(), 1);
    semaphore.acquire_owned().forget();
    assert_eq!(semaphore.available(), 0);
    assert_eq!(Arc::strong_count(&semaphore), 1);
}

#[test]
#[apply(on_roots)]
fn a_guard_alive_during_a_cancellation_gives_its_permit_back() {
    virtual_time(|| {
        let semaphore = Rc::new(Semaphore::new(1));
        let inside = Rc::new(Cell::new(false));
        let (own, seen) = (Rc::clone(&semaphore), Rc::clone(&inside));
        let holder = spawn(move || {
            let _permit = own.acquire();
            seen.set(true);
            sleep(Duration::from_secs(9));
        });
        yield_now();
        assert!(inside.get());
        holder.cancel();
        drop(semaphore.acquire());
        assert!(holder.join().unwrap_err().is_cancelled());
    });
}

#[test]
#[apply(on_roots)]
fn several_permits_are_tried_for_and_waited_for_at_once() {
    virtual_time(|| {
        let semaphore = Arc::new(Semaphore::new(2));
        assert!(semaphore.try_acquire_many(3).is_none());
        let limit = Duration::from_secs(1);
        assert!(semaphore.acquire_many_timeout(3, limit).is_err());
        let both = semaphore.try_acquire_many(2).expect("two are there");
        assert!(semaphore.try_acquire_owned().is_none());
        assert!(semaphore.acquire_owned_timeout(limit).is_err());
        drop(both);
        let own = semaphore.acquire_owned_timeout(limit).unwrap();
        assert_eq!(semaphore.available(), 1);
        drop(own);
        assert!(semaphore.acquire_many_timeout(2, limit).is_ok());
        assert_eq!(semaphore.available(), 2);
    });
}

#[test]
#[apply(on_workers)]
fn waiting_in_time_for_more_than_the_bound_is_a_panic_all_the_same() {
    let bounded = Semaphore::bounded(2);
    let text = panic_text(|| bounded.acquire_many_timeout(3, Duration::ZERO).is_ok());
    assert!(text.contains('3') && text.contains('2'), "{text}");
}
