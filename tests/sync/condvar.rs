//! What a condition variable does besides: the mutex around its wait.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use greenthread::sync::{Condvar, Mutex};
use greenthread::{JoinHandle, catch_cancel, scope, sleep, spawn, timeout, yield_now};

use crate::virtual_time;

#[derive(Debug, Default)]
struct Room {
    mutex: Mutex<u32>,
    condvar: Condvar,
}

fn waits(room: &Rc<Room>, woken: &Rc<Cell<u32>>) -> JoinHandle<()> {
    let (room, woken) = (Rc::clone(room), Rc::clone(woken));
    let handle = spawn(move || {
        let mut guard = room.mutex.lock();
        room.condvar.wait(&mut guard);
        woken.set(woken.get() + 1);
    });
    yield_now();
    handle
}

#[test]
#[apply(on_workers)]
fn the_mutex_is_free_while_it_waits_and_held_when_it_goes_on() {
    virtual_time(|| {
        let (room, woken) = (Rc::default(), Rc::default());
        let waiter = waits(&room, &woken);
        let guard = room.mutex.try_lock().expect("free");
        room.condvar.notify_one();
        yield_now();
        assert_eq!(woken.get(), 0, "the mutex is ours");
        drop(guard);
        waiter.join().unwrap();
        assert!(!room.mutex.is_locked());
    });
}

#[test]
#[apply(on_workers)]
fn the_mutex_is_held_again_before_a_cancellation_is_raised() {
    struct Checks<'a>(&'a Room);
    impl Drop for Checks<'_> {
        fn drop(&mut self) {
            assert!(self.0.mutex.is_locked());
        }
    }
    virtual_time(|| {
        let room: Rc<Room> = Rc::default();
        let own = Rc::clone(&room);
        let waiter = spawn(move || {
            let mut guard = own.mutex.lock();
            let _checks = Checks(&own);
            own.condvar.wait(&mut guard);
        });
        yield_now();
        let guard = room.mutex.lock();
        waiter.cancel();
        yield_now();
        assert!(!waiter.is_finished(), "it waits for the mutex first");
        drop(guard);
        assert!(waiter.join().unwrap_err().is_cancelled());
        assert!(!room.mutex.is_locked());
    });
}

#[test]
#[apply(on_workers)]
fn a_request_that_is_pending_already_is_raised_with_the_mutex_never_left() {
    virtual_time(|| {
        let room: Rc<Room> = Rc::default();
        let own = Rc::clone(&room);
        let waiter = spawn(move || {
            greenthread::current().cancel();
            let mut guard = own.mutex.lock();
            *guard += 1;
            let caught = catch_cancel(|| own.condvar.wait(&mut guard));
            assert!(caught.is_err() && own.mutex.is_locked());
            *guard += 1;
        });
        waiter.join().unwrap();
        assert_eq!(*room.mutex.lock(), 2);
    });
}

#[test]
#[apply(on_workers)]
fn l4_a_notification_that_meets_a_cancellation_while_relocking_is_passed_on() {
    virtual_time(|| {
        let (room, woken) = (Rc::default(), Rc::default());
        let first = waits(&room, &woken);
        let second = waits(&room, &woken);
        let guard = room.mutex.lock();
        room.condvar.notify_one();
        yield_now();
        // Notified, it waits for the mutex now.
        first.cancel();
        yield_now();
        drop(guard);
        second.join().unwrap();
        assert!(first.join().unwrap_err().is_cancelled());
        assert_eq!(woken.get(), 1);
    });
}

#[test]
#[apply(on_roots)]
fn a_timed_wait_tells_a_notification_from_the_end_of_its_time() {
    virtual_time(|| {
        let room = Room::default();
        let limit = Duration::from_secs(1);
        assert!(!room.condvar.wait_timeout(&mut room.mutex.lock(), limit));
        scope(|s| {
            s.spawn(|| assert!(room.condvar.wait_timeout(&mut room.mutex.lock(), limit)));
            yield_now();
            room.condvar.notify_one();
        });
    });
}

#[test]
#[apply(on_roots)]
fn wait_while_asks_under_the_mutex_until_it_is_false() {
    virtual_time(|| {
        let room = Room::default();
        let asked = Cell::new(0);
        scope(|s| {
            s.spawn(|| {
                let mut guard = room.mutex.lock();
                room.condvar.wait_while(&mut guard, |stock| {
                    asked.set(asked.get() + 1);
                    assert!(room.mutex.is_locked());
                    *stock < 2
                });
                *guard -= 2;
            });
            for _ in 0..3 {
                sleep(Duration::from_secs(1));
                *room.mutex.lock() += 1;
                room.condvar.notify_one();
            }
        });
        assert_eq!((*room.mutex.lock(), asked.get()), (1, 3));
    });
}

#[test]
#[apply(on_workers)]
fn notify_all_wakes_everybody_in_turn() {
    virtual_time(|| {
        let (room, woken) = (Rc::default(), Rc::default());
        let waiters = [(); 4].map(|()| waits(&room, &woken));
        room.condvar.notify_all();
        for waiter in waiters {
            waiter.join().unwrap();
        }
        assert_eq!(woken.get(), 4);
    });
}

#[test]
#[apply(on_roots)]
fn a_timeout_around_a_wait_gives_the_mutex_back_in_the_end() {
    virtual_time(|| {
        let room = Room::default();
        let late = timeout(Duration::from_secs(1), || {
            room.condvar.wait(&mut room.mutex.lock());
        });
        assert!(late.is_err() && !room.mutex.is_locked());
    });
}

#[test]
#[apply(on_roots)]
fn a_timed_wait_for_a_condition_asks_once_more_at_the_end() {
    virtual_time(|| {
        let room = Room::default();
        let limit = Duration::from_secs(1);
        let mut guard = room.mutex.lock();
        let asked = Cell::new(0);
        let came = room.condvar.wait_timeout_while(&mut guard, limit, |_| {
            asked.set(asked.get() + 1);
            true
        });
        assert_eq!((came, asked.get()), (false, 2));
        drop(guard);
        scope(|s| {
            s.spawn(|| {
                sleep(limit / 2);
                *room.mutex.lock() = 1;
                room.condvar.notify_one();
            });
            let mut guard = room.mutex.lock();
            let came = room
                .condvar
                .wait_timeout_while(&mut guard, limit, |n| *n == 0);
            assert_eq!((came, *guard), (true, 1));
        });
    });
}

#[test]
#[apply(on_roots)]
fn an_owned_guard_is_waited_for_in_time() {
    virtual_time(|| {
        let mutex = std::sync::Arc::new(Mutex::new(1));
        let limit = Duration::from_secs(1);
        let held = mutex.lock_owned_timeout(limit).unwrap();
        assert!(mutex.lock_owned_timeout(limit).is_err());
        drop(held);
        assert!(mutex.lock_owned_timeout(limit).is_ok());
    });
}
