//! Silence that nobody can break is a panic on the root, not a hang (L8). Without `only_our_threads`: see the test `alone`.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use greenthread::generator::{Generator, Yielder};
use greenthread::{
    Builder, Runtime, catch_cancel, park, run, scope, shield, sleep, spawn, timeout, yield_now,
};

use crate::child;
use crate::help::{AtDrop, flag, in_virtual_time};
use crate::support::panic_text;
use crate::support::teardown::{leaves, leaves_stacks};

const SECOND: Duration = Duration::from_secs(1);

fn only_ours<T>(f: impl FnOnce() -> T) -> T {
    let runtime = Runtime::builder().only_our_threads().build().unwrap();
    runtime.run(f)
}

#[test]
#[apply(on_roots)]
fn l8_a_root_that_parks_for_ever_is_told_who_waits_for_what() {
    let waits = || {
        let named = Builder::new().name("mute".into()).spawn(park).unwrap();
        let _waits = spawn(move || named.join());
        park();
    };
    for text in [
        panic_text(|| only_ours(waits)),
        panic_text(|| in_virtual_time(waits)),
    ] {
        assert!(text.contains("deadlock"), "{text}");
        assert!(text.contains("\"mute\" waits in park"), "{text}");
        assert!(text.contains("waits in JoinHandle::join"), "{text}");
        assert!(text.contains("deadlocks.rs:"), "{text}");
    }
}

#[test]
#[apply(on_roots)]
fn l8_two_that_join_each_other_are_a_deadlock() {
    let text = panic_text(|| {
        in_virtual_time(|| {
            let slot = Rc::new(Cell::new(None));
            let other = Rc::clone(&slot);
            let first = spawn(move || {
                yield_now();
                let other: greenthread::JoinHandle<()> = other.take().unwrap();
                other.join().unwrap();
            });
            slot.set(Some(spawn(move || first.join().unwrap())));
            park();
        });
    });
    assert!(text.contains("deadlock"), "{text}");
}

#[test]
#[apply(on_roots)]
fn l8_a_panic_of_a_deadlock_can_be_caught_and_the_root_goes_on() {
    let value = in_virtual_time(|| {
        for _ in 0..3 {
            assert!(panic_text(park).contains("deadlock"));
        }
        let parked = spawn(park);
        yield_now();
        parked.thread().unpark();
        parked.join().unwrap();
        assert!(panic_text(|| timeout(SECOND, || shield(park))).contains("deadlock"));
        sleep(SECOND);
        9
    });
    assert_eq!(value, 9);
}

#[test]
#[apply(on_roots)]
fn l8_a_timer_that_will_wake_somebody_is_no_deadlock() {
    in_virtual_time(|| {
        let sleeper = spawn(|| sleep(SECOND * 3600));
        sleeper.join().unwrap();
        let root = greenthread::current();
        drop(spawn(move || {
            sleep(SECOND);
            root.unpark();
        }));
        park();
    });
}

#[test]
#[apply(on_roots)]
fn l8_a_deadlock_of_the_children_is_a_panic_when_they_have_ended() {
    let (ended, guard) = flag();
    let text = panic_text(|| {
        in_virtual_time(|| {
            scope(|s| {
                s.spawn(|| {
                    let _ended = &guard;
                    assert!(catch_cancel(park).is_err(), "cannot be consumed");
                    sleep(SECOND);
                });
                s.spawn(park);
            });
        });
    });
    drop(guard);
    assert!(ended.get());
    assert!(
        text.contains("deadlock") && text.contains("waits in end of scope"),
        "{text}"
    );
}

#[test]
#[apply(on_roots)]
fn l8_children_learn_why_they_are_cancelled() {
    let reason = Rc::new(std::cell::RefCell::new(String::new()));
    let note = Rc::clone(&reason);
    let text = panic_text(|| {
        in_virtual_time(|| {
            scope(|s| {
                s.spawn(|| {
                    let caught = catch_cancel(park).unwrap_err();
                    *note.borrow_mut() = caught.reason().unwrap().to_string();
                });
            });
        });
    });
    assert!(text.contains("deadlock"), "{text}");
    assert!(reason.borrow().contains("deadlock"));
}

#[test]
#[apply(once)]
fn l8_children_that_do_not_end_after_a_deadlock_abort_with_the_dump() {
    let ended = child::run(
        "deadlocks::l8_children_that_do_not_end_after_a_deadlock_abort_with_the_dump",
        || {
            in_virtual_time(|| {
                scope(|s| {
                    s.spawn(|| shield(park));
                });
            });
        },
    );
    ended.aborted();
    ended.said("deadlock");
    ended.said("cancelling them did not end it");
    ended.said("waits in end of scope");
}

#[test]
#[apply(on_roots)]
fn l8_a_run_whose_rest_does_not_end_is_a_panic() {
    let text = panic_text(|| {
        in_virtual_time(|| {
            leaves(1);
            drop(spawn(|| shield(park)));
            yield_now();
        });
    });
    assert!(text.contains("deadlock"), "{text}");
    // The root is free for another.
    assert_eq!(run(|| spawn(|| 3).join().unwrap()), 3);
}

#[test]
#[apply(once)]
fn l8_a_deadlock_while_the_root_unwinds_ends_the_others_and_is_told_once() {
    let ended = child::run(
        "deadlocks::l8_a_deadlock_while_the_root_unwinds_ends_the_others_and_is_told_once",
        || {
            in_virtual_time(|| {
                let caught = catch_unwind(AssertUnwindSafe(|| {
                    let _joins = AtDrop(|| {
                        let error = spawn(park).join().unwrap_err();
                        assert!(error.reason().unwrap().to_string().contains("deadlock"));
                    });
                    panic!("the root unwinds");
                }));
                assert!(caught.is_err());
                let caught = catch_unwind(AssertUnwindSafe(|| {
                    let _waits = AtDrop(|| {
                        scope(|s| {
                            s.spawn(park);
                        });
                    });
                    panic!("the root unwinds again");
                }));
                assert!(caught.is_err());
                // What could not be raised then is not raised in something that is no deadlock.
                scope(|s| {
                    s.spawn(yield_now);
                });
                // Another deadlock is a new one.
                assert!(panic_text(park).contains("deadlock"));
            });
        },
    );
    ended.succeeded();
    // Three reports: two told to stderr, one raised, each once.
    assert_eq!(ended.times("greenthread: deadlock"), 3, "{}", ended.stderr);
}

#[test]
#[apply(on_roots)]
fn l8_a_deadlock_inside_a_generator_on_the_root_comes_out_of_it() {
    let text = panic_text(|| {
        in_virtual_time(|| {
            let g = greenthread::generator::Generator::<(), (), ()>::new(|_| park());
            g.start();
        });
    });
    assert!(text.contains("deadlock"), "{text}");
}

#[test]
#[apply(on_roots)]
fn l8_a_frame_left_behind_by_a_forgotten_generator_does_not_keep_a_deadlock_from_being_told() {
    let text = panic_text(|| {
        in_virtual_time(|| {
            let g = greenthread::generator::Generator::<(), (), _>::new(|y| {
                timeout(SECOND, || y.yield_(()))
            });
            g.start();
            std::mem::forget(g);
            leaves_stacks(1);
            park();
        });
    });
    assert!(text.contains("deadlock"), "{text}");
}

#[test]
#[apply(on_roots)]
fn l8_sleeping_for_ever_is_a_deadlock_under_a_virtual_clock() {
    let text = panic_text(|| in_virtual_time(|| sleep(Duration::MAX)));
    assert!(text.contains("deadlock"), "{text}");
    let text = panic_text(|| {
        in_virtual_time(|| timeout(Duration::MAX, || greenthread::park_timeout(Duration::MAX)))
    });
    assert!(text.contains("deadlock"), "{text}");
}

#[test]
#[apply(on_roots)]
fn virtual_time_ends_with_its_run_and_the_machines_clock_goes_on() {
    let before = std::time::Instant::now();
    let (start, end) = in_virtual_time(|| {
        let start = greenthread::time::now();
        sleep(SECOND * 100_000);
        (start, greenthread::time::now())
    });
    assert_eq!(end - start, SECOND * 100_000);
    assert!(before.elapsed() < SECOND * 1000);
    assert!(greenthread::time::now() < end);
}

#[test]
#[apply(on_roots)]
fn virtual_deadlines_fire_in_order_and_equal_ones_in_the_order_set() {
    in_virtual_time(|| {
        let log = Rc::new(std::cell::RefCell::new(Vec::new()));
        let sleepers: Vec<_> = [3, 1, 2, 1, 3, 2, 1]
            .into_iter()
            .enumerate()
            .map(|(place, seconds)| {
                let log = Rc::clone(&log);
                spawn(move || {
                    sleep(SECOND * seconds);
                    log.borrow_mut().push((seconds, place));
                })
            })
            .collect();
        for sleeper in sleepers {
            sleeper.join().unwrap();
        }
        let mut sorted = log.borrow().clone();
        sorted.sort_unstable();
        assert_eq!(*log.borrow(), sorted);
    });
}

/// To cancel it went round for ever: it was told of by the scope that it drives, again and again.
#[test]
#[apply(once)]
fn l8_a_child_that_drives_the_generator_of_its_own_scope_is_cancelled_once_and_then_a_deadlock() {
    type Shared = Rc<RefCell<Option<Rc<Generator<(), (), ()>>>>>;
    let body = |own: Shared| {
        move |y: &Yielder<(), ()>| {
            scope(|s| {
                s.spawn(|| {
                    let own = own.borrow().clone();
                    own.map(|own| own.send(()))
                });
                y.yield_(());
                park();
            });
        }
    };
    // On an OS thread of its own, for it leaves the child behind: its scope waits for it on its own stack.
    let left = std::thread::spawn(move || {
        panic_text(|| {
            in_virtual_time(|| {
                let shared = Shared::default();
                let generator = Rc::new(Generator::new(body(Rc::clone(&shared))));
                shared.replace(Some(Rc::clone(&generator)));
                // The child, and the generator that its scope never leaves.
                leaves(2);
                generator.start().unwrap_yielded();
                yield_now();
            });
        })
    });
    assert!(left.join().unwrap().contains("deadlock"));
}
