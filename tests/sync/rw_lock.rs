//! What a lock for readers and writers does besides: who goes in together, and in which order.

use std::rc::Rc;
use std::time::Duration;

use greenthread::sync::{RwLock, RwLockWriteGuard};
use greenthread::{JoinHandle, sleep, spawn, yield_now};

use crate::support::Log;
use crate::virtual_time;

const SECOND: Duration = Duration::from_secs(1);

type Shared = Rc<RwLock<u32>>;

/// Reads for a second.
fn reader(lock: &Shared, log: &Log, name: &'static str) -> JoinHandle<()> {
    let (lock, log) = (Rc::clone(lock), log.clone());
    let handle = spawn(move || {
        let _held = lock.read();
        log.say(name);
        sleep(SECOND);
    });
    yield_now();
    handle
}

/// Writes for a second.
fn writer(lock: &Shared, log: &Log, name: &'static str) -> JoinHandle<()> {
    let (lock, log) = (Rc::clone(lock), log.clone());
    let handle = spawn(move || {
        let mut held = lock.write();
        log.say(name);
        sleep(SECOND);
        *held += 1;
    });
    yield_now();
    handle
}

#[test]
#[apply(on_workers)]
fn readers_are_in_together_and_a_writer_alone() {
    let lock = RwLock::new(1);
    let (one, two) = (lock.read(), lock.try_read().expect("readers share"));
    assert_eq!(*one + *two, 2);
    assert!(lock.try_write().is_none() && lock.is_locked() && !lock.is_locked_exclusive());
    drop((one, two));
    let write = lock.try_write().expect("nobody is in");
    assert!(lock.try_read().is_none() && lock.try_write().is_none());
    assert!(lock.is_locked_exclusive());
    drop(write);
    assert!(!lock.is_locked());
    assert_eq!(lock.into_inner(), 1);
}

#[test]
#[apply(on_roots)]
fn readers_behind_a_waiting_writer_wait() {
    virtual_time(|| {
        let (lock, log) = (Rc::new(RwLock::new(0)), Log::default());
        let all = [
            reader(&lock, &log, "first reader"),
            writer(&lock, &log, "writer"),
            reader(&lock, &log, "second reader"),
            reader(&lock, &log, "third reader"),
            writer(&lock, &log, "last writer"),
        ];
        assert!(lock.try_read().is_none(), "a writer waits");
        assert_eq!(log.lines(), ["first reader"]);
        sleep(2 * SECOND + SECOND / 2);
        let together = ["first reader", "writer", "second reader", "third reader"];
        assert_eq!(log.lines(), together);
        for one in all {
            one.join().unwrap();
        }
        assert_eq!((log.lines().len(), *lock.read()), (5, 2));
    });
}

#[test]
#[apply(on_roots)]
fn l4_readers_behind_a_writer_that_leaves_go_in() {
    virtual_time(|| {
        let (lock, log) = (Rc::new(RwLock::new(0)), Log::default());
        let held = lock.read();
        let writing = writer(&lock, &log, "writer");
        let reading = reader(&lock, &log, "reader");
        writing.cancel();
        yield_now();
        yield_now();
        assert_eq!(log.lines(), ["reader"]);
        assert!(writing.join().unwrap_err().is_cancelled());
        drop(held);
        reading.join().unwrap();
        assert!(!lock.is_locked());
    });
}

#[test]
#[apply(on_roots)]
fn l4_readers_behind_a_writer_whose_time_is_up_go_in() {
    virtual_time(|| {
        let (lock, log) = (Rc::new(RwLock::new(0)), Log::default());
        let held = lock.read();
        let own = Rc::clone(&lock);
        let writing = spawn(move || own.write_timeout(SECOND).is_err());
        yield_now();
        let reading = reader(&lock, &log, "reader");
        assert!(log.lines().is_empty());
        assert!(writing.join().unwrap());
        reading.join().unwrap();
        drop(held);
        assert!(!lock.is_locked());
    });
}

#[test]
#[apply(on_roots)]
fn l4_a_write_grant_that_meets_a_cancellation_serves_all_readers() {
    virtual_time(|| {
        let (lock, log) = (Rc::new(RwLock::new(0)), Log::default());
        let held = lock.write();
        let writing = writer(&lock, &log, "writer");
        let readers = ["one", "two"].map(|name| reader(&lock, &log, name));
        drop(held);
        writing.cancel();
        for reading in readers {
            reading.join().unwrap();
        }
        assert!(writing.join().unwrap_err().is_cancelled());
        assert_eq!(log.lines(), ["one", "two"]);
        assert!(!lock.is_locked());
    });
}

#[test]
#[apply(on_roots)]
fn a_downgraded_writer_lets_readers_in_and_no_writer() {
    virtual_time(|| {
        let (lock, log) = (Rc::new(RwLock::new(0)), Log::default());
        let mut held = lock.write();
        let reading = reader(&lock, &log, "reader");
        let writing = writer(&lock, &log, "writer");
        *held = 7;
        let held = RwLockWriteGuard::downgrade(held);
        reading.join().unwrap();
        yield_now();
        assert_eq!((log.lines(), *held), (vec!["reader"], 7));
        drop(held);
        writing.join().unwrap();
        assert_eq!(*lock.read(), 8);
    });
}

#[test]
#[apply(on_workers)]
fn owned_guards_keep_the_lock_alive_and_give_it_back() {
    let lock = std::sync::Arc::new(RwLock::new(1));
    *lock.write_owned() += 1;
    let (one, two) = (lock.read_owned(), lock.try_read_owned().unwrap());
    assert!(lock.try_write_owned().is_none());
    let sent = std::thread::spawn(move || *one + *two);
    assert_eq!(sent.join().unwrap(), 4);
    let mut lock = std::sync::Arc::into_inner(lock).expect("the guards have gone");
    *lock.get_mut() += 1;
    assert_eq!(lock.into_inner(), 3);
}
