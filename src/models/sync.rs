//! Locks, permits, notifications and flags.

use std::sync::Arc;

use loom::thread;

use crate::sched::model_root::{SOON, check, check_within, root};
use crate::sync::{Condvar, Event, Mutex, Queue, Semaphore};
use crate::thread::catch::catch_cancel;
use crate::thread::current::current;

#[test]
fn a_mutex_lets_one_in_at_a_time() {
    check(|| {
        let sum = Arc::new(Mutex::new(0));
        let others = [Arc::clone(&sum), Arc::clone(&sum)].map(|sum| root(move || add(&sum)));
        add(&sum);
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(*sum.try_lock().unwrap(), 3);
    });
}

/// Adds one, by a load and a store that a second holder would come between.
fn add(sum: &Mutex<usize>) {
    let mut held = sum.lock();
    let before = *held;
    thread::yield_now();
    *held = before + 1;
}

#[test]
fn l4_a_mutex_handed_over_at_the_deadline_is_not_lost() {
    check(|| {
        let mutex = Arc::new(Mutex::new(()));
        let held = mutex.lock();
        let waits = Arc::clone(&mutex);
        let waiter = root(move || waits.lock_timeout(SOON).is_ok());
        drop(held);
        waiter.join().unwrap();
        assert!(!mutex.is_locked());
    });
}

#[test]
fn l4_a_mutex_handed_to_a_cancelled_waiter_goes_to_the_next() {
    check(|| {
        let mutex = Arc::new(Mutex::new(()));
        let me = current();
        let (first, next) = (Arc::clone(&mutex), Arc::clone(&mutex));
        let holder = root(move || {
            let held = first.lock();
            me.cancel();
            drop(held);
        });
        let other = root(move || drop(next.lock()));
        let _ = catch_cancel(|| drop(mutex.lock()));
        holder.join().unwrap();
        other.join().unwrap();
        assert!(!mutex.is_locked());
    });
}

#[test]
fn l4_a_mutex_goes_past_one_whose_deadline_came_first() {
    check_within(3, || {
        let mutex = Arc::new(Mutex::new(()));
        let held = mutex.lock();
        let (first, next) = (Arc::clone(&mutex), Arc::clone(&mutex));
        let first = root(move || drop(first.lock_timeout(SOON)));
        let next = root(move || drop(next.lock()));
        drop(held);
        first.join().unwrap();
        next.join().unwrap();
    });
}

#[test]
fn l4_a_permit_for_a_cancelled_waiter_goes_to_the_next() {
    check(|| {
        let permits = Arc::new(Semaphore::new(0));
        let me = current();
        let (releases, next) = (Arc::clone(&permits), Arc::clone(&permits));
        let releaser = thread::spawn(move || {
            me.cancel();
            releases.release(1);
        });
        let other = root(move || drop(next.acquire()));
        let _ = catch_cancel(|| drop(permits.acquire()));
        releaser.join().unwrap();
        other.join().unwrap();
        assert_eq!(permits.available(), 1);
    });
}

#[test]
fn l4_a_big_request_that_times_out_lets_those_behind_go_on() {
    check(|| {
        let permits = Arc::new(Semaphore::new(1));
        let next = Arc::clone(&permits);
        let other = root(move || drop(next.acquire()));
        assert!(permits.acquire_many_timeout(2, SOON).is_err());
        other.join().unwrap();
        assert_eq!(permits.available(), 1);
    });
}

#[test]
fn l4_two_releases_that_meet_a_deadline_leave_two_permits() {
    check(|| {
        let permits = Arc::new(Semaphore::new(0));
        let releasers = [Arc::clone(&permits), Arc::clone(&permits)]
            .map(|permits| thread::spawn(move || permits.release(1)));
        drop(permits.acquire_many_timeout(2, SOON));
        for releaser in releasers {
            releaser.join().unwrap();
        }
        assert_eq!(permits.available(), 2);
    });
}

/// Something to wait for under a mutex.
#[derive(Default)]
struct Tokens {
    /// How many there are.
    count: Mutex<usize>,

    /// Told of each.
    more: Condvar,
}

impl Tokens {
    fn add(&self) {
        *self.count.lock() += 1;
        self.more.notify_one();
    }

    fn take(&self) {
        let mut count = self.count.lock();
        self.more.wait_while(&mut count, |count| *count == 0);
        *count -= 1;
    }
}

#[test]
fn a_notification_between_the_unlock_and_the_wait_is_not_lost() {
    check(|| {
        let tokens = Arc::new(Tokens::default());
        let adds = Arc::clone(&tokens);
        let adder = root(move || adds.add());
        tokens.take();
        adder.join().unwrap();
        assert_eq!(*tokens.count.try_lock().unwrap(), 0);
    });
}

#[test]
fn l4_a_notification_for_a_cancelled_waiter_goes_to_the_next() {
    check_within(1, || {
        let tokens = Arc::new(Tokens::default());
        let me = current();
        let (adds, next) = (Arc::clone(&tokens), Arc::clone(&tokens));
        let adder = root(move || {
            me.cancel();
            adds.add();
        });
        let other = root(move || next.take());
        if catch_cancel(|| tokens.take()).is_ok() {
            tokens.add();
        }
        adder.join().unwrap();
        other.join().unwrap();
        assert_eq!(*tokens.count.try_lock().unwrap(), 0);
    });
}

#[test]
fn a_notification_that_meets_a_deadline_leaves_the_mutex_with_the_waiter() {
    check(|| {
        let tokens = Arc::new(Tokens::default());
        let adds = Arc::clone(&tokens);
        let adder = root(move || adds.add());
        let mut count = tokens.count.lock();
        let notified = tokens.more.wait_timeout(&mut count, SOON);
        assert!(tokens.count.is_locked());
        assert!(!notified || *count == 1);
        drop(count);
        adder.join().unwrap();
    });
}

#[test]
fn an_event_that_is_set_wakes_all_who_wait() {
    check(|| {
        let event = Arc::new(Event::new());
        let others = [Arc::clone(&event), Arc::clone(&event)];
        let [waits, sets] = others;
        let waiter = root(move || waits.wait());
        let setter = thread::spawn(move || sets.set());
        event.wait();
        waiter.join().unwrap();
        setter.join().unwrap();
    });
}

#[test]
fn an_event_that_is_set_at_the_deadline_is_set() {
    check(|| {
        let event = Arc::new(Event::new());
        let sets = Arc::clone(&event);
        let setter = thread::spawn(move || sets.set());
        let _ = event.wait_timeout(SOON);
        setter.join().unwrap();
        event.wait();
    });
}

#[test]
fn l4_an_item_whose_wake_meets_a_deadline_goes_to_the_next_getter() {
    check(|| {
        let queue = Arc::new(Queue::unbounded());
        let (puts, next) = (Arc::clone(&queue), Arc::clone(&queue));
        let putter = root(move || puts.put(7).unwrap());
        let other = root(move || next.get().ok());
        let mine = queue.get_timeout(SOON).ok();
        putter.join().unwrap();
        if mine.is_some() {
            queue.put(7).unwrap();
        }
        assert_eq!(other.join().unwrap(), Some(7));
        assert!(queue.is_empty());
    });
}

#[test]
fn a_queue_that_is_closed_lets_a_getter_go() {
    check(|| {
        let queue = Arc::new(Queue::bounded(1));
        let closes = Arc::clone(&queue);
        let closer = root(move || {
            let put = closes.put(7).is_ok();
            closes.close();
            put
        });
        assert_eq!(queue.get().ok(), Some(7));
        assert!(queue.get().is_err());
        assert!(closer.join().unwrap());
    });
}
