//! Code of the user's that comes back into the very thing that calls it: from `Clone`, `Drop`, `Ord`, `Debug`, conditions, initialisers and wakers (L6).
//!
//! A lock of the crate that were held meanwhile would be taken twice on one OS thread, which ends the process.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

use greenthread::channel::{self, broadcast, oneshot, watch};
use greenthread::future::block_on;
use greenthread::sync::{Barrier, Condvar, Event, Mutex, OnceLock, Queue, RwLock, Semaphore};
use greenthread::{current, spawn, yield_now};

use crate::child;
use crate::help::in_virtual_time;
use crate::words::panic_text;

/// What is done when this is cloned, compared, shown or dropped.
struct Acts(Rc<dyn Fn()>);

impl Clone for Acts {
    fn clone(&self) -> Self {
        (self.0)();
        Acts(Rc::clone(&self.0))
    }
}

impl Drop for Acts {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl Ord for Acts {
    fn cmp(&self, _: &Self) -> Ordering {
        (self.0)();
        Ordering::Equal
    }
}

impl PartialOrd for Acts {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Acts {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Acts {}

impl fmt::Debug for Acts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)();
        f.write_str("Acts")
    }
}

/// Calls `use_it` with a value that does `act` on `target` whatever is done with it; says how often it was done.
fn with_acting<S: 'static>(
    target: S,
    act: impl Fn(&S) + 'static,
    use_it: impl FnOnce(&S, &dyn Fn() -> Acts),
) -> usize {
    let target = Rc::new(target);
    let count = Rc::new(Cell::new(0));
    let (own, counted) = (Rc::downgrade(&target), Rc::clone(&count));
    let busy = Cell::new(false);
    let acts: Rc<dyn Fn()> = Rc::new(move || {
        if let Some(target) = own.upgrade()
            && !busy.replace(true)
        {
            act(&target);
            counted.set(counted.get() + 1);
            busy.set(false);
        }
    });
    in_virtual_time(|| use_it(&target, &|| Acts(Rc::clone(&acts))));
    count.get()
}

#[test]
#[apply(on_workers)]
fn l6_messages_of_a_channel_come_back_into_it() {
    let act = |(sender, receiver): &(channel::Sender<Acts>, channel::Receiver<Acts>)| {
        assert!(sender.len() <= 2 && !receiver.is_full());
        drop(receiver.try_recv());
        drop(sender.clone());
        drop(receiver.clone());
        drop(format!("{sender:?}{receiver:?}"));
    };
    let done = with_acting(channel::bounded(3), act, |(sender, receiver), new| {
        for _ in 0..2 {
            sender.send(new()).unwrap();
        }
        drop(receiver.recv());
        drop(sender.try_send(new()));
        assert!(receiver.try_iter().count() < 9);
    });
    assert!(done > 1);
}

#[test]
#[apply(on_workers)]
fn l6_the_message_of_a_channel_of_one_comes_back_into_it() {
    let act = |(sender, receiver): &(channel::Sender<Acts>, channel::Receiver<Acts>)| {
        assert!(sender.len() <= 1 && sender.is_full() == (receiver.len() == 1));
        drop(receiver.try_recv());
        drop(sender.clone());
        drop(receiver.clone());
        drop(format!("{sender:?}{receiver:?}"));
    };
    let done = with_acting(channel::bounded(1), act, |(sender, receiver), new| {
        sender.send(new()).unwrap();
        drop(sender.try_send(new()));
        drop(receiver.try_recv());
        drop(sender.try_send(new()));
        assert!(receiver.try_iter().count() < 9);
    });
    assert!(done > 1);
}

#[test]
#[apply(on_workers)]
fn l6_values_of_broadcast_watch_and_oneshot_come_back_into_them() {
    let done = with_acting(
        broadcast::<Acts>(1),
        |(sender, receiver)| {
            drop(receiver.try_recv());
            drop(sender.subscribe());
            assert!(sender.len() <= 1);
        },
        |(sender, receiver), new| {
            sender.send(new()).unwrap();
            sender.send(new()).unwrap();
            drop(receiver.try_recv());
            drop(receiver.try_recv());
        },
    );
    assert!(done > 1);
    type Watched = (watch::Sender<Option<Acts>>, watch::Receiver<Option<Acts>>);
    let done = with_acting(
        watch(None),
        |(sender, receiver): &Watched| {
            let _ = sender.borrow().is_some();
            let _ = receiver.get().is_some();
            assert!(receiver.has_changed().is_ok());
            drop(sender.subscribe());
        },
        |(sender, receiver), new| {
            sender.send(Some(new())).unwrap();
            sender.send(Some(new())).unwrap();
            drop(receiver.get());
            sender.send_modify(|value| *value = Some(new()));
            drop(sender.send_replace(None));
        },
    );
    assert!(done > 2);
    let done = with_acting(
        RefCell::new(None),
        |slot| {
            let receiver: Option<oneshot::Receiver<Acts>> = slot.borrow_mut().take();
            drop(receiver);
        },
        |slot, new| {
            let (sender, receiver) = oneshot();
            *slot.borrow_mut() = Some(receiver);
            sender.send(new()).unwrap();
            let receiver = slot.borrow_mut().take();
            drop(receiver);
            let (sender, receiver) = oneshot();
            drop(receiver);
            assert!(sender.send(new()).is_err());
        },
    );
    assert_eq!(done, 2);
}

#[test]
#[apply(on_workers)]
fn l6_a_watched_value_may_send_again_when_it_is_dropped() {
    type Watched = (
        watch::Sender<Option<Rc<Acts>>>,
        watch::Receiver<Option<Rc<Acts>>>,
    );
    let act = |(sender, _): &Watched| sender.send(None).unwrap();
    let done = with_acting(watch(None), act, |(sender, _), new| {
        let some = || Some(Rc::new(new()));
        sender.send(some()).unwrap();
        sender.send(some()).unwrap();
        sender.send_modify(|value| std::mem::forget(value.take()));
        sender.send(some()).unwrap();
        drop(sender.send_replace(None));
        sender.send(some()).unwrap();
        sender.send_modify(|value| *value = None);
    });
    assert!(done > 2);
}

#[test]
#[apply(on_workers)]
fn l6_items_of_queues_come_back_into_them_while_they_are_compared_and_dropped() {
    for queue in [
        Queue::unbounded(),
        Queue::lifo(),
        Queue::priority(),
        Queue::priority_bounded(9),
    ] {
        let done = with_acting(
            queue,
            |queue: &Queue<Acts>| {
                assert!(queue.len() < 100 && (queue.capacity().is_some() || !queue.is_full()));
                drop(queue.try_put(Acts(Rc::new(|| ()))));
                assert!(!queue.is_closed());
                drop(format!("{queue:?}"));
            },
            |queue, new| {
                for _ in 0..4 {
                    queue.put(new()).unwrap();
                }
                drop(queue.get());
                drop(queue.get());
                while queue.try_get().is_ok() {}
            },
        );
        assert!(done > 1);
    }
}

#[test]
#[apply(once)]
fn l6_a_comparison_that_gets_from_its_own_queue_ends_the_process_as_the_deadlock_that_it_is() {
    let name = "reentry::l6_a_comparison_that_gets_from_its_own_queue_ends_the_process_as_the_deadlock_that_it_is";
    let ended = child::run(name, || {
        let queue = Rc::new(Queue::priority());
        let own = Rc::downgrade(&queue);
        let gets: Rc<dyn Fn()> = Rc::new(move || {
            if let Some(queue) = own.upgrade() {
                drop(queue.try_get());
            }
        });
        in_virtual_time(|| {
            for _ in 0..2 {
                queue.put(Acts(Rc::clone(&gets))).unwrap();
            }
            drop(queue.try_get());
        });
    });
    ended.aborted();
    ended.said("waits in Queue::try_get");
    ended.said("held by itself");
}

#[test]
#[apply(on_workers)]
fn l6_values_in_locks_come_back_into_them() {
    let act = |(mutex, lock): &(Mutex<Option<Acts>>, RwLock<Option<Acts>>)| {
        drop(mutex.try_lock());
        drop(lock.try_read());
        drop(lock.try_write());
        drop(format!("{mutex:?}{lock:?}"));
    };
    let target = (Mutex::new(None), RwLock::new(None));
    let done = with_acting(target, act, |(mutex, lock), new| {
        *mutex.lock() = Some(new());
        *lock.write() = Some(new());
        drop(format!("{mutex:?}{lock:?}"));
        *mutex.lock() = None;
        *lock.write() = None;
    });
    assert!(done > 3);
}

#[test]
#[apply(on_workers)]
fn l6_initialisers_that_come_back_are_told_so() {
    in_virtual_time(|| {
        let cell = Rc::new(OnceLock::new());
        let own = Rc::clone(&cell);
        let text = panic_text(|| cell.get_or_init(|| *own.get_or_init(|| 1)));
        assert!(
            text.contains("deadlock") || text.contains("initialis"),
            "{text}"
        );
        assert_eq!(cell.get(), None);
        assert_eq!(*cell.get_or_init(|| 5), 5);
    });
}

#[test]
#[apply(on_workers)]
fn l6_conditions_and_guards_come_back_into_what_they_wait_on() {
    in_virtual_time(|| {
        let shared = Rc::new((
            Mutex::new(0),
            Condvar::new(),
            Semaphore::new(1),
            Event::new(),
        ));
        let own = Rc::clone(&shared);
        let waits = spawn(move || {
            let (mutex, condvar, semaphore, event) = &*own;
            let mut guard = mutex.lock();
            condvar.wait_while(&mut guard, |value| {
                condvar.notify_all();
                event.set();
                assert!(mutex.try_lock().is_none());
                drop(semaphore.try_acquire());
                yield_now();
                *value == 0
            });
            *guard
        });
        yield_now();
        yield_now();
        *shared.0.lock() = 3;
        shared.1.notify_one();
        assert_eq!(waits.join().unwrap(), 3);
        let barrier = Barrier::new(1);
        assert!(barrier.wait().is_ok() && shared.3.is_set());
    });
}

greenthread::green_local! {
    static AGAIN: Again = Again::new();
    static OTHER: Cell<u32> = Cell::new(AGAIN_MADE.get());
}

thread_local! {
    static AGAIN_MADE: Cell<u32> = const { Cell::new(0) };
}

struct Again(u32);

impl Again {
    fn new() -> Self {
        let made = AGAIN_MADE.get() + 1;
        AGAIN_MADE.set(made);
        if made == 1 {
            AGAIN.with(|again| assert_eq!(again.0, 2));
            AGAIN.set(Again(7));
        }
        Again(made)
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        OTHER.with(|other| other.set(other.get() + 1));
        if self.0 == 7 {
            AGAIN.set(Again(8));
            AGAIN.scope(Again(9), yield_now);
        }
    }
}

#[test]
#[apply(on_workers)]
fn l6_green_locals_whose_initialisers_and_destructors_use_them_are_whole() {
    let first = spawn(|| {
        AGAIN.with(|again| {
            assert_eq!(again.0, 7);
            AGAIN.set(Again(20));
            assert_eq!(again.0, 7, "replaced under a reader");
        });
        OTHER.with(Cell::get)
    });
    assert!(first.join().unwrap() > 0);
    assert!(spawn(|| AGAIN.with(|again| again.0)).join().unwrap() > 2);
}

/// Wakes its green thread, and drops its own last clones meanwhile.
struct Wakes {
    inner: std::sync::Mutex<Option<Waker>>,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        let inner = self.inner.lock().unwrap().take();
        if let Some(inner) = inner {
            inner.wake_by_ref();
            drop(inner);
        }
        yield_now();
    }
}

#[test]
#[apply(on_workers)]
fn wakers_that_are_kept_beyond_their_future_wake_nobody() {
    let kept = Rc::new(RefCell::new(Vec::new()));
    let own = Rc::clone(&kept);
    let mut turns = 0;
    block_on(poll_fn(move |context| {
        turns += 1;
        let waker = context.waker().clone();
        own.borrow_mut().push(waker.clone());
        let outer = Arc::new(Wakes {
            inner: std::sync::Mutex::new(Some(waker)),
        });
        Waker::from(outer).wake();
        if turns < 4 {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }));
    let wakers: Vec<Waker> = kept.take();
    let green = spawn(move || {
        wakers.iter().for_each(Waker::wake_by_ref);
        std::thread::spawn(move || wakers.into_iter().for_each(Waker::wake))
            .join()
            .unwrap();
        current().id()
    });
    assert!(green.join().unwrap() > 0);
    // Of one whose OS thread has gone.
    let waker = std::thread::spawn(|| {
        let (sender, receiver) = std::sync::mpsc::channel();
        drop(spawn(move || {
            block_on(poll_fn(move |context| {
                sender.send(context.waker().clone()).unwrap();
                Poll::<()>::Pending
            }))
        }));
        yield_now();
        receiver.recv().unwrap()
    });
    let waker = waker.join().unwrap();
    waker.wake_by_ref();
    drop(waker.clone());
    waker.wake();
}
