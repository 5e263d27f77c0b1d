//! Waits: order, tokens, deadlines, and wakes across OS threads (D8, L4, L5, L7).

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use greenthread::{
    Elapsed, GreenThread, Spawner, current, park, park_timeout, sleep, sleep_until, spawn, time,
    timeout, yield_now,
};

use crate::help::{in_virtual_time, join_soon};

const SECOND: Duration = Duration::from_secs(1);

type Order = Rc<RefCell<Vec<usize>>>;

#[test]
#[apply(on_workers)]
fn d8_green_threads_first_run_in_the_order_in_which_they_were_spawned() {
    let order = Order::default();
    let handles: Vec<_> = (0..1000)
        .map(|i| {
            let order = Rc::clone(&order);
            spawn(move || order.borrow_mut().push(i))
        })
        .collect();
    handles
        .into_iter()
        .for_each(|handle| handle.join().unwrap());
    assert!(order.borrow().iter().copied().eq(0..1000));
}

#[test]
#[apply(on_workers)]
fn d8_the_root_takes_its_turn_in_line() {
    let order = Order::default();
    let log = |i| {
        let order = Rc::clone(&order);
        move || order.borrow_mut().push(i)
    };
    drop(spawn(log(0)));
    drop(spawn(log(1)));
    yield_now();
    log(2)();
    drop(spawn(log(3)));
    yield_now();
    log(4)();
    assert_eq!(*order.borrow(), [0, 1, 2, 3, 4]);
}

#[test]
#[apply(on_workers)]
fn d8_those_who_are_unparked_run_in_the_order_in_which_they_were() {
    let order = Order::default();
    let handles: Vec<_> = (0..5)
        .map(|i| {
            let order = Rc::clone(&order);
            spawn(move || {
                park();
                order.borrow_mut().push(i);
            })
        })
        .collect();
    yield_now();
    for i in [3, 1, 4, 0, 2] {
        handles[i].thread().unpark();
    }
    handles
        .into_iter()
        .for_each(|handle| handle.join().unwrap());
    assert_eq!(*order.borrow(), [3, 1, 4, 0, 2]);
}

#[test]
#[apply(on_roots)]
fn d8_a_single_threaded_program_has_one_schedule() {
    fn run() -> Vec<usize> {
        in_virtual_time(|| {
            let order = Order::default();
            let handles: Vec<_> = (0..20)
                .map(|i| {
                    let order = Rc::clone(&order);
                    spawn(move || {
                        for round in 0..5 {
                            match (i * 7 + round) % 4 {
                                0 => yield_now(),
                                1 => sleep(SECOND * u32::try_from(i % 3).unwrap()),
                                2 => drop(timeout(SECOND, park)),
                                _ => spawn(yield_now).join().unwrap(),
                            }
                            order.borrow_mut().push(i);
                        }
                    })
                })
                .collect();
            handles
                .into_iter()
                .for_each(|handle| handle.join().unwrap());
            order.take()
        })
    }
    let first = run();
    assert_eq!(first.len(), 100);
    assert_eq!(first, run());
}

#[test]
#[apply(on_roots)]
fn a_token_is_kept_for_the_next_park_and_tokens_do_not_add_up() {
    in_virtual_time(|| {
        current().unpark();
        current().unpark();
        park();
        assert_eq!(timeout(SECOND, park), Err(Elapsed));
        let before = time::now();
        let parked = spawn(|| {
            park();
            park_timeout(SECOND);
            time::now()
        });
        parked.thread().unpark();
        assert_eq!(parked.join().unwrap() - before, SECOND);
    });
}

#[test]
#[apply(on_roots)]
fn an_unpark_ends_nothing_but_park() {
    in_virtual_time(|| {
        let before = time::now();
        let sleeper = spawn(|| {
            sleep(SECOND);
            let slept = time::now();
            park();
            slept
        });
        yield_now();
        sleeper.thread().unpark();
        assert_eq!(sleeper.join().unwrap() - before, SECOND);
    });
}

#[test]
#[apply(on_roots)]
fn l4_a_token_that_comes_with_a_cancellation_is_kept_for_the_next_park() {
    in_virtual_time(|| {
        for unpark_first in [true, false] {
            let parked = spawn(|| {
                let caught = greenthread::catch_cancel(park).is_err();
                let before = time::now();
                park_timeout(SECOND);
                (caught, time::now() - before)
            });
            yield_now();
            if unpark_first {
                parked.thread().unpark();
            }
            parked.cancel();
            if !unpark_first {
                parked.thread().unpark();
            }
            assert_eq!(parked.join().unwrap(), (true, Duration::ZERO));
        }
    });
}

#[test]
#[apply(on_roots)]
fn l4_of_a_deadline_and_a_wake_at_the_same_moment_one_ends_the_wait() {
    in_virtual_time(|| {
        for _ in 0..10 {
            let parked = spawn(|| {
                park_timeout(SECOND);
                // Either the wait took the token, or it is there now.
                park_timeout(SECOND);
            });
            let target = parked.thread().clone();
            let waker = spawn(move || {
                sleep(SECOND);
                target.unpark();
            });
            parked.join().unwrap();
            waker.join().unwrap();
        }
    });
}

#[test]
#[apply(on_roots)]
fn l5_a_wait_that_ended_leaves_no_timer_behind() {
    in_virtual_time(|| {
        let before = time::now();
        for _ in 0..100 {
            let parked = spawn(|| {
                let _ = timeout(SECOND * 1000, || park_timeout(SECOND * 500));
            });
            yield_now();
            parked.thread().unpark();
            parked.join().unwrap();
            let parked = spawn(|| timeout(SECOND * 1000, || park_timeout(SECOND * 500)));
            yield_now();
            parked.cancel();
            assert!(parked.join().unwrap_err().is_cancelled());
        }
        // A timer left behind would keep this from being a deadlock at once.
        let caught = std::panic::catch_unwind(park);
        assert!(caught.is_err());
        assert_eq!(time::now(), before);
    });
}

#[test]
#[apply(on_workers)]
fn a_sleep_in_real_time_never_ends_early() {
    let start = time::now();
    let sleepers: Vec<_> = [4_u32, 2, 3, 1]
        .into_iter()
        .map(|i| {
            spawn(move || {
                let deadline = start + Duration::from_millis(2) * i;
                sleep_until(deadline);
                assert!(time::now() >= deadline);
            })
        })
        .collect();
    sleepers
        .into_iter()
        .for_each(|sleeper| sleeper.join().unwrap());
}

#[test]
#[apply(on_workers)]
fn a_moment_that_has_passed_only_lets_others_go_first() {
    let ran = Rc::new(Cell::new(false));
    let set = Rc::clone(&ran);
    drop(spawn(move || set.set(true)));
    sleep_until(time::now() - SECOND);
    assert!(ran.get());
    let set = Rc::clone(&ran);
    drop(spawn(move || set.set(false)));
    sleep(Duration::ZERO);
    assert!(!ran.get());
}

#[test]
#[apply(on_workers)]
fn busy_green_threads_do_not_keep_timers_from_firing() {
    let stop = Rc::new(Cell::new(false));
    let seen = Rc::clone(&stop);
    let busy = spawn(move || {
        while !seen.get() {
            yield_now();
        }
    });
    sleep(Duration::from_millis(1));
    stop.set(true);
    busy.join().unwrap();
}

#[test]
#[apply(on_workers)]
fn l7_no_wake_from_another_os_thread_is_slept_through() {
    let (give, take) = mpsc::channel::<GreenThread>();
    let waker = thread::spawn(move || {
        for target in take {
            target.unpark();
        }
    });
    for _ in 0..2000 {
        let give = give.clone();
        let parked = spawn(move || {
            give.send(current()).unwrap();
            park();
        });
        join_soon(parked).unwrap();
    }
    drop(give);
    waker.join().unwrap();
}

#[test]
#[apply(on_workers)]
fn l7_two_os_threads_that_wake_each_other_go_on() {
    const ROUNDS: usize = 2000;
    let count = Arc::new(AtomicUsize::new(0));
    let (give, take) = mpsc::channel();
    let theirs = Arc::clone(&count);
    let first = current();
    let other = thread::spawn(move || {
        give.send(current()).unwrap();
        for _ in 0..ROUNDS {
            park();
            theirs.fetch_add(1, Ordering::Relaxed);
            first.unpark();
        }
    });
    let second: GreenThread = take.recv().unwrap();
    for round in 0..ROUNDS {
        second.unpark();
        park();
        assert_eq!(count.load(Ordering::Relaxed), round + 1);
    }
    other.join().unwrap();
}

#[test]
#[apply(on_workers)]
fn l7_spawns_from_many_os_threads_all_run() {
    const EACH: usize = 500;
    let spawner = Spawner::current();
    let ran = Arc::new(AtomicUsize::new(0));
    let here = thread::current().id();
    let others: Vec<_> = (0..4)
        .map(|_| {
            let (spawner, ran) = (spawner.clone(), Arc::clone(&ran));
            thread::spawn(move || {
                for i in 0..EACH {
                    let ran = Arc::clone(&ran);
                    let handle = spawner.spawn(move || {
                        assert_eq!(thread::current().id(), here);
                        ran.fetch_add(1, Ordering::Relaxed);
                    });
                    if i % 2 == 0 {
                        join_soon(handle).unwrap();
                    }
                }
            })
        })
        .collect();
    while ran.load(Ordering::Relaxed) < 4 * EACH {
        yield_now();
    }
    // Their joiners wait for no more than what has been said already.
    for other in others {
        other.join().unwrap();
    }
}

#[test]
#[apply(on_workers)]
fn d1_what_was_started_stays_on_its_os_thread() {
    let here = thread::current().id();
    let handles: Vec<_> = (0..10)
        .map(|_| {
            spawn(move || {
                for _ in 0..10 {
                    assert_eq!(thread::current().id(), here);
                    sleep(Duration::from_micros(50));
                }
            })
        })
        .collect();
    handles
        .into_iter()
        .for_each(|handle| handle.join().unwrap());
}

#[test]
#[apply(on_roots)]
fn ten_thousand_wait_at_once_and_all_wake() {
    in_virtual_time(|| {
        let woken = Rc::new(Cell::new(0));
        for i in 0..10_000_u32 {
            let woken = Rc::clone(&woken);
            drop(spawn(move || {
                sleep(SECOND * (i % 97));
                woken.set(woken.get() + 1);
            }));
        }
        sleep(SECOND * 100);
        assert_eq!(woken.get(), 10_000);
    });
}
