//! The end of an OS thread or of the process, in every state (D2, L19).

use std::cell::{Cell, RefCell};
use std::panic::catch_unwind;
use std::process::exit;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use greenthread::{
    GreenThread, JoinHandle, Spawner, current, park, run, scope, sleep, spawn, timeout, yield_now,
};

use crate::child;
use crate::help::{AtDrop, join_soon};

#[test]
#[apply(on_workers)]
fn l19_suspended_green_threads_are_abandoned_and_their_joiners_told() {
    let (handles, greens): (Vec<JoinHandle<()>>, Vec<GreenThread>) = thread::spawn(|| {
        let never = || {
            let _never = AtDrop(|| unreachable!("never unwound"));
            park();
        };
        let handles = vec![
            spawn(never),
            spawn(move || timeout(Duration::from_secs(3600), never).unwrap()),
            spawn(move || scope(|s| drop(s.spawn(never)))),
            spawn(move || drop(greenthread::catch_cancel(never))),
            spawn(move || drop(spawn(never).join())),
            spawn(move || greenthread::shield(never)),
        ];
        yield_now();
        yield_now();
        // And some that have not begun.
        let unstarted = (0..3).map(|_| spawn(|| unreachable!()));
        let handles: Vec<_> = handles.into_iter().chain(unstarted).collect();
        let greens = handles
            .iter()
            .map(|handle| handle.thread().clone())
            .collect();
        (handles, greens)
    })
    .join()
    .unwrap();
    for green in &greens {
        assert!(green.is_finished());
        assert!(!green.cancel() && !green.cancel_with("gone"));
        green.unpark();
    }
    for handle in handles {
        assert!(join_soon(handle).unwrap_err().is_abandoned());
    }
}

#[test]
#[apply(on_workers)]
fn l19_a_joiner_that_waits_elsewhere_is_woken() {
    let (give, take) = mpsc::channel();
    let (leave, stay) = mpsc::channel();
    let owner = thread::spawn(move || {
        give.send(spawn(park)).unwrap();
        yield_now();
        stay.recv().unwrap();
    });
    let handle = take.recv().unwrap();
    let joiner = spawn(move || handle.join());
    yield_now();
    leave.send(()).unwrap();
    let told = join_soon(joiner).unwrap();
    assert!(told.unwrap_err().is_abandoned());
    owner.join().unwrap();
}

#[test]
#[apply(on_workers)]
fn l19_a_joiner_that_is_abandoned_itself_leaves_the_joined_one_alone() {
    let slow = spawn(|| {
        park();
        8
    })
    .shared();
    let theirs = slow.clone();
    thread::spawn(move || {
        drop(spawn(move || theirs.join()));
        yield_now();
    })
    .join()
    .unwrap();
    slow.thread().unpark();
    assert_eq!(slow.join().unwrap(), 8);
}

#[test]
#[apply(once)]
fn exit_on_a_green_thread_ends_the_process_with_its_code() {
    let ended = child::run(
        "exits::exit_on_a_green_thread_ends_the_process_with_its_code",
        || {
            for _ in 0..5 {
                drop(spawn(park));
            }
            yield_now();
            let _ = spawn(|| exit(17)).join();
        },
    );
    assert_eq!(ended.code(), Some(17), "{}", ended.stderr);
}

#[test]
#[apply(once)]
fn exit_ends_the_process_from_wherever_it_is_called() {
    let name = "exits::exit_ends_the_process_from_wherever_it_is_called";
    let ended = child::run(name, || {
        scope(|s| {
            s.spawn(|| {
                let g = greenthread::generator::Generator::<(), (), ()>::new(|_| {
                    let _ = timeout(Duration::from_secs(1), || exit(18));
                });
                g.start();
            });
            park();
        });
    });
    assert_eq!(ended.code(), Some(18), "{}", ended.stderr);
}

#[test]
#[apply(once)]
fn exit_in_a_callback_ends_the_process() {
    let ended = child::run("exits::exit_in_a_callback_ends_the_process", || {
        let handle = spawn(|| ());
        handle.on_finish(|_| exit(19));
        let _ = handle.join();
    });
    assert_eq!(ended.code(), Some(19), "{}", ended.stderr);
}

#[test]
#[apply(once)]
fn exit_in_a_destructor_during_an_unwind_ends_the_process() {
    let name = "exits::exit_in_a_destructor_during_an_unwind_ends_the_process";
    let ended = child::run(name, || {
        let handle = spawn(|| {
            let _exits = AtDrop(|| {
                yield_now();
                exit(20)
            });
            park();
        });
        yield_now();
        handle.cancel();
        let _ = handle.join();
    });
    assert_eq!(ended.code(), Some(20), "{}", ended.stderr);
}

#[test]
#[apply(once)]
fn exit_on_another_os_thread_ends_the_process_while_green_threads_wait() {
    let name = "exits::exit_on_another_os_thread_ends_the_process_while_green_threads_wait";
    let ended = child::run(name, || {
        let other = thread::spawn(|| {
            let _ = spawn(|| exit(21)).join();
        });
        drop(spawn(park));
        while !other.is_finished() {
            yield_now();
        }
    });
    assert_eq!(ended.code(), Some(21), "{}", ended.stderr);
}

thread_local! {
    /// Drops what is in it when the OS thread ends.
    static KEPT: RefCell<Kept> = const { RefCell::new(Kept(Vec::new())) };
}

struct Kept(Vec<Box<dyn FnOnce()>>);

impl Drop for Kept {
    fn drop(&mut self) {
        for act in self.0.drain(..) {
            act();
        }
    }
}

/// Runs `act` when this OS thread ends: before the scheduler's end when that was made first, else after it.
fn at_exit(act: impl FnOnce() + 'static) {
    KEPT.with_borrow_mut(|kept| kept.0.push(Box::new(act)));
}

#[test]
#[apply(on_workers)]
fn a_thread_local_destructor_that_comes_before_the_schedulers_end_may_wait() {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        yield_now();
        at_exit(move || {
            sleep(Duration::from_millis(1));
            sender.send(spawn(|| 5).join().unwrap()).unwrap();
        });
    })
    .join()
    .unwrap();
    assert_eq!(receiver.recv(), Ok(5));
}

#[test]
#[apply(once)]
fn d2_a_wait_in_a_thread_local_destructor_after_the_schedulers_end_says_so() {
    let name = "exits::d2_a_wait_in_a_thread_local_destructor_after_the_schedulers_end_says_so";
    let ended = child::run(name, || {
        let done = thread::spawn(|| {
            // The key first, then the scheduler: its destructor comes later.
            at_exit(|| {
                let caught = catch_unwind(|| sleep(Duration::from_millis(1)));
                assert!(caught.is_err());
                let caught = catch_unwind(|| drop(spawn(|| ())));
                assert!(caught.is_err());
                let caught = catch_unwind(|| run(|| ()));
                assert!(caught.is_err());
                park();
            });
            yield_now();
        });
        let _ = done.join();
    });
    ended.aborted();
    assert_eq!(
        ended.times("after the thread-locals of this OS thread are gone"),
        4
    );
}

#[test]
#[apply(once)]
fn handles_dropped_by_thread_local_destructors_after_the_schedulers_end_are_let_go() {
    let name =
        "exits::handles_dropped_by_thread_local_destructors_after_the_schedulers_end_are_let_go";
    let ended = child::run(name, || {
        thread::spawn(|| {
            let slot = Rc::new(RefCell::new(Vec::new()));
            let kept = Rc::clone(&slot);
            at_exit(move || {
                for handle in kept.take() {
                    let handle: JoinHandle<()> = handle;
                    handle.on_finish(|_| unreachable!());
                    handle.thread().unpark();
                    drop(handle);
                }
            });
            let panicked = spawn(|| panic!("kept by a thread-local"));
            let parked = spawn(park);
            let ended = spawn(|| ());
            yield_now();
            slot.borrow_mut()
                .extend([panicked, parked, ended, spawn(|| ())]);
        })
        .join()
        .unwrap();
    });
    ended.succeeded();
    assert_eq!(
        ended.times("panicked and nobody joined it: kept by a thread-local"),
        1
    );
}

#[test]
#[apply(on_workers)]
fn generators_with_frames_are_closed_after_the_schedulers_end() {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let slot = Rc::new(RefCell::new(None));
        let kept = Rc::clone(&slot);
        at_exit(move || drop(kept.take()));
        let g = greenthread::generator::Generator::<(), (), ()>::new(move |y| {
            let _said = AtDrop(|| sender.send("closed").unwrap());
            let _ = timeout(Duration::from_secs(3600), || {
                greenthread::shield(|| y.yield_(()));
            });
        });
        g.start();
        *slot.borrow_mut() = Some(g);
    })
    .join()
    .unwrap();
    assert_eq!(receiver.recv(), Ok("closed"));
}

#[test]
#[apply(on_workers)]
fn an_os_thread_may_end_while_its_green_threads_stand_in_mid_unwind() {
    let handle = thread::spawn(|| {
        let handle = spawn(|| {
            let _waits = AtDrop(park);
            panic!("parks in mid-unwind");
        });
        yield_now();
        handle
    })
    .join()
    .unwrap();
    assert!(JoinHandle::<()>::join(handle).unwrap_err().is_abandoned());
}

#[test]
#[apply(once)]
fn a_main_that_returns_or_panics_with_suspended_green_threads_ends_the_process() {
    let name = "exits::a_main_that_returns_or_panics_with_suspended_green_threads_ends_the_process";
    let ended = child::run(name, || {
        let other = thread::spawn(|| {
            drop(spawn(park));
            yield_now();
            panic!("its root panics");
        });
        assert!(other.join().is_err());
        drop(spawn(park));
        yield_now();
    });
    ended.succeeded();
}

#[test]
#[apply(on_workers)]
fn many_os_threads_come_and_go_with_green_threads_in_every_state() {
    for round in 0..100 {
        let (give, take) = mpsc::channel();
        let owner = thread::spawn(move || {
            let here = Spawner::current();
            let handles: Vec<_> = (0..4)
                .map(|i| {
                    spawn(move || {
                        (0..i).for_each(|_| yield_now());
                        if i == 3 {
                            park()
                        }
                        i
                    })
                })
                .collect();
            (0..round % 4).for_each(|_| yield_now());
            give.send((here, handles, current())).unwrap();
        });
        let (spawner, handles, root) = take.recv().unwrap();
        let late = spawner.spawn(|| 9);
        root.unpark();
        for handle in &handles {
            handle.thread().unpark();
        }
        for handle in handles.into_iter().chain([late]) {
            match join_soon(handle) {
                Ok(_) => {}
                Err(error) => assert!(error.is_abandoned()),
            }
        }
        owner.join().unwrap();
    }
}

#[test]
#[apply(on_roots)]
fn without_run_what_is_left_is_never_resumed_and_with_it_everything_ends() {
    let ended = Rc::new(Cell::new(0));
    let count = Rc::clone(&ended);
    run(|| {
        for _ in 0..3 {
            let count = Rc::clone(&count);
            drop(spawn(move || {
                let _count = AtDrop(move || count.set(count.get() + 1));
                park();
            }));
        }
        yield_now();
    });
    assert_eq!(ended.get(), 3);
}

#[test]
#[apply(on_workers)]
fn l19_messages_that_race_with_the_end_of_an_os_thread_hold_no_joiner_up() {
    for round in 0..150 {
        let (give, take) = mpsc::channel();
        let owner = thread::spawn(move || {
            let ended = spawn(|| 1);
            while !ended.is_finished() {
                yield_now();
            }
            give.send((ended, spawn(park))).unwrap();
            (0..round % 3).for_each(|_| yield_now());
        });
        let (ended, parked): (JoinHandle<i32>, JoinHandle<()>) = take.recv().unwrap();
        let (ended_green, parked_green) = (ended.thread().clone(), parked.thread().clone());
        let others: Vec<_> = (0..2)
            .map(|_| {
                let (ended, parked) = (ended_green.clone(), parked_green.clone());
                thread::spawn(move || {
                    for _ in 0..20 {
                        ended.unpark();
                        parked.cancel();
                        ended.cancel();
                        parked.unpark();
                    }
                })
            })
            .collect();
        for _ in 0..5 {
            ended.on_finish(|_| ());
            parked.on_finish(|_| ());
        }
        let joiner = thread::spawn(move || join_soon(ended).unwrap());
        let _ = join_soon(parked);
        assert_eq!(joiner.join().unwrap(), 1);
        others.into_iter().for_each(|other| other.join().unwrap());
        owner.join().unwrap();
    }
}

#[test]
#[apply(on_workers)]
fn l19_shared_joiners_on_many_os_threads_are_all_told() {
    let handle = thread::spawn(|| {
        let handle = spawn(|| -> String {
            park();
            unreachable!()
        });
        yield_now();
        let shared = handle.shared();
        let joiners: Vec<_> = (0..3)
            .map(|_| {
                let shared = shared.clone();
                thread::spawn(move || shared.join().unwrap_err().is_abandoned())
            })
            .collect();
        (shared, joiners)
    });
    let (shared, joiners) = handle.join().unwrap();
    for joiner in joiners {
        assert!(joiner.join().unwrap());
    }
    assert!(shared.join().unwrap_err().is_abandoned());
}
