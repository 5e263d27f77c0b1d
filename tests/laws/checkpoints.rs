//! Long work that reaches no wait point, and is cut short at a checkpoint (L9).

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use greenthread::generator::Generator;
use greenthread::{
    Elapsed, catch_cancel, checkpoint, current, park, scope, shield, spawn, timeout, yield_now,
};

use crate::support::panic_text;

const SHORT: Duration = Duration::from_millis(1);

const LONG: Duration = Duration::from_secs(3600);

/// Computes until so much time has passed.
fn compute_for(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

fn compute_for_ever<T>() -> T {
    loop {
        checkpoint();
    }
}

#[test]
#[apply(on_workers)]
fn l9_a_deadline_that_passes_between_two_checkpoints_is_raised_at_the_second() {
    let ended = timeout(SHORT, || {
        checkpoint();
        compute_for(2 * SHORT);
        checkpoint();
        unreachable!("it has passed")
    });
    assert_eq!(ended, Err::<(), _>(Elapsed));
    assert_eq!(
        spawn(|| timeout(SHORT, compute_for_ever::<()>))
            .join()
            .unwrap(),
        Err(Elapsed)
    );
    assert_eq!(timeout(Duration::ZERO, checkpoint), Err(Elapsed));
}

#[test]
#[apply(on_workers)]
fn l9_a_deadline_that_has_not_passed_is_not_raised() {
    let ended = timeout(LONG, || {
        (0..1000).for_each(|_| checkpoint());
        7
    });
    assert_eq!(ended, Ok(7));
}

#[test]
#[apply(on_workers)]
fn the_inner_deadline_passes_first_and_the_outer_one_is_raised_after_it() {
    let outer = timeout(30 * SHORT, || {
        assert_eq!(timeout(SHORT, compute_for_ever::<()>), Err(Elapsed));
        compute_for_ever::<()>()
    });
    assert_eq!(outer, Err(Elapsed));
}

#[test]
#[apply(on_workers)]
fn l9_a_deadline_that_was_consumed_is_not_raised_again() {
    let ended = timeout(SHORT, || {
        let caught = catch_cancel(compute_for_ever::<()>).unwrap_err();
        assert!(caught.is_timeout());
        // Nor by its timer.
        for _ in 0..200 {
            checkpoint();
            yield_now();
        }
        7
    });
    assert_eq!(ended, Ok(7));
}

#[test]
#[apply(on_workers)]
fn a_deadline_outside_of_a_shield_is_raised_behind_it() {
    let shielded = Cell::new(false);
    let ended = timeout(SHORT, || {
        shield(|| {
            compute_for(2 * SHORT);
            checkpoint();
            shielded.set(true);
        });
        checkpoint();
        unreachable!("it has passed")
    });
    assert_eq!(ended, Err::<(), _>(Elapsed));
    assert!(shielded.get());
}

#[test]
#[apply(on_workers)]
fn l11_children_are_asked_when_a_deadline_passes_at_their_parents_checkpoint() {
    let ended = timeout(SHORT, || {
        scope(|s| {
            s.spawn(park);
            yield_now();
            compute_for_ever::<()>()
        })
    });
    assert_eq!(ended, Err(Elapsed));
}

#[test]
#[apply(on_roots)]
fn l11_a_child_that_fails_on_a_worker_cancels_the_body_at_its_checkpoint_and_at_its_yield() {
    let bodies: [fn(); 2] = [compute_for_ever, || {
        loop {
            yield_now();
        }
    }];
    for body in bodies {
        let text = panic_text(|| {
            scope(|s| {
                s.spawn_anywhere(|| panic!("on a worker"));
                body();
            });
        });
        assert_eq!(text, "on a worker");
    }
}

#[test]
#[apply(on_workers)]
fn l12_a_deadline_in_a_generator_is_raised_at_its_checkpoint_by_whoever_drives_it() {
    let g = Rc::new(Generator::<(), bool, ()>::new(|y| {
        let computed = timeout(SHORT, || {
            y.yield_(true);
            compute_for_ever::<()>()
        });
        y.yield_(computed.is_ok());
    }));
    assert!(g.start().unwrap_yielded());
    compute_for(2 * SHORT);
    // Nothing of it is raised out here.
    checkpoint();
    let driver = spawn(move || g.send(()).unwrap_yielded());
    assert!(!driver.join().unwrap());
}

#[test]
#[apply(on_workers)]
fn l9_a_cancellation_is_raised_at_a_checkpoint() {
    let cancelled = spawn(|| {
        current().cancel();
        compute_for_ever::<()>()
    });
    assert!(cancelled.join().unwrap_err().is_cancelled());
}
