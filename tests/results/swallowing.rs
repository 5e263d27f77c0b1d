//! Code that uses `catch_unwind`, and meets a cancellation there.

use std::cell::Cell;
use std::panic::catch_unwind;
use std::rc::Rc;
use std::time::Duration;

use greenthread::{
    Builder, Elapsed, catch_cancel, checkpoint, current, is_cancellation, park,
    resume_if_cancelled, sleep, spawn, timeout, yield_now,
};

use crate::support::child;
use crate::{SECOND, in_virtual_time, quiet_panic};

#[test]
#[apply(on_workers)]
fn a_caught_cancellation_can_be_told_from_a_panic() {
    let asking = spawn(|| {
        let panic = catch_unwind(|| quiet_panic("bad")).unwrap_err();
        let request = catch_unwind(park).unwrap_err();
        (is_cancellation(&*panic), is_cancellation(&*request))
    });
    yield_now();
    asking.cancel();
    assert_eq!(asking.join().unwrap(), (false, true));
}

#[test]
#[apply(on_roots)]
fn an_outer_timeouts_deadline_is_told_too() {
    in_virtual_time(|| {
        let told = Cell::new(false);
        let ended = timeout(SECOND, || {
            let caught = catch_unwind(|| sleep(9 * SECOND)).unwrap_err();
            told.set(is_cancellation(&*caught));
            let _ = resume_if_cancelled(caught);
        });
        assert_eq!((ended, told.get()), (Err(Elapsed), true));
    });
}

#[test]
#[apply(on_workers)]
fn a_loop_that_outlives_panics_ends_by_its_cancellation() {
    let panics = Rc::new(Cell::new(0));
    let count = Rc::clone(&panics);
    let worker = spawn(move || {
        loop {
            let job = || {
                yield_now();
                quiet_panic("job")
            };
            let caught = catch_unwind(job).unwrap_err();
            let panic = resume_if_cancelled(caught);
            assert_eq!(*panic.downcast::<&str>().unwrap(), "job");
            count.set(count.get() + 1);
        }
    });
    while panics.get() < 5 {
        yield_now();
    }
    worker.cancel_with("enough");
    let error = worker.join().unwrap_err();
    assert_eq!(error.reason().unwrap().to_string(), "enough");
    assert!((5..8).contains(&panics.get()));
}

#[test]
#[apply(on_roots)]
fn l9_a_swallowed_request_is_raised_at_every_later_wait_point() {
    in_virtual_time(|| {
        let stubborn = spawn(|| {
            current().cancel();
            let raised = [
                catch_unwind(|| sleep(SECOND)).is_err(),
                catch_unwind(yield_now).is_err(),
                catch_unwind(checkpoint).is_err(),
                catch_unwind(park).is_err(),
            ];
            (
                raised,
                catch_cancel(park).is_err(),
                catch_unwind(yield_now).is_err(),
            )
        });
        let (raised, caught, after) = stubborn.join().unwrap();
        assert_eq!((raised, caught, after), ([true; 4], true, false));
    });
}

/// Swallows `times` raises of its cancellation.
fn swallow(times: u32) {
    for _ in 0..times {
        assert!(catch_unwind(park).is_err());
    }
}

#[test]
#[apply(once)]
fn l9_a_request_that_is_swallowed_a_hundred_times_is_reported_once() {
    let test = "swallowing::l9_a_request_that_is_swallowed_a_hundred_times_is_reported_once";
    let ended = child::run(test, || {
        let stubborn = Builder::new().name("stubborn".into()).spawn(|| {
            swallow(99);
            eprintln!("99 are fine");
            swallow(500);
        });
        let stubborn = stubborn.unwrap();
        yield_now();
        stubborn.cancel();
        stubborn.join().unwrap();
    });
    assert!(ended.succeeded());
    let stderr = ended.stderr();
    let (before, after) = stderr.split_once("99 are fine").unwrap();
    assert!(!before.contains("swallowed"), "{stderr}");
    assert_eq!(after.matches("swallowed").count(), 1, "{stderr}");
    assert!(after.contains("green thread \"stubborn\""), "{stderr}");
    assert!(
        after.contains("has swallowed its cancellation 100 times"),
        "{stderr}"
    );
    assert!(after.contains("swallowing.rs:"), "{stderr}");
    assert!(after.contains("resume_if_cancelled"), "{stderr}");
}

#[test]
#[apply(once)]
fn l9_a_deadline_that_is_swallowed_a_hundred_times_is_reported() {
    let test = "swallowing::l9_a_deadline_that_is_swallowed_a_hundred_times_is_reported";
    let ended = child::run(test, || {
        let swallowed = timeout(Duration::ZERO, || swallow(100));
        assert_eq!(swallowed, Ok(()));
    });
    assert!(ended.succeeded());
    assert!(
        ended.stderr().contains("swallowed the deadline"),
        "{}",
        ended.stderr()
    );
}

#[test]
#[apply(once)]
fn honest_code_is_never_reported_however_often_it_is_asked() {
    let test = "swallowing::honest_code_is_never_reported_however_often_it_is_asked";
    let ended = child::run(test, || {
        let passed_on = || {
            let caught = catch_unwind(park).unwrap_err();
            drop(resume_if_cancelled(caught));
        };
        let asked = spawn(move || {
            for _ in 0..300 {
                current().cancel();
                assert!(catch_cancel(passed_on).is_err());
            }
        });
        asked.join().unwrap();
        for _ in 0..300 {
            assert_eq!(timeout(Duration::ZERO, passed_on), Err(Elapsed));
        }
    });
    assert!(ended.succeeded(), "{}", ended.stderr());
    assert!(!ended.stderr().contains("swallowed"), "{}", ended.stderr());
}
