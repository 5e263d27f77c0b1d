//! What is asked of a green thread on a worker before it has begun, while it runs and after, and what comes back.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::ThreadId;
use std::time::Duration;

use greenthread::{
    JoinHandle, Runtime, catch_cancel, current, green_local, is_cancelled, park, spawn,
    spawn_anywhere, stats,
};

use crate::help::{Held, here, on_workers, with_workers};

/// Tells where it was dropped.
struct TellsWhere(Arc<Mutex<Vec<(ThreadId, u64)>>>);

impl Drop for TellsWhere {
    fn drop(&mut self) {
        self.0.lock().unwrap().push((here(), current().id()));
    }
}

#[test]
#[apply(on_roots)]
fn l9_one_cancelled_before_a_worker_began_it_never_runs() {
    on_workers(1, || {
        let held = Held::one();
        let ran = Arc::new(AtomicBool::new(false));
        let runs = Arc::clone(&ran);
        let waiting = spawn_anywhere(move || runs.store(true, Ordering::Relaxed));
        assert!(waiting.cancel_with("too late"));
        held.let_go();
        let error = waiting.join().unwrap_err();
        assert!(error.is_cancelled());
        assert_eq!(error.reason().unwrap().to_string(), "too late");
        assert!(!ran.load(Ordering::Relaxed));
    });
}

#[test]
#[apply(on_roots)]
fn l18_the_closure_of_one_that_never_ran_is_dropped_on_the_worker_on_a_green_thread_of_its_own() {
    on_workers(1, || {
        let held = Held::one();
        let worker = held.worker;
        let dropped = Arc::default();
        let captured = TellsWhere(Arc::clone(&dropped));
        let waiting = spawn_anywhere(move || drop(captured));
        let id = waiting.thread().id();
        waiting.cancel();
        held.let_go();
        waiting.join().unwrap_err();
        assert_eq!(*dropped.lock().unwrap(), [(worker, id)]);
    });
}

#[test]
#[apply(on_roots)]
fn l18_a_captured_value_that_panics_in_its_drop_unrun_on_a_worker_harms_nobody() {
    struct PanicsInDrop;
    impl Drop for PanicsInDrop {
        fn drop(&mut self) {
            panic!("in a drop");
        }
    }
    on_workers(1, || {
        let held = Held::one();
        let captured = PanicsInDrop;
        let waiting = spawn_anywhere(move || drop(captured));
        waiting.cancel();
        held.let_go();
        assert!(waiting.join().unwrap_err().is_cancelled());
        assert_eq!(spawn_anywhere(|| 1).join().unwrap(), 1);
    });
}

#[test]
#[apply(on_roots)]
fn one_that_runs_elsewhere_is_cancelled_at_its_wait_and_can_consume_that() {
    on_workers(2, || {
        let (tell, told) = mpsc::channel();
        let parked = spawn_anywhere(move || {
            tell.send(()).unwrap();
            let caught = catch_cancel(park).unwrap_err();
            caught.reason().map(|reason| reason.to_string())
        });
        told.recv().unwrap();
        assert!(parked.cancel_with("enough"));
        assert_eq!(parked.join().unwrap().as_deref(), Some("enough"));
    });
}

#[test]
#[apply(on_roots)]
fn a_computation_elsewhere_sees_that_it_is_cancelled() {
    on_workers(1, || {
        let (tell, told) = mpsc::channel();
        let computes = spawn_anywhere(move || {
            tell.send(()).unwrap();
            while !is_cancelled() {
                std::hint::spin_loop();
            }
            "stopped"
        });
        told.recv().unwrap();
        computes.cancel();
        assert_eq!(computes.join().unwrap(), "stopped");
    });
}

#[test]
#[apply(on_roots)]
fn an_unpark_before_the_begin_is_kept() {
    on_workers(1, || {
        let held = Held::one();
        let waiting = spawn_anywhere(park);
        waiting.thread().unpark();
        held.let_go();
        waiting.join().unwrap();
    });
}

#[test]
#[apply(on_roots)]
fn an_unpark_and_a_cancellation_before_the_begin_are_both_read() {
    on_workers(1, || {
        let held = Held::one();
        let waiting = spawn_anywhere(|| ());
        waiting.thread().unpark();
        waiting.cancel();
        held.let_go();
        assert!(waiting.join().unwrap_err().is_cancelled());
    });
}

#[test]
#[apply(on_roots)]
fn a_cancellation_that_races_the_begin_ends_it_before_or_at_its_first_wait() {
    on_workers(2, || {
        for _ in 0..2_000 {
            let parks = spawn_anywhere(park);
            parks.cancel();
            assert!(parks.join().unwrap_err().is_cancelled());
        }
    });
}

#[test]
#[apply(on_roots)]
fn an_unpark_that_races_the_begin_is_not_lost() {
    on_workers(2, || {
        for _ in 0..2_000 {
            let parks = spawn_anywhere(park);
            parks.thread().unpark();
            parks.join().unwrap();
        }
    });
}

#[test]
#[apply(on_roots)]
fn l13_a_panic_elsewhere_is_kept_for_its_joiner_and_its_worker_goes_on() {
    on_workers(1, || {
        let panics = spawn_anywhere(|| panic!("over there"));
        let error = panics.join().unwrap_err();
        assert!(error.is_panic());
        assert_eq!(
            *error.into_panic().downcast::<&str>().unwrap(),
            "over there"
        );
        assert_eq!(spawn_anywhere(|| 2).join().unwrap(), 2);
    });
}

#[test]
#[apply(on_roots)]
fn l13_a_panic_elsewhere_that_nobody_joins_goes_to_on_panic_of_the_runtime() {
    let (tell, told) = mpsc::channel();
    let tell = Mutex::new(tell);
    let runtime = Runtime::builder().workers(1).on_panic(move |thread, _| {
        tell.lock().unwrap().send(thread.id()).unwrap();
    });
    runtime.build().unwrap().run(|| {
        let panics = spawn_anywhere(|| panic!("unheard"));
        let id = panics.thread().id();
        drop(panics);
        assert_eq!(told.recv().unwrap(), id);
    });
}

#[test]
#[apply(on_roots)]
fn callbacks_run_on_the_worker_before_the_joiner_goes_on() {
    on_workers(1, || {
        let held = Held::one();
        let worker = held.worker;
        let ran = Arc::new(Mutex::new(vec![]));
        let waiting = spawn_anywhere(|| 5);
        let seen = Arc::clone(&ran);
        waiting.on_finish(move |result| {
            seen.lock()
                .unwrap()
                .push((here(), *result.as_ref().unwrap()));
        });
        held.let_go();
        assert_eq!(waiting.join().unwrap(), 5);
        assert_eq!(*ran.lock().unwrap(), [(worker, 5)]);
    });
}

#[test]
#[apply(on_roots)]
fn a_callback_added_after_the_end_runs_on_the_worker_and_join_waits_for_it() {
    on_workers(1, || {
        let ended = spawn_anywhere(here);
        while !ended.is_finished() {
            greenthread::yield_now();
        }
        let (tell, told) = mpsc::channel();
        ended.on_finish(move |_| tell.send(here()).unwrap());
        let worker = ended.join().unwrap();
        assert_eq!(told.try_recv().unwrap(), worker);
    });
}

green_local! {
    #[inherit]
    static TRACE: String = String::from("none");
}

#[test]
#[apply(on_roots)]
fn inherited_locals_are_copied_to_the_worker() {
    on_workers(2, || {
        let parent = spawn(|| {
            TRACE.set(String::from("request 7"));
            let child = spawn_anywhere(|| {
                let inherited = TRACE.get();
                TRACE.set(String::from("changed"));
                (inherited, spawn_anywhere(|| TRACE.get()).join().unwrap())
            });
            let (child, grandchild) = child.join().unwrap();
            (TRACE.get(), child, grandchild)
        });
        let (own, child, grandchild) = parent.join().unwrap();
        assert_eq!((own.as_str(), child.as_str()), ("request 7", "request 7"));
        assert_eq!(grandchild, "changed");
    });
}

#[test]
#[apply(on_roots)]
fn handles_travel_and_are_joined_on_whichever_worker() {
    on_workers(3, || {
        let chain = (0..100).fold(spawn_anywhere(|| 0), |before, _| {
            spawn_anywhere(move || before.join().unwrap() + 1)
        });
        assert_eq!(chain.join().unwrap(), 100);
    });
}

#[test]
#[apply(on_roots)]
fn cancelling_a_handle_wherever_its_thread_is_never_hangs_a_joiner() {
    on_workers(3, || {
        let ended = Arc::new(AtomicUsize::new(0));
        let all: Vec<JoinHandle<()>> = (0..500)
            .map(|n| {
                let ended = Arc::clone(&ended);
                let other = spawn_anywhere(park);
                spawn_anywhere(move || {
                    if n % 2 == 0 {
                        other.thread().unpark();
                    } else {
                        other.cancel();
                    }
                    let _ = other.join();
                    ended.fetch_add(1, Ordering::Relaxed);
                })
            })
            .collect();
        for handle in all {
            handle.join().unwrap();
        }
        assert_eq!(ended.load(Ordering::Relaxed), 500);
    });
}

#[test]
#[apply(on_roots)]
fn a_dropped_handle_detaches_and_the_result_is_dropped_on_the_worker() {
    let runtime = with_workers(1);
    runtime.run(|| {
        let held = Held::one();
        let worker = held.worker;
        let dropped: Arc<Mutex<Vec<(ThreadId, u64)>>> = Arc::default();
        let result = TellsWhere(Arc::clone(&dropped));
        let detached = spawn_anywhere(move || result);
        let id = detached.thread().id();
        drop(detached);
        held.let_go();
        spawn_anywhere(|| ()).join().unwrap();
        assert_eq!(*dropped.lock().unwrap(), [(worker, id)]);
        assert_eq!(stats().workers.len(), 1);
    });
}

#[test]
#[apply(on_roots)]
fn a_timeout_around_a_join_leaves_the_one_elsewhere_running() {
    on_workers(1, || {
        let (go, goes) = mpsc::channel();
        let waits = spawn_anywhere(move || goes.recv().unwrap());
        let waits = waits.join_timeout(Duration::from_millis(1)).unwrap_err();
        go.send(9).unwrap();
        assert_eq!(waits.join().unwrap(), 9);
    });
}
