//! The end of a `run`, of a runtime and of the process, with workers.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use greenthread::channel::bounded;
use greenthread::{
    Builder, Runtime, catch_cancel, gather, park, shield, sleep, spawn, spawn_anywhere, sync,
    yield_now,
};

use crate::help::{Held, here, on_workers, own_name, with_workers};
use crate::support::child;

/// Counts when it is dropped.
struct Counts(Arc<AtomicUsize>);

impl Drop for Counts {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
#[apply(on_roots)]
fn the_end_of_a_run_cancels_what_it_left_on_workers_and_waits_for_it() {
    let ended = Arc::new(AtomicUsize::new(0));
    let runtime = with_workers(2);
    runtime.run(|| {
        let (tell, told) = mpsc::channel();
        for _ in 0..20 {
            let counts = Counts(Arc::clone(&ended));
            let tell = tell.clone();
            drop(spawn_anywhere(move || {
                let _counts = counts;
                tell.send(()).unwrap();
                park();
            }));
        }
        (0..20).for_each(|_| told.recv().unwrap());
    });
    assert_eq!(ended.load(Ordering::Relaxed), 20);
}

#[test]
#[apply(on_roots)]
fn the_end_of_a_run_drops_what_no_worker_has_begun() {
    let ended = Arc::new(AtomicUsize::new(0));
    let ran = Arc::new(AtomicUsize::new(0));
    with_workers(1).run(|| {
        let (go, goes) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        drop(spawn_anywhere(move || {
            tell.send(()).unwrap();
            let _ = goes.recv();
        }));
        told.recv().unwrap();
        for _ in 0..10 {
            let (counts, ran) = (Counts(Arc::clone(&ended)), Arc::clone(&ran));
            drop(spawn_anywhere(move || {
                let _counts = counts;
                ran.fetch_add(1, Ordering::Relaxed);
            }));
        }
        // The end of the run begins while the worker is held still.
        spawn(move || {
            let _ = catch_cancel(park);
            drop(go);
        });
        yield_now();
    });
    assert_eq!(ended.load(Ordering::Relaxed), 10);
    assert_eq!(ran.load(Ordering::Relaxed), 0);
}

#[test]
#[apply(on_roots)]
fn the_end_of_a_run_reaches_what_is_spawned_while_it_goes_on() {
    struct Spawns(Arc<AtomicUsize>);
    impl Drop for Spawns {
        fn drop(&mut self) {
            for _ in 0..3 {
                let counts = Counts(Arc::clone(&self.0));
                drop(spawn_anywhere(move || {
                    let _counts = counts;
                    park();
                }));
            }
        }
    }
    let ended = Arc::new(AtomicUsize::new(0));
    with_workers(2).run(|| {
        let spawns = Spawns(Arc::clone(&ended));
        let (tell, told) = mpsc::channel();
        drop(spawn_anywhere(move || {
            let _spawns = spawns;
            tell.send(()).unwrap();
            park();
        }));
        told.recv().unwrap();
    });
    assert_eq!(ended.load(Ordering::Relaxed), 3);
}

#[test]
#[apply(on_roots)]
fn the_end_of_a_run_ends_those_here_and_those_on_workers_that_wait_for_each_other() {
    with_workers(1).run(|| {
        let (tell, told) = mpsc::channel();
        let far = spawn_anywhere(move || {
            tell.send(()).unwrap();
            park();
        });
        told.recv().unwrap();
        // It ends when the one on the worker has ended, and not before.
        drop(spawn(move || shield(|| far.join().unwrap_err())));
        yield_now();
    });
}

#[test]
#[apply(on_roots)]
fn a_panic_in_the_run_goes_on_after_what_it_left_on_workers_has_ended() {
    let ended = Arc::new(AtomicUsize::new(0));
    let runtime = with_workers(1);
    let counts = Counts(Arc::clone(&ended));
    let text = crate::support::panic_text(|| {
        runtime.run(|| {
            drop(spawn_anywhere(move || {
                let _counts = counts;
                park();
            }));
            panic!("in the run");
        })
    });
    assert_eq!(text, "in the run");
    assert_eq!(ended.load(Ordering::Relaxed), 1);
}

#[test]
#[apply(on_roots)]
fn a_runtime_is_used_for_one_run_after_another() {
    let runtime = with_workers(2);
    for round in 0..50 {
        let sum: i32 = runtime.run(|| {
            drop(spawn_anywhere(park));
            let parts = (0..4).map(|n| spawn_anywhere(move || n + round));
            gather(parts).into_iter().map(Result::unwrap).sum()
        });
        assert_eq!(sum, 6 + 4 * round);
    }
}

#[test]
#[apply(on_workers)]
fn dropping_a_runtime_ends_what_runs_on_its_workers_and_stops_them() {
    let ended = Arc::new(AtomicUsize::new(0));
    let runtime = with_workers(2);
    let (tell, told) = mpsc::channel();
    let (counter, tell) = (Arc::clone(&ended), Mutex::new(tell));
    drop(runtime.run_on_each(move |_| {
        let _counts = Counts(Arc::clone(&counter));
        thread_local! { static LAST: std::cell::RefCell<Option<mpsc::Sender<&'static str>>> = const { std::cell::RefCell::new(None) }; }
        let tell = tell.lock().unwrap().clone();
        tell.send("begun").unwrap();
        LAST.set(Some(tell));
        park();
    }));
    assert_eq!(told.recv().unwrap(), "begun");
    assert_eq!(told.recv().unwrap(), "begun");
    drop(runtime);
    assert_eq!(ended.load(Ordering::Relaxed), 2);
    // The OS threads have ended too: their thread-locals are gone, and with them the last senders.
    assert_eq!(
        told.try_recv().unwrap_err(),
        mpsc::TryRecvError::Disconnected
    );
}

#[test]
#[apply(on_roots)]
fn one_green_thread_runs_on_each_worker_and_its_handles_come_in_order() {
    let runtime = with_workers(3);
    let places = runtime.run(|| gather(runtime.run_on_each(|number| (number, own_name(), here()))));
    let places: Vec<_> = places.into_iter().map(Result::unwrap).collect();
    let names: Vec<_> = places.iter().map(|(_, name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "greenthread-worker-0",
            "greenthread-worker-1",
            "greenthread-worker-2"
        ]
    );
    assert!(
        places
            .iter()
            .enumerate()
            .all(|(place, (number, _, _))| place == *number)
    );
}

#[test]
#[apply(on_roots)]
fn outside_of_a_run_too_and_the_end_of_the_next_run_ends_them() {
    let runtime = with_workers(2);
    let parked = runtime.run_on_each(|_| park());
    assert!(parked.iter().all(|handle| !handle.is_finished()));
    runtime.run(|| ());
    for handle in parked {
        assert!(handle.join().unwrap_err().is_cancelled());
    }
}

#[test]
#[apply(on_workers)]
#[should_panic(expected = "run_on_each: this runtime has no workers")]
fn run_on_each_without_workers_says_so() {
    let runtime = Runtime::builder().build().unwrap();
    runtime.run_on_each(|_| ());
}

#[test]
#[apply(on_roots)]
fn the_start_hook_is_called_first_on_each_worker_with_its_number() {
    let started = Arc::new(Mutex::new(vec![]));
    let seen = Arc::clone(&started);
    let builder = Runtime::builder()
        .workers(3)
        .on_worker_start(move |number| {
            seen.lock().unwrap().push((number, here()));
        });
    let runtime = builder.build().unwrap();
    let mut started = started.lock().unwrap().clone();
    started.sort_by_key(|(number, _)| *number);
    let places = runtime.run(|| gather(runtime.run_on_each(|number| (number, here()))));
    let places: Vec<_> = places.into_iter().map(Result::unwrap).collect();
    assert_eq!(started, places);
}

#[test]
#[apply(on_roots)]
fn a_start_hook_that_panics_is_reported_and_the_worker_works() {
    let told = Arc::new(AtomicBool::new(false));
    let tells = Arc::clone(&told);
    let builder = Runtime::builder()
        .workers(1)
        .on_worker_start(|_| panic!("at the start"))
        .on_panic(move |_, payload| {
            let text = payload.downcast_ref::<&str>();
            tells.store(text == Some(&"at the start"), Ordering::Relaxed);
        });
    let sum = builder
        .build()
        .unwrap()
        .run(|| spawn_anywhere(|| 3).join().unwrap());
    assert_eq!(sum, 3);
    assert!(told.load(Ordering::Relaxed));
}

#[test]
#[apply(on_roots)]
fn a_start_hook_may_wait() {
    let builder = Runtime::builder()
        .workers(1)
        .on_worker_start(|_| sleep(Duration::from_millis(1)));
    assert_eq!(
        builder
            .build()
            .unwrap()
            .run(|| spawn_anywhere(|| 3).join().unwrap()),
        3
    );
}

const LATE: &str = "ending::what_does_not_end_in_time_is_named_with_its_spawn_and_run_goes_on";

#[test]
#[apply(once)]
fn what_does_not_end_in_time_is_named_with_its_spawn_and_run_goes_on() {
    let ended = child::run(LATE, || {
        let builder = Runtime::builder().workers(2);
        let runtime = builder
            .shutdown_limit(Duration::from_millis(50))
            .build()
            .unwrap();
        let (go, goes) = greenthread::channel::bounded::<()>(0);
        let stubborn = runtime.run(|| {
            let (tell, told) = mpsc::channel();
            let builder = Builder::new().name("stubborn".into());
            let stubborn = builder.spawn_anywhere(move || {
                tell.send(()).unwrap();
                shield(|| goes.recv().unwrap_err());
                "ended in its own time"
            });
            told.recv().unwrap();
            stubborn.unwrap()
        });
        assert!(!stubborn.is_finished());
        drop(go);
        assert_eq!(stubborn.join().unwrap(), "ended in its own time");
    });
    let text = ended.stderr();
    assert!(ended.succeeded(), "{text}");
    assert!(
        text.contains("asked to end, and not ended after 50ms"),
        "{text}"
    );
    assert!(
        text.contains("\"stubborn\" waits in Receiver::recv, spawned at tests/workers/ending.rs:"),
        "{text}"
    );
}

const HELD: &str = "ending::a_worker_that_reaches_no_wait_point_is_named_and_the_drop_goes_on";

#[test]
#[apply(once)]
fn a_worker_that_reaches_no_wait_point_is_named_and_the_drop_goes_on() {
    let ended = child::run(HELD, || {
        let builder = Runtime::builder().workers(2);
        let runtime = builder
            .shutdown_limit(Duration::from_millis(50))
            .build()
            .unwrap();
        let held = runtime.run(Held::one);
        drop(runtime);
        // Its worker lives, and it ends there.
        held.let_go();
    });
    let text = ended.stderr();
    assert!(ended.succeeded(), "{text}");
    assert!(
        text.contains("whatever runs on greenthread-worker-"),
        "{text}"
    );
    assert!(text.contains("has not reached a wait point"), "{text}");
}

const CANCELLED: &str =
    "ending::l11_a_cancellation_does_not_end_the_wait_for_workers_that_do_not_end_in_time";

#[test]
#[apply(once)]
fn l11_a_cancellation_does_not_end_the_wait_for_workers_that_do_not_end_in_time() {
    let ended = child::run(CANCELLED, || {
        let builder = Runtime::builder().workers(2);
        let runtime = builder
            .shutdown_limit(Duration::from_millis(50))
            .build()
            .unwrap();
        let held = runtime.run(Held::one);
        let drops = spawn(move || {
            greenthread::current().cancel();
            drop(runtime);
            "dropped"
        });
        assert_eq!(drops.join().unwrap(), "dropped");
        held.let_go();
    });
    let text = ended.stderr();
    assert!(ended.succeeded(), "{text}");
    assert!(text.contains("has not reached a wait point"), "{text}");
}

const BAD: &str = "ending::a_bad_number_of_workers_in_the_environment_is_named";

#[test]
#[apply(once)]
fn a_bad_number_of_workers_in_the_environment_is_named() {
    for bad in ["0", "many", "-1", "99999999"] {
        let ended = child::run_with(BAD, &[("GREENTHREAD_WORKERS", bad)], || {
            let error = Builder::new().spawn_anywhere(|| ()).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
            spawn_anywhere(|| ());
        });
        let text = ended.stderr();
        assert!(!ended.succeeded());
        assert!(
            text.contains(&format!(
                "GREENTHREAD_WORKERS={bad:?} is no number of workers"
            )),
            "{text}"
        );
    }
}

const GOOD: &str = "ending::the_environment_says_how_many_workers_the_process_has";

#[test]
#[apply(once)]
fn the_environment_says_how_many_workers_the_process_has() {
    let ended = child::run_with(GOOD, &[("GREENTHREAD_WORKERS", "3")], || {
        assert!(greenthread::stats().workers.is_empty());
        spawn_anywhere(|| ()).join().unwrap();
        assert_eq!(greenthread::stats().workers.len(), 3);
    });
    assert!(ended.succeeded(), "{}", ended.stderr());
}

const EXIT: &str = "ending::a_process_that_exits_while_its_workers_run_ends_quietly";

#[test]
#[apply(once)]
fn a_process_that_exits_while_its_workers_run_ends_quietly() {
    for _ in 0..5 {
        let ended = child::run(EXIT, || {
            for _ in 0..8 {
                drop(spawn_anywhere(|| {
                    loop {
                        spawn_anywhere(yield_now).join().unwrap();
                    }
                }));
            }
            let text = String::from("borrowed at the end");
            greenthread::scope(|s| {
                let _lent = s.spawn_anywhere(|| {
                    while !text.is_empty() {
                        yield_now();
                    }
                });
                spawn_anywhere(|| ()).join().unwrap();
                std::process::exit(7);
            });
        });
        assert_eq!((ended.code(), ended.stderr().as_str()), (Some(7), ""));
    }
}

#[test]
#[apply(on_roots)]
fn l8_with_workers_asleep_a_root_that_parks_for_ever_is_told() {
    let runtime = Runtime::builder()
        .workers(2)
        .only_our_threads()
        .build()
        .unwrap();
    let text = crate::support::panic_text(|| {
        runtime.run(|| {
            let far = spawn_anywhere(park);
            far.join().unwrap();
        })
    });
    assert!(text.contains("deadlock"), "{text}");
    assert!(text.contains("waits in JoinHandle::join"), "{text}");
}

#[test]
#[apply(on_roots)]
fn l8_the_report_of_a_deadlock_tells_who_waits_on_workers_and_of_a_circle_across_os_threads() {
    let runtime = Runtime::builder()
        .workers(1)
        .only_our_threads()
        .build()
        .unwrap();
    let text = crate::support::panic_text(|| {
        runtime.run(|| {
            let (here, there) = (
                Arc::new(sync::Mutex::new(())),
                Arc::new(sync::Mutex::new(())),
            );
            let _held = here.lock();
            let begun = Arc::new(sync::Event::new());
            let (own, other, told) = (Arc::clone(&there), Arc::clone(&here), Arc::clone(&begun));
            let far = Builder::new().name("far".into()).spawn_anywhere(move || {
                let _held = own.lock();
                told.set();
                drop(other.lock());
            });
            begun.wait();
            drop(there.lock());
            far.unwrap().join().unwrap();
        })
    });
    assert!(
        text.contains("\"far\" waits in Mutex::lock, spawned at"),
        "{text}"
    );
    assert!(text.contains("a circle: root"), "{text}");
}

#[test]
#[apply(on_roots)]
fn more_workers_than_any_machine_has_use_for_are_an_error() {
    let error = Runtime::builder().workers(usize::MAX).build().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
#[apply(on_roots)]
fn l8_os_threads_that_stayed_awake_for_messages_sleep_when_none_come_any_more() {
    let runtime = Runtime::builder()
        .workers(2)
        .only_our_threads()
        .build()
        .unwrap();
    let text = crate::support::panic_text(|| {
        runtime.run(|| {
            let (there, far) = bounded(1);
            let (back, near) = bounded(1);
            let answers = spawn_anywhere(move || {
                far.iter().for_each(|value: u32| back.send(value).unwrap());
            });
            for value in 0..10_000 {
                there.send(value).unwrap();
                assert_eq!(near.recv(), Ok(value));
            }
            answers.join().unwrap();
        })
    });
    assert!(text.contains("deadlock"), "{text}");
}

#[test]
#[apply(on_roots)]
fn l8_a_root_that_waits_for_a_busy_worker_is_not_told_of_a_deadlock() {
    let runtime = Runtime::builder()
        .workers(2)
        .only_our_threads()
        .build()
        .unwrap();
    let sum = runtime.run(|| {
        let far = spawn_anywhere(|| {
            // Longer than a sleeper's patience, and the other worker sleeps meanwhile.
            std::thread::sleep(Duration::from_millis(350));
            sleep(Duration::from_millis(250));
            4
        });
        far.join().unwrap()
    });
    assert_eq!(sum, 4);
}

#[test]
#[apply(on_roots)]
fn l8_a_root_in_a_scope_whose_children_elsewhere_wait_for_ever_ends_them_and_is_told() {
    let runtime = Runtime::builder()
        .workers(1)
        .only_our_threads()
        .build()
        .unwrap();
    let text = crate::support::panic_text(|| {
        runtime.run(|| {
            greenthread::scope(|s| {
                s.spawn_anywhere(park);
            });
        })
    });
    assert!(text.contains("deadlock"), "{text}");
}

#[test]
#[apply(on_workers)]
fn a_runtime_can_be_dropped_on_a_green_thread_and_in_the_middle_of_an_unwind() {
    let runtime = with_workers(1);
    spawn(move || drop(runtime)).join().unwrap();
    let unwinds = spawn(|| {
        let _runtime = with_workers(1);
        drop(spawn_anywhere(|| ()));
        panic!("on");
    });
    assert!(unwinds.join().unwrap_err().is_panic());
}

#[test]
#[apply(on_roots)]
fn workers_of_two_runtimes_do_not_mix() {
    let (one, two) = (with_workers(1), with_workers(1));
    let first = one.run(|| spawn_anywhere(here).join().unwrap());
    let second = two.run(|| spawn_anywhere(here).join().unwrap());
    assert_ne!(first, second);
    assert_eq!(on_workers(1, one_name), "greenthread-worker-0");
}

fn one_name() -> String {
    spawn_anywhere(own_name).join().unwrap()
}
