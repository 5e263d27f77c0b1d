//! What a lock that may be taken again does besides: who its owner is.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use greenthread::sync::ReentrantMutex;
use greenthread::{run, scope, spawn, yield_now};

use crate::virtual_time;

#[test]
#[apply(on_workers)]
fn the_owner_takes_it_again_and_the_last_guard_gives_it_back() {
    let mutex = ReentrantMutex::new(Cell::new(0));
    let outer = mutex.lock();
    let inner = mutex.try_lock().expect("the owner is here");
    inner.set(1);
    drop(outer);
    assert!(mutex.is_locked() && mutex.is_owned_by_current());
    assert!(mutex.lock_timeout(Duration::ZERO).is_ok());
    drop(inner);
    assert!(!mutex.is_locked() && !mutex.is_owned_by_current());
    assert_eq!(mutex.into_inner().get(), 1);
}

#[test]
#[apply(on_roots)]
fn another_green_thread_of_the_same_os_thread_waits() {
    virtual_time(|| {
        let mutex = ReentrantMutex::new(Cell::new(0));
        let outer = mutex.lock();
        scope(|s| {
            let other = s.spawn(|| {
                assert!(mutex.try_lock().is_none() && !mutex.is_owned_by_current());
                assert!(mutex.lock_timeout(Duration::from_secs(1)).is_err());
                mutex.lock().get()
            });
            greenthread::sleep(Duration::from_secs(2));
            let inner = mutex.lock();
            inner.set(5);
            drop(outer);
            yield_now();
            assert!(!other.is_finished(), "one guard is left");
            drop(inner);
            assert_eq!(other.join().unwrap(), 5);
        });
    });
}

#[test]
#[apply(on_workers)]
fn a_guard_dropped_by_another_green_thread_gives_it_back() {
    let mutex: &'static _ = Box::leak(Box::new(ReentrantMutex::new(())));
    let guard = mutex.lock();
    spawn(move || drop(guard)).join().unwrap();
    assert!(!mutex.is_locked());
}

#[test]
#[apply(on_workers)]
fn a_value_that_is_not_sync_is_safe_between_os_threads() {
    let mutex = Arc::new(ReentrantMutex::new(Cell::new(0)));
    let threads = [(); 2].map(|()| {
        let mutex = Arc::clone(&mutex);
        std::thread::spawn(move || {
            run(|| {
                for _ in 0..1_000 {
                    let outer = mutex.lock();
                    let inner = mutex.lock();
                    inner.set(outer.get() + 1);
                }
            });
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(mutex.lock().get(), 2_000);
}
