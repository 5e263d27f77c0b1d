//! The shared list: smoke, order, timeout, cancel while waiting, cancel racing the grant, drop while waiting, across threads, many.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use greenthread::{JoinHandle, catch_cancel, run, scope, sleep, spawn, time, timeout, yield_now};

use crate::subjects::{Kind, Subject};
use crate::support::teardown::leaves;
use crate::virtual_time;

type Shared = Arc<dyn Subject>;

const SECOND: Duration = Duration::from_secs(1);

/// A green thread that waits once, and adds its name to the log when it goes on.
fn waiter(subject: &Shared, name: usize, log: &Rc<RefCell<Vec<usize>>>) -> JoinHandle<()> {
    let (subject, log) = (Arc::clone(subject), Rc::clone(log));
    spawn(move || {
        subject.wait();
        log.borrow_mut().push(name);
    })
}

/// `count` waiters, all parked, and their log.
fn waiters(subject: &Shared, count: usize) -> (Vec<JoinHandle<()>>, Rc<RefCell<Vec<usize>>>) {
    let log = Rc::default();
    let handles = (0..count).map(|n| waiter(subject, n, &log)).collect();
    yield_now();
    (handles, log)
}

/// Grants as often as it takes for `count` waiters, and lets each go on.
fn grant_all(subject: &Shared, count: usize) {
    let grants = if subject.kind() == Kind::Broadcast {
        1
    } else {
        count
    };
    for _ in 0..grants {
        subject.grant();
        yield_now();
        yield_now();
    }
}

fn join_all(handles: Vec<JoinHandle<()>>) {
    for handle in handles {
        handle.join().unwrap();
    }
}

pub(crate) fn smoke(subject: Shared) {
    virtual_time(|| {
        let (handles, log) = waiters(&subject, 1);
        assert!(log.borrow().is_empty());
        grant_all(&subject, 1);
        join_all(handles);
        assert_eq!(*log.borrow(), [0]);
    });
}

pub(crate) fn order(subject: Shared) {
    virtual_time(|| {
        let (handles, log) = waiters(&subject, 5);
        grant_all(&subject, 5);
        join_all(handles);
        assert_eq!(*log.borrow(), [0, 1, 2, 3, 4]);
    });
}

/// The timed wait ends at its deadline, not before; a later grant goes to the one who still waits.
pub(crate) fn timed(subject: Shared) {
    virtual_time(|| {
        let own = Arc::clone(&subject);
        let timed = spawn(move || {
            let start = time::now();
            assert!(!own.wait_timeout(SECOND));
            time::now() - start
        });
        yield_now();
        let (handles, log) = waiters(&subject, 1);
        assert_eq!(timed.join().unwrap(), SECOND);
        grant_all(&subject, 1);
        join_all(handles);
        assert_eq!(*log.borrow(), [0]);
    });
}

pub(crate) fn granted_in_time(subject: Shared) {
    virtual_time(|| {
        let own = Arc::clone(&subject);
        let timed = spawn(move || own.wait_timeout(2 * SECOND));
        sleep(SECOND);
        subject.grant();
        assert!(timed.join().unwrap());
    });
}

/// The deadline of the wait itself fires, and in the same turn, before the waiter has run, a grant comes: it is not the waiter's any more.
pub(crate) fn deadline_meets_grant(subject: Shared) {
    virtual_time(|| {
        let granter = {
            let subject = Arc::clone(&subject);
            spawn(move || {
                sleep(SECOND);
                subject.grant();
            })
        };
        yield_now();
        let own = Arc::clone(&subject);
        let timed = spawn(move || own.wait_timeout(SECOND));
        yield_now();
        let (handles, log) = waiters(&subject, 1);
        assert!(!timed.join().unwrap());
        granter.join().unwrap();
        join_all(handles);
        assert_eq!(*log.borrow(), [0]);
    });
}

/// The same with the deadline of a `timeout` around it.
pub(crate) fn outer_deadline_meets_grant(subject: Shared) {
    virtual_time(|| {
        let granter = {
            let subject = Arc::clone(&subject);
            spawn(move || {
                sleep(SECOND);
                subject.grant();
            })
        };
        yield_now();
        let own = Arc::clone(&subject);
        let timed = spawn(move || timeout(SECOND, || own.wait()).is_err());
        yield_now();
        let (handles, log) = waiters(&subject, 1);
        assert!(timed.join().unwrap());
        granter.join().unwrap();
        join_all(handles);
        assert_eq!(*log.borrow(), [0]);
    });
}

/// L5: it is out of the line before its destructors run, so a grant made from there goes to the next.
pub(crate) fn cancelled(subject: Shared) {
    struct GrantOnDrop(Shared);
    impl Drop for GrantOnDrop {
        fn drop(&mut self) {
            self.0.grant();
        }
    }
    virtual_time(|| {
        let own = GrantOnDrop(Arc::clone(&subject));
        let victim = spawn(move || own.0.wait());
        yield_now();
        let (handles, log) = waiters(&subject, 1);
        assert!(victim.cancel());
        assert!(victim.join().unwrap_err().is_cancelled());
        join_all(handles);
        assert_eq!(*log.borrow(), [0]);
    });
}

/// Granted, and cancelled before it runs: L4 b, or c for a delivery.
pub(crate) fn grant_meets_cancellation(subject: Shared) {
    virtual_time(|| {
        let went_on = Rc::new(Cell::new(false));
        let (own, seen) = (Arc::clone(&subject), Rc::clone(&went_on));
        let victim = spawn(move || {
            own.wait();
            seen.set(true);
            sleep(SECOND);
        });
        yield_now();
        let (handles, log) = waiters(&subject, 1);
        subject.grant();
        victim.cancel();
        assert!(victim.join().unwrap_err().is_cancelled());
        let delivered = subject.kind() == Kind::Delivery;
        assert_eq!(went_on.get(), delivered);
        if delivered {
            yield_now();
            assert!(log.borrow().is_empty());
            subject.grant();
        }
        join_all(handles);
        assert_eq!(*log.borrow(), [0]);
    });
}

/// Cancelled, and in the same turn a grant comes: it goes to the next.
pub(crate) fn cancellation_meets_grant(subject: Shared) {
    virtual_time(|| {
        let (victim, _) = waiters(&subject, 1);
        let (handles, log) = waiters(&subject, 1);
        victim[0].cancel();
        subject.grant();
        join_all(handles);
        assert_eq!(*log.borrow(), [0]);
        for victim in victim {
            assert!(victim.join().unwrap_err().is_cancelled());
        }
    });
}

/// Granted, and then a frame around the wait fires before the waiter runs: its scope fails.
pub(crate) fn grant_meets_failing_scope(subject: Shared) {
    virtual_time(|| {
        let went_on = Cell::new(false);
        let log = Rc::default();
        let failed = catch_unwind(AssertUnwindSafe(|| {
            scope(|s| {
                let log: &Rc<RefCell<Vec<usize>>> = &log;
                let subject = &subject;
                s.spawn(move || {
                    let next = waiter(subject, 0, log);
                    yield_now();
                    subject.grant();
                    drop(next);
                    panic!("the scope fails");
                });
                subject.wait();
                went_on.set(true);
                sleep(SECOND);
            });
        }));
        assert!(failed.is_err());
        assert_eq!(went_on.get(), subject.kind() == Kind::Delivery);
        if went_on.get() {
            subject.grant();
        }
        yield_now();
        yield_now();
        assert_eq!(*log.borrow(), [0]);
    });
}

/// With nobody next in line, the grant of a cancelled one is there for whoever comes.
pub(crate) fn unused_grant_is_kept(subject: Shared) {
    if subject.kind() != Kind::Token {
        return;
    }
    virtual_time(|| {
        let (victim, _) = waiters(&subject, 1);
        subject.grant();
        victim[0].cancel();
        yield_now();
        assert!(subject.wait_timeout(SECOND));
        assert!(!subject.wait_timeout(SECOND), "the grant was doubled");
    });
}

/// What is left waiting at the end of a run is cancelled, and the last one drops the primitive.
pub(crate) fn dropped(subject: Shared) {
    let alive = Arc::downgrade(&subject);
    virtual_time(move || {
        leaves(3);
        drop(waiters(&subject, 3));
        drop(subject);
    });
    assert!(alive.upgrade().is_none());
}

/// A caught cancellation leaves the primitive usable for the same green thread.
pub(crate) fn waits_again_after_a_caught_cancellation(subject: Shared) {
    virtual_time(|| {
        let own = Arc::clone(&subject);
        let again = spawn(move || {
            assert!(catch_cancel(|| own.wait()).is_err());
            own.wait();
        });
        yield_now();
        again.cancel();
        yield_now();
        subject.grant();
        again.join().unwrap();
    });
}

/// Plain OS threads wait, and green threads on each of them; all are granted from here.
pub(crate) fn across(subject: Shared) {
    const THREADS: usize = 2;
    const GREEN: usize = 10;
    let others: Vec<_> = (0..THREADS)
        .map(|_| {
            let subject = Arc::clone(&subject);
            std::thread::spawn(move || {
                run(|| {
                    let log = Rc::default();
                    let handles: Vec<_> = (0..GREEN).map(|n| waiter(&subject, n, &log)).collect();
                    subject.wait();
                    join_all(handles);
                    log.borrow().len() + 1
                })
            })
        })
        .collect();
    let granter = Arc::clone(&subject);
    let ended = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = Arc::clone(&ended);
    // Signals and broadcasts are not kept, and a mutex has one token: it grants until all have ended.
    let granting = std::thread::spawn(move || {
        while !seen.load(std::sync::atomic::Ordering::Relaxed) {
            drop(catch_unwind(AssertUnwindSafe(|| granter.grant())));
            std::thread::yield_now();
        }
    });
    for other in others {
        assert_eq!(other.join().unwrap(), GREEN + 1);
    }
    ended.store(true, std::sync::atomic::Ordering::Relaxed);
    granting.join().unwrap();
}

pub(crate) fn many(subject: Shared) {
    const MANY: usize = 1_000;
    virtual_time(|| {
        let (handles, log) = waiters(&subject, MANY);
        grant_all(&subject, MANY);
        join_all(handles);
        assert_eq!(*log.borrow(), (0..MANY).collect::<Vec<_>>());
    });
}

macro_rules! shared_list {
    ($($primitive:ident: $make:expr;)*) => { $(
        mod $primitive {
            use std::sync::Arc;
            #[allow(unused_imports, reason = "each subject needs a part")]
            use {crate::choices::*, crate::subjects::*, greenthread::channel, greenthread::sync::{Event, Queue, Semaphore}};
            use crate::shared_list as list;

            fn make() -> Arc<dyn Subject> {
                Arc::new($make)
            }

            #[test]
            #[apply(on_workers)]
            fn a_grant_lets_a_waiter_go_on() {
                list::smoke(make());
            }

            #[test]
            #[apply(on_workers)]
            fn waiters_go_on_in_the_order_in_which_they_came() {
                list::order(make());
            }

            #[test]
            #[apply(on_roots)]
            fn a_timed_wait_ends_at_its_deadline_and_leaves_the_line() {
                list::timed(make());
            }

            #[test]
            #[apply(on_roots)]
            fn a_timed_wait_that_is_granted_in_time_says_so() {
                list::granted_in_time(make());
            }

            #[test]
            #[apply(on_roots)]
            fn l4_a_grant_after_the_deadline_in_the_same_turn_goes_to_the_next() {
                list::deadline_meets_grant(make());
            }

            #[test]
            #[apply(on_roots)]
            fn l4_a_grant_after_an_outer_deadline_in_the_same_turn_goes_to_the_next() {
                list::outer_deadline_meets_grant(make());
            }

            #[test]
            #[apply(on_workers)]
            fn l5_a_cancelled_waiter_is_out_of_the_line_before_it_unwinds() {
                list::cancelled(make());
            }

            #[test]
            #[apply(on_roots)]
            fn l4_a_grant_that_meets_a_cancellation_is_given_back_or_delivered() {
                list::grant_meets_cancellation(make());
            }

            #[test]
            #[apply(on_workers)]
            fn l4_a_cancellation_that_meets_a_grant_leaves_it_to_the_next() {
                list::cancellation_meets_grant(make());
            }

            #[test]
            #[apply(on_roots)]
            fn l4_a_grant_that_meets_a_fired_frame_is_given_back_or_delivered() {
                list::grant_meets_failing_scope(make());
            }

            #[test]
            #[apply(on_roots)]
            fn l4_an_unused_grant_is_there_for_whoever_comes_once() {
                list::unused_grant_is_kept(make());
            }

            #[test]
            #[apply(on_roots)]
            fn waiters_left_at_the_end_of_a_run_let_go_of_the_primitive() {
                list::dropped(make());
            }

            #[test]
            #[apply(on_workers)]
            fn a_caught_cancellation_leaves_it_usable() {
                list::waits_again_after_a_caught_cancellation(make());
            }

            #[test]
            #[apply(on_workers)]
            fn grants_cross_os_threads() {
                list::across(make());
            }

            #[test]
            #[apply(on_workers)]
            fn a_thousand_waiters_all_go_on_in_order() {
                list::many(make());
            }
        }
    )* };
}

shared_list! {
    mutex: MutexLock::new();
    reentrant_mutex: ReentrantLock::new();
    rw_lock_write: RwLockWrite::new();
    rw_lock_read: RwLockRead::new();
    barrier: BarrierWaits::new();
    once_lock_wait: OnceWait::default();
    once_lock_init: OnceInit::new();
    semaphore: SemaphoreAcquire(Semaphore::new(0));
    semaphore_many: SemaphoreMany(Semaphore::new(0));
    event: EventWait(Event::new());
    condvar: CondvarWait::default();
    queue_get: QueueGet(Queue::unbounded());
    queue_get_lifo: QueueGet(Queue::lifo());
    queue_get_priority: QueueGet(Queue::priority());
    queue_put: QueuePut::of(Queue::bounded(3));
    queue_put_lifo: QueuePut::of(Queue::lifo_bounded(3));
    queue_put_priority: QueuePut::of(Queue::priority_bounded(3));
    queue_join: QueueJoin::new();
    recv: Recv(roomy());
    recv_unbounded: Recv(channel::unbounded());
    recv_rendezvous: Recv(channel::bounded(0));
    send: Sending::of(channel::bounded(2));
    send_rendezvous: Sending::of(channel::bounded(0));
    select_recv: SelectRecv(roomy());
    select_recv_rendezvous: SelectRecv(channel::bounded(0));
    select_send: SelectSend::of(channel::bounded(2));
    select_send_rendezvous: SelectSend::of(channel::bounded(0));
    broadcast: BroadcastRecv::new();
    watch: WatchChanged::new();
}
