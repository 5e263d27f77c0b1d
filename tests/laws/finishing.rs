//! The end of a green thread: results, callbacks, joiners and detaching, in every order (L13, L18).

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use greenthread::{
    CallbackId, GreenThread, JoinHandle, Runtime, SharedHandle, Spawner, current, park, run, sleep,
    spawn, yield_now,
};

use crate::child;
use crate::help::{AtDrop, LONG, in_virtual_time, join_soon, until_finished};
use crate::support::Log;

#[test]
#[apply(on_workers)]
fn a_handle_is_one_pointer_wide() {
    assert_eq!(size_of::<JoinHandle<[u64; 9]>>(), size_of::<usize>());
}

#[test]
#[apply(on_workers)]
fn handles_of_sendable_results_are_sendable() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<JoinHandle<u8>>();
    is_send_and_sync::<SharedHandle<u8>>();
    is_send_and_sync::<GreenThread>();
    is_send_and_sync::<Spawner>();
    is_send_and_sync::<CallbackId>();
    is_send_and_sync::<greenthread::JoinError>();
}

#[test]
#[apply(on_workers)]
fn callbacks_run_in_the_order_added_before_the_joiner_goes_on() {
    let (sender, receiver) = mpsc::channel();
    let handle = spawn(|| 5);
    for i in 0..3 {
        let sender = sender.clone();
        handle.on_finish(move |result| sender.send(i * 10 + result.as_ref().unwrap()).unwrap());
    }
    assert_eq!(handle.join().unwrap(), 5);
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [5, 15, 25]);
}

#[test]
#[apply(on_workers)]
fn a_callback_taken_back_is_not_called() {
    let (sender, receiver) = mpsc::channel();
    let handle = spawn(|| ());
    let other = spawn(|| ());
    let (first, second) = (sender.clone(), sender);
    let kept = handle.on_finish(move |_| first.send("kept").unwrap());
    let removed = handle.on_finish(move |_| second.send("removed").unwrap());
    assert!(!other.remove_on_finish(removed));
    assert!(handle.remove_on_finish(removed));
    assert!(!handle.remove_on_finish(removed));
    until_finished(&handle);
    assert!(!handle.remove_on_finish(kept));
    handle.join().unwrap();
    assert_eq!(receiver.iter().collect::<Vec<_>>(), ["kept"]);
    other.join().unwrap();
}

#[test]
#[apply(once)]
fn l18_a_callback_that_panics_is_reported_and_stops_no_other() {
    let ended = child::run(
        "finishing::l18_a_callback_that_panics_is_reported_and_stops_no_other",
        || {
            let (sender, receiver) = mpsc::channel();
            let handle = spawn(|| 1);
            handle.on_finish(|_| panic!("first"));
            handle.on_finish(move |_| sender.send(()).unwrap());
            assert_eq!(handle.join().unwrap(), 1);
            receiver.try_recv().unwrap();
        },
    );
    ended.succeeded();
    assert_eq!(
        ended.times("has a callback that panicked: first"),
        1,
        "{}",
        ended.stderr
    );
}

#[test]
#[apply(on_workers)]
fn l18_callbacks_run_on_a_green_thread_and_may_block() {
    let handle = spawn(|| ());
    let root = current().id();
    let (sender, receiver) = mpsc::channel();
    handle.on_finish(move |_| {
        yield_now();
        sleep(Duration::from_millis(1));
        sender.send(current().id()).unwrap();
    });
    handle.join().unwrap();
    assert_ne!(receiver.try_recv().unwrap(), root);
}

#[test]
#[apply(on_roots)]
fn a_callback_is_shielded_from_the_cancellation_of_its_green_thread() {
    in_virtual_time(|| {
        let (sender, receiver) = mpsc::channel();
        let handle = spawn(park);
        handle.on_finish(move |result| {
            assert!(result.as_ref().unwrap_err().is_cancelled());
            sleep(Duration::from_secs(1));
            sender.send(()).unwrap();
        });
        yield_now();
        handle.cancel();
        assert!(handle.join().unwrap_err().is_cancelled());
        receiver.try_recv().unwrap();
    });
}

#[test]
#[apply(on_workers)]
fn late_callbacks_run_in_order_and_join_waits_for_them() {
    let handle = spawn(|| 1);
    until_finished(&handle);
    let (sender, receiver) = mpsc::channel();
    for i in 0..3 {
        let sender = sender.clone();
        handle.on_finish(move |_| {
            yield_now();
            sender.send(i).unwrap();
        });
    }
    assert!(receiver.try_recv().is_err(), "not before the next turn");
    handle.join().unwrap();
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
#[apply(on_workers)]
fn a_late_callback_from_another_os_thread_runs_where_its_green_thread_lived() {
    let handle = spawn(|| 1);
    until_finished(&handle);
    let (sender, receiver) = mpsc::channel();
    let other = Spawner::current();
    let done = thread::spawn(move || {
        handle.on_finish(move |_| sender.send(thread::current().id()).unwrap());
        other.spawn(move || handle.join().unwrap())
    });
    let joiner = done.join().unwrap();
    assert_eq!(join_soon(joiner).unwrap(), 1);
    assert_eq!(receiver.try_recv().unwrap(), thread::current().id());
}

#[test]
#[apply(on_roots)]
fn a_late_callback_outlives_the_end_of_run() {
    let (sender, receiver) = mpsc::channel();
    let handle = run(|| {
        let handle = spawn(|| 1);
        until_finished(&handle);
        handle.on_finish(move |result| sender.send(*result.as_ref().unwrap()).unwrap());
        handle
    });
    assert_eq!(join_soon(handle).unwrap(), 1);
    assert_eq!(receiver.try_recv(), Ok(1));
}

/// An OS thread that has ended a green thread, does not run its loop, and exits when told.
fn ended_elsewhere() -> (JoinHandle<u8>, mpsc::Sender<()>, thread::JoinHandle<()>) {
    let (give, take) = mpsc::channel();
    let (leave, stay) = mpsc::channel();
    let owner = thread::spawn(move || {
        let handle = spawn(|| 3);
        until_finished(&handle);
        give.send(handle).unwrap();
        stay.recv().unwrap();
    });
    (take.recv().unwrap(), leave, owner)
}

#[test]
#[apply(on_workers)]
fn l19_a_late_callback_that_its_os_thread_left_in_the_inbox_holds_no_joiner_up() {
    let (handle, leave, owner) = ended_elsewhere();
    handle.on_finish(|_| unreachable!("its OS thread never looks again"));
    leave.send(()).unwrap();
    owner.join().unwrap();
    assert_eq!(join_soon(handle).unwrap(), 3);
}

#[test]
#[apply(on_workers)]
fn l19_late_callbacks_for_an_os_thread_that_has_gone_hold_no_joiner_up() {
    let (handle, leave, owner) = ended_elsewhere();
    leave.send(()).unwrap();
    owner.join().unwrap();
    handle.on_finish(|_| unreachable!("its OS thread has gone"));
    handle.on_finish(|_| unreachable!("its OS thread has gone"));
    handle.thread().unpark();
    handle.on_finish(|_| unreachable!("its OS thread has gone"));
    assert_eq!(join_soon(handle).unwrap(), 3);
}

#[test]
#[apply(on_workers)]
fn l19_a_late_callback_under_way_when_its_os_thread_ends_holds_no_joiner_up() {
    for turns in 0..3 {
        let handle = thread::spawn(move || {
            let handle = spawn(|| 3);
            until_finished(&handle);
            handle.on_finish(|_| park());
            (0..turns).for_each(|_| yield_now());
            handle
        });
        let handle = handle.join().unwrap();
        match join_soon(handle) {
            // It had not begun: the value is the joiner's.
            Ok(value) => assert_eq!((value, turns), (3, 0)),
            // It has the value for ever.
            Err(error) => assert!(error.is_abandoned() && turns > 0, "after {turns} turns"),
        }
    }
}

#[test]
#[apply(on_workers)]
fn l19_a_callback_under_way_when_its_os_thread_ends_holds_no_joiner_up() {
    let handle = thread::spawn(|| {
        let handle = spawn(|| 3);
        handle.on_finish(|_| park());
        until_finished(&handle);
        handle
    });
    // Whether the result or "abandoned" comes is open; that something comes is not.
    let _ = join_soon(handle.join().unwrap());
}

#[test]
#[apply(on_workers)]
fn a_joiner_on_another_os_thread_gets_the_result() {
    let handle = spawn(|| {
        yield_now();
        String::from("across")
    });
    let joiner = thread::spawn(move || handle.join().unwrap());
    while !joiner.is_finished() {
        yield_now();
    }
    assert_eq!(joiner.join().unwrap(), "across");
}

#[test]
#[apply(on_workers)]
fn join_detach_and_callbacks_race_across_os_threads() {
    let callbacks = Arc::new(AtomicUsize::new(0));
    let dropped = Arc::new(AtomicUsize::new(0));
    let spawner = Spawner::current();
    const EACH: usize = 300;
    let count = |counter: &Arc<AtomicUsize>| {
        let counter = Arc::clone(counter);
        AtDrop(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        })
    };
    let others: Vec<_> = (0..3)
        .map(|kind| {
            let (spawner, callbacks, dropped) = (
                spawner.clone(),
                Arc::clone(&callbacks),
                Arc::clone(&dropped),
            );
            thread::spawn(move || {
                for _ in 0..EACH {
                    let value = count(&dropped);
                    let handle = spawner.spawn(move || value);
                    let called = Arc::clone(&callbacks);
                    handle.on_finish(move |result| {
                        assert!(result.is_ok());
                        called.fetch_add(1, Ordering::Relaxed);
                    });
                    match kind {
                        0 => drop(handle),
                        1 => drop(join_soon(handle).unwrap()),
                        _ => {
                            let called = Arc::clone(&callbacks);
                            let id = handle.on_finish(move |_| {
                                called.fetch_add(1, Ordering::Relaxed);
                            });
                            if handle.remove_on_finish(id) {
                                callbacks.fetch_add(1, Ordering::Relaxed);
                            }
                            handle.shared().join_dropping();
                        }
                    }
                }
            })
        })
        .collect();
    while !others.iter().all(thread::JoinHandle::is_finished) {
        yield_now();
    }
    others.into_iter().for_each(|other| other.join().unwrap());
    // The detached ones may still be on their way.
    while dropped.load(Ordering::Relaxed) < 3 * EACH {
        yield_now();
    }
    assert_eq!(dropped.load(Ordering::Relaxed), 3 * EACH);
    assert_eq!(callbacks.load(Ordering::Relaxed), 4 * EACH);
}

/// Lets go of a shared handle; its value cannot be cloned.
trait JoinDropping {
    fn join_dropping(self);
}

impl<T> JoinDropping for SharedHandle<T> {
    fn join_dropping(self) {
        let other = self.clone();
        drop(self);
        drop(other);
    }
}

#[test]
#[apply(on_workers)]
fn every_shared_joiner_gets_the_result_or_the_same_error() {
    let good = spawn(|| String::from("once")).shared();
    let bad = spawn(|| -> u8 { panic!("boom") }).shared();
    let joiners: Vec<_> = (0..3)
        .map(|_| {
            let (good, bad) = (good.clone(), bad.clone());
            spawn(move || (good.join().unwrap(), bad.join().unwrap_err()))
        })
        .collect();
    let first = bad.join().unwrap_err();
    for joiner in joiners {
        let (word, error) = joiner.join().unwrap();
        assert_eq!(word, "once");
        assert!(Arc::ptr_eq(&error, &first) && error.is_panic());
    }
}

#[test]
#[apply(on_roots)]
fn a_cancelled_shared_joiner_leaves_the_result_to_the_others() {
    in_virtual_time(|| {
        let slow = spawn(|| {
            sleep(Duration::from_secs(1));
            7
        })
        .shared();
        let theirs = slow.clone();
        let joiner = spawn(move || theirs.join().unwrap());
        yield_now();
        joiner.cancel();
        assert!(joiner.join().unwrap_err().is_cancelled());
        assert_eq!(slow.join().unwrap(), 7);
    });
}

#[test]
#[apply(on_roots)]
fn a_join_that_times_out_hands_the_handle_back() {
    in_virtual_time(|| {
        let slow = spawn(|| {
            sleep(Duration::from_secs(2));
            7
        });
        let slow = slow.join_timeout(Duration::from_secs(1)).unwrap_err();
        assert_eq!(
            slow.join_timeout(Duration::from_secs(2)).unwrap().unwrap(),
            7
        );
    });
}

#[test]
#[apply(on_roots)]
fn a_cancelled_joiner_detaches_and_the_joined_one_runs_on() {
    in_virtual_time(|| {
        let done = Rc::new(Cell::new(false));
        let set = Rc::clone(&done);
        let slow = spawn(move || {
            sleep(Duration::from_secs(1));
            set.set(true);
        });
        let joiner = spawn(move || slow.join());
        yield_now();
        joiner.cancel();
        assert!(joiner.join().unwrap_err().is_cancelled());
        sleep(Duration::from_secs(2));
        assert!(done.get());
    });
}

#[test]
#[apply(on_roots)]
fn cancel_on_drop_cancels_when_dropped_and_not_when_taken_apart() {
    in_virtual_time(|| {
        let log = Log::default();
        let started = |line| {
            let guard = log.on_drop(line);
            let handle = spawn(move || {
                let _guard = guard;
                park();
            });
            yield_now();
            handle.cancel_on_drop()
        };
        let kept = started("kept").into_inner();
        drop(started("dropped"));
        yield_now();
        assert_eq!(log.lines(), ["dropped"]);
        kept.thread().unpark();
        kept.join().unwrap();
    });
}

#[test]
#[apply(on_workers)]
fn a_cancelled_join_of_cancel_on_drop_cancels_the_joined_one() {
    in_virtual_time(|| {
        let log = Log::default();
        let guard = log.on_drop("inner ended");
        let outer = spawn(move || {
            let inner = spawn(move || {
                let _guard = guard;
                park();
            });
            inner.cancel_on_drop().join()
        });
        yield_now();
        yield_now();
        outer.cancel();
        assert!(outer.join().unwrap_err().is_cancelled());
        yield_now();
        assert_eq!(log.lines(), ["inner ended"]);
    });
}

#[test]
#[apply(on_workers)]
fn a_detached_result_is_dropped_on_its_green_thread_before_it_is_over() {
    let seen = Rc::new(Cell::new(0));
    let note = Rc::clone(&seen);
    let handle = spawn(move || AtDrop(move || note.set(current().id())));
    let id = handle.thread().id();
    drop(handle);
    yield_now();
    assert_eq!(seen.get(), id);
}

#[test]
#[apply(once)]
fn l13_an_unjoined_panic_is_reported_once_with_name_and_site() {
    let ended = child::run(
        "finishing::l13_an_unjoined_panic_is_reported_once_with_name_and_site",
        || {
            let builder = greenthread::Builder::new().name("lonely".into());
            drop(builder.spawn(|| panic!("nobody asks")).unwrap());
            yield_now();
            // Joined: not reported.
            assert!(spawn(|| panic!("asked for")).join().is_err());
            // Its handle is dropped after the end.
            let late = spawn(|| panic!("too late"));
            until_finished(&late);
            drop(late);
        },
    );
    ended.succeeded();
    let said = |text: &str| ended.times(&format!("panicked and nobody joined it: {text}"));
    assert_eq!(
        (said("nobody asks"), said("asked for"), said("too late")),
        (1, 0, 1)
    );
    ended.said("green thread \"lonely\"");
    ended.said("finishing.rs:");
}

#[test]
#[apply(once)]
fn l13_on_panic_gets_unjoined_panics_and_may_panic_or_block_itself() {
    let ended = child::run(
        "finishing::l13_on_panic_gets_unjoined_panics_and_may_panic_or_block_itself",
        || {
            let names = Arc::new(Mutex::new(Vec::new()));
            let told = Arc::clone(&names);
            let runtime = Runtime::builder()
                .virtual_time()
                .on_panic(move |green, payload| {
                    sleep(Duration::from_secs(1));
                    let text = *payload.downcast_ref::<&str>().unwrap();
                    told.lock()
                        .unwrap()
                        .push((green.name().map(String::from), text));
                    panic!("the hook itself");
                })
                .build()
                .unwrap();
            runtime.run(|| {
                let named = greenthread::Builder::new().name("n".into());
                drop(named.spawn(|| panic!("one")).unwrap());
                drop(spawn(|| panic!("two")));
                assert_eq!(spawn(|| 3).join().unwrap(), 3);
            });
            let names = names.lock().unwrap();
            assert_eq!(*names, [(Some("n".into()), "one"), (None, "two")]);
        },
    );
    ended.succeeded();
    assert_eq!(ended.times("made the `on_panic` function panic"), 2);
}

/// A payload whose drop panics with another of its kind, this often.
struct Bomb(u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 > 0 {
            panic_any(Bomb(self.0 - 1));
        }
    }
}

#[test]
#[apply(once)]
fn l18_payloads_that_panic_in_their_drop_are_reported_and_end_nothing_else() {
    let ended = child::run(
        "finishing::l18_payloads_that_panic_in_their_drop_are_reported_and_end_nothing_else",
        || {
            for depth in 0..4 {
                drop(spawn(move || panic_any(Bomb(depth))));
            }
            let with_callback = spawn(|| ());
            with_callback.on_finish(|_| panic_any(Bomb(3)));
            drop(with_callback);
            drop(spawn(|| Bomb(2)));
            assert_eq!(spawn(|| 1).join().unwrap(), 1);
        },
    );
    ended.succeeded();
    ended.said("left a panic payload that panicked in its `Drop`");
}

#[test]
#[apply(once)]
fn l18_reports_that_cannot_be_written_harm_nobody() {
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let ended = child::run_with(
        "finishing::l18_reports_that_cannot_be_written_harm_nobody",
        |command| {
            command.stderr(full);
        },
        || {
            drop(spawn(|| panic!("unheard")));
            let handle = spawn(|| 2);
            handle.on_finish(|_| panic!("unheard"));
            assert_eq!(handle.join().unwrap(), 2);
        },
    );
    ended.succeeded();
}

#[test]
#[apply(on_workers)]
fn a_captured_value_that_panics_in_its_drop_is_the_panic_of_its_green_thread() {
    let guard = AtDrop(|| panic!("in drop"));
    let bad = spawn(move || {
        let _guard = guard;
        5
    });
    let good = spawn(|| 6);
    let error = bad.join().unwrap_err();
    assert_eq!(*error.into_panic().downcast::<&str>().unwrap(), "in drop");
    assert_eq!(good.join().unwrap(), 6);
}

#[test]
#[apply(once)]
fn l18_a_captured_value_that_panics_in_its_drop_unrun_is_reported() {
    let ended = child::run(
        "finishing::l18_a_captured_value_that_panics_in_its_drop_unrun_is_reported",
        || {
            let guard = AtDrop(|| panic!("in drop"));
            let bad = spawn(move || drop(guard));
            bad.cancel();
            assert!(bad.join().unwrap_err().is_cancelled());
            assert_eq!(spawn(|| 6).join().unwrap(), 6);
        },
    );
    ended.succeeded();
    assert_eq!(
        ended.times("left a value that panicked in its `Drop`: in drop"),
        1
    );
}

#[test]
#[apply(once)]
fn a_destructor_that_waits_in_a_closure_that_never_ran_is_cancelled_quietly() {
    let ended = child::run(
        "finishing::a_destructor_that_waits_in_a_closure_that_never_ran_is_cancelled_quietly",
        || {
            let guard = AtDrop(park);
            let never = spawn(move || drop(guard));
            never.cancel();
            assert!(join_soon(never).unwrap_err().is_cancelled());
        },
    );
    ended.succeeded();
    assert_eq!(ended.times("panicked"), 0, "{}", ended.stderr);
}

#[test]
#[apply(on_roots)]
fn results_whose_drop_blocks_spawns_and_cancels_are_dropped_all_the_same() {
    in_virtual_time(|| {
        let log = Rc::new(RefCell::new(Vec::new()));
        let note = Rc::clone(&log);
        let value = AtDrop(move || {
            sleep(Duration::from_secs(1));
            let child = spawn(park);
            yield_now();
            child.cancel();
            assert!(child.join().unwrap_err().is_cancelled());
            assert!(!current().cancel(), "it has ended already");
            note.borrow_mut().push("dropped");
        });
        drop(spawn(move || value));
        sleep(Duration::from_secs(2));
        assert_eq!(*log.borrow(), ["dropped"]);
    });
}

#[test]
#[apply(on_workers)]
fn a_handle_dropped_after_the_end_drops_the_result_where_it_is_dropped() {
    let dropped_in = Rc::new(Cell::new(0));
    let note = Rc::clone(&dropped_in);
    let handle = spawn(move || AtDrop(move || note.set(current().id())));
    until_finished(&handle);
    let dropper = spawn(move || drop(handle));
    let id = dropper.thread().id();
    dropper.join().unwrap();
    assert_eq!(dropped_in.get(), id);
}

#[test]
#[apply(on_workers)]
fn a_result_that_panics_in_its_drop_comes_out_of_the_drop_of_its_handle() {
    let handle = spawn(|| AtDrop(|| panic!("in drop")));
    until_finished(&handle);
    let caught = catch_unwind(AssertUnwindSafe(|| drop(handle)));
    assert!(caught.is_err());
}

#[test]
#[apply(on_roots)]
fn an_unused_reason_is_dropped_before_the_joiner_goes_on() {
    #[derive(Debug)]
    struct Slow(Log);
    impl std::fmt::Display for Slow {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("slow")
        }
    }
    impl std::error::Error for Slow {}
    impl Drop for Slow {
        fn drop(&mut self) {
            sleep(Duration::from_secs(1));
            self.0.0.lock().unwrap().push("dropped");
        }
    }
    #[derive(Clone, Debug, Default)]
    struct Log(Arc<Mutex<Vec<&'static str>>>);

    in_virtual_time(|| {
        let log = Log::default();
        let handle = spawn(|| {
            yield_now_shielded();
            7
        });
        yield_now();
        handle.cancel_with(Slow(log.clone()));
        assert_eq!(handle.join().unwrap(), 7);
        assert_eq!(*log.0.lock().unwrap(), ["dropped"]);
    });
}

fn yield_now_shielded() {
    greenthread::shield(yield_now);
}

#[test]
#[apply(on_workers)]
fn cancelling_one_that_has_ended_says_no() {
    let handle = spawn(|| 1);
    assert!(!handle.is_finished());
    until_finished(&handle);
    assert!(!handle.cancel());
    assert!(!handle.cancel_with("late"));
    assert!(handle.thread().is_finished());
    assert_eq!(handle.join().unwrap(), 1);
}

#[test]
#[apply(on_workers)]
fn spawning_on_an_os_thread_that_has_gone_gives_an_abandoned_handle() {
    let (spawner, waited) = thread::spawn(|| {
        // Runs the loop once, so that it exists when the OS thread ends.
        yield_now();
        (Spawner::current(), thread::current().id())
    })
    .join()
    .unwrap();
    let handle = spawner.spawn(move || waited);
    assert!(handle.is_finished());
    handle.on_finish(|_| unreachable!("it never ends"));
    handle.on_finish(|_| unreachable!("it never ends"));
    assert!(!handle.cancel());
    assert!(join_soon(handle).unwrap_err().is_abandoned());
    drop(spawner.spawn(|| ()));
    assert!(spawner.spawn(|| ()).join_timeout(LONG).unwrap().is_err());
}

#[test]
#[apply(on_workers)]
fn spawning_while_the_os_thread_ends_gives_a_result_or_an_abandoned_handle() {
    for round in 0..200 {
        let (give, take) = mpsc::channel();
        let owner = thread::spawn(move || {
            give.send(Spawner::current()).unwrap();
            (0..round % 5).for_each(|_| yield_now());
        });
        let spawner = take.recv().unwrap();
        let handles: Vec<_> = (0..4).map(|i| spawner.spawn(move || i)).collect();
        owner.join().unwrap();
        for (i, handle) in handles.into_iter().enumerate() {
            match join_soon(handle) {
                Ok(value) => assert_eq!(value, i),
                Err(error) => assert!(error.is_abandoned()),
            }
        }
    }
}

#[test]
#[apply(on_workers)]
fn the_root_and_its_handle_outlive_its_os_thread() {
    let root = thread::spawn(current).join().unwrap();
    assert!(!root.is_finished());
    root.unpark();
    assert!(!root.cancel());
    assert!(!root.cancel_with("nobody there"));
}

#[test]
#[apply(on_workers)]
fn l19_a_callback_that_its_os_thread_left_behind_keeps_the_result() {
    let handle = std::thread::spawn(|| {
        let handle = spawn(|| vec![1]);
        handle.on_finish(|_result| park());
        for _ in 0..3 {
            yield_now();
        }
        assert!(handle.is_finished());
        handle
    })
    .join()
    .unwrap();
    // The callback still borrows the value, so nobody gets it.
    assert!(handle.join().unwrap_err().is_abandoned());
}

#[test]
#[apply(on_workers)]
fn the_joiner_who_came_first_from_another_os_thread_goes_on_first() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let (done, wait_until_done) = std::sync::mpsc::channel::<()>();
    let home = std::thread::spawn(move || {
        sender.send(spawn(park).shared()).unwrap();
        greenthread::spawn_blocking(move || wait_until_done.recv())
            .join()
            .unwrap()
    });
    let shared = receiver.recv().unwrap();
    let order = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let joiners: Vec<_> = (0..5)
        .map(|n| {
            let (shared, order) = (shared.clone(), order.clone());
            spawn(move || {
                shared.join().unwrap();
                order.borrow_mut().push(n);
            })
        })
        .collect();
    yield_now();
    shared.thread().unpark();
    joiners.into_iter().for_each(|one| one.join().unwrap());
    assert_eq!(*order.borrow(), [0, 1, 2, 3, 4]);
    done.send(()).unwrap();
    home.join().unwrap().unwrap();
}
