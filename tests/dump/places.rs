//! What a dump leaves as it was: places in line, deadlines, grants.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use greenthread::sync::{Mutex, Semaphore};
use greenthread::{Runtime, channel, dump, run, sleep, spawn, timeout, yield_now};

const SECOND: Duration = Duration::from_secs(1);

#[test]
#[apply(once)]
fn those_in_line_for_a_lock_keep_their_places() {
    run(|| {
        let mutex = Rc::new(Mutex::new(Vec::new()));
        let held = mutex.lock();
        let waiters: Vec<_> = (0..50)
            .map(|number| {
                let mutex = Rc::clone(&mutex);
                spawn(move || mutex.lock().push(number))
            })
            .collect();
        yield_now();
        for _ in 0..3 {
            assert!(dump().green_threads.len() > 50);
        }
        drop(held);
        waiters
            .into_iter()
            .for_each(|waiter| waiter.join().unwrap());
        assert_eq!(*mutex.lock(), (0..50).collect::<Vec<_>>());
    });
}

#[test]
#[apply(once)]
fn those_who_are_ready_keep_their_places() {
    run(|| {
        let log = Rc::new(RefCell::new(Vec::new()));
        let parked: Vec<_> = (0..20)
            .map(|number| {
                let log = Rc::clone(&log);
                spawn(move || {
                    greenthread::park();
                    log.borrow_mut().push(number);
                })
            })
            .collect();
        yield_now();
        let asker = {
            let log = Rc::clone(&log);
            let threads: Vec<_> = parked
                .iter()
                .rev()
                .map(|one| one.thread().clone())
                .collect();
            spawn(move || {
                threads.iter().for_each(greenthread::GreenThread::unpark);
                let dump = dump();
                assert!(threads.iter().all(|one| dump.get(one.id()).is_some()));
                log.borrow().len()
            })
        };
        asker.join().unwrap();
        parked.into_iter().for_each(|one| one.join().unwrap());
        assert_eq!(*log.borrow(), (0..20).rev().collect::<Vec<_>>());
    });
}

#[test]
#[apply(once)]
fn deadlines_are_kept() {
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    runtime.run(|| {
        let start = greenthread::time::now();
        let sleeper = spawn(|| sleep(SECOND * 10));
        let limited = spawn(|| timeout(SECOND * 5, greenthread::park));
        for _ in 0..9 {
            sleep(SECOND);
            drop(dump());
        }
        assert!(limited.join().unwrap().is_err());
        sleeper.join().unwrap();
        assert_eq!(greenthread::time::now() - start, SECOND * 10);
    });
}

#[test]
#[apply(once)]
fn a_dump_eats_no_grant_that_comes_from_another_os_thread_meanwhile() {
    const PERMITS: u64 = 20_000;
    let semaphore = Arc::new(Semaphore::new(0));
    let taken = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let gives = {
        let (semaphore, over) = (Arc::clone(&semaphore), Arc::clone(&over));
        std::thread::spawn(move || {
            for number in 0..PERMITS {
                semaphore.release(1);
                if number % 64 == 0 {
                    std::thread::yield_now();
                }
            }
            over.store(true, Ordering::Release);
        })
    };
    run(|| {
        let takers: Vec<_> = (0..40)
            .map(|_| {
                let (semaphore, taken) = (Arc::clone(&semaphore), Arc::clone(&taken));
                spawn(move || {
                    while taken.load(Ordering::Relaxed) < PERMITS {
                        semaphore.acquire().forget();
                        taken.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let mut dumps = 0;
        while !over.load(Ordering::Acquire) || taken.load(Ordering::Relaxed) < PERMITS {
            drop(dump());
            dumps += 1;
        }
        assert!(dumps > 0);
        assert_eq!(taken.load(Ordering::Relaxed), PERMITS);
        assert_eq!(semaphore.available(), 0);
        for taker in &takers {
            // Some have ended.
            let _ = taker.cancel();
        }
        takers.into_iter().for_each(|taker| drop(taker.join()));
    });
    gives.join().unwrap();
}

#[test]
#[apply(once)]
fn messages_pass_in_order_while_dumps_are_taken() {
    run(|| {
        let (sender, receiver) = channel::bounded(1);
        let sends = spawn(move || (0..2000).for_each(|number| sender.send(number).unwrap()));
        let receives = spawn(move || receiver.iter().collect::<Vec<_>>());
        while !receives.is_finished() {
            drop(dump());
        }
        sends.join().unwrap();
        assert_eq!(receives.join().unwrap(), (0..2000).collect::<Vec<_>>());
    });
}
