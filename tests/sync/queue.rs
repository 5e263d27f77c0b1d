//! What a queue does besides: its orders, its end, its comparisons.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use greenthread::sync::{
    Closed, Event, GetTimeoutError, PutTimeoutError, Queue, TryGetError, TryPutError,
};
use greenthread::{scope, spawn, yield_now};

use crate::support::{Counted, panic_text};
use crate::virtual_time;

fn drain<T>(queue: &Queue<T>) -> Vec<T> {
    std::iter::from_fn(|| queue.try_get().ok()).collect()
}

#[test]
#[apply(on_workers)]
fn each_kind_gives_its_items_in_its_order() {
    let put = |queue: Queue<u32>| {
        for n in [3, 1, 4, 1, 5, 2] {
            queue.put(n).unwrap();
        }
        drain(&queue)
    };
    assert_eq!(put(Queue::unbounded()), [3, 1, 4, 1, 5, 2]);
    assert_eq!(put(Queue::lifo()), [2, 5, 1, 4, 1, 3]);
    assert_eq!(put(Queue::priority()), [1, 1, 2, 3, 4, 5]);
    assert_eq!(put(Queue::bounded(6)), [3, 1, 4, 1, 5, 2]);
    assert_eq!(put(Queue::lifo_bounded(6)), [2, 5, 1, 4, 1, 3]);
    assert_eq!(put(Queue::priority_bounded(6)), [1, 1, 2, 3, 4, 5]);
}

#[test]
#[apply(on_workers)]
fn a_bound_of_zero_names_the_constructor() {
    assert!(panic_text(|| Queue::<u32>::bounded(0)).contains("Queue::bounded(0)"));
    assert!(panic_text(|| Queue::<u32>::lifo_bounded(0)).contains("Queue::lifo_bounded(0)"));
    let priority = panic_text(|| Queue::<u32>::priority_bounded(0));
    assert!(priority.contains("Queue::priority_bounded(0)"));
}

#[test]
#[apply(on_workers)]
fn a_waiting_getter_of_a_pile_takes_the_newest() {
    virtual_time(|| {
        let pile = Rc::new(Queue::lifo());
        let own = Rc::clone(&pile);
        let getter = spawn(move || own.get());
        yield_now();
        pile.put("old").unwrap();
        pile.put("new").unwrap();
        assert_eq!(getter.join().unwrap(), Ok("new"));
        assert_eq!(drain(&pile), ["old"]);
    });
}

#[test]
#[apply(on_roots)]
fn a_full_or_closed_queue_hands_the_item_back() {
    virtual_time(|| {
        let queue = Queue::bounded(1);
        queue.put(1).unwrap();
        assert!(queue.is_full());
        let limit = Duration::from_secs(1);
        assert_eq!(queue.try_put(2), Err(TryPutError::Full(2)));
        assert_eq!(
            queue.put_timeout(2, limit),
            Err(PutTimeoutError::Elapsed(2))
        );
        queue.close();
        assert_eq!(queue.put(2), Err(Closed(2)));
        assert_eq!(queue.try_put(2), Err(TryPutError::Closed(2)));
        assert_eq!(queue.put_timeout(2, limit), Err(PutTimeoutError::Closed(2)));
        assert_eq!(queue.get(), Ok(1));
        assert_eq!(queue.get(), Err(Closed(())));
        assert_eq!(queue.try_get(), Err(TryGetError::Closed));
        assert_eq!(queue.get_timeout(limit), Err(GetTimeoutError::Closed));
    });
}

#[test]
#[apply(on_workers)]
fn closing_wakes_everybody_and_leaves_what_is_inside() {
    virtual_time(|| {
        let (full, empty) = (Queue::bounded(1), Queue::<u32>::unbounded());
        full.put(1).unwrap();
        scope(|s| {
            s.spawn(|| assert_eq!(full.put(2), Err(Closed(2))));
            s.spawn(|| assert_eq!(empty.get(), Err(Closed(()))));
            yield_now();
            full.close();
            empty.close();
        });
        assert_eq!(full.iter().collect::<Vec<_>>(), [1]);
    });
}

#[test]
#[apply(on_workers)]
fn join_waits_for_every_task_done_and_one_too_many_panics() {
    virtual_time(|| {
        let queue = Queue::unbounded();
        for n in [1, 2] {
            queue.put(n).unwrap();
        }
        scope(|s| {
            let joined = s.spawn(|| queue.join());
            assert_eq!(drain(&queue), [1, 2]);
            queue.task_done();
            yield_now();
            assert!(!joined.is_finished(), "one is unfinished");
            queue.task_done();
        });
        assert!(panic_text(|| queue.task_done()).contains("task_done"));
        queue.join();
    });
}

/// Its comparisons do what the test says.
#[derive(Debug, Clone)]
struct Item {
    rank: u32,
    compare: Rc<dyn Compare>,
}

trait Compare: std::fmt::Debug {
    fn compared(&self);
}

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare.compared();
        self.rank.cmp(&other.rank)
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Item {}

fn items(ranks: &[u32], compare: Rc<dyn Compare>) -> Queue<Item> {
    let queue = Queue::priority();
    for &rank in ranks {
        let compare = Rc::clone(&compare);
        queue.put(Item { rank, compare }).unwrap();
    }
    queue
}

fn ranks(queue: &Queue<Item>) -> Vec<u32> {
    drain(queue).into_iter().map(|item| item.rank).collect()
}

#[derive(Debug, Default)]
struct PanicsAt {
    left: Cell<Option<u32>>,
}

impl Compare for PanicsAt {
    fn compared(&self) {
        match self.left.get() {
            Some(0) => {
                self.left.set(None);
                panic!("cannot compare");
            }
            left => self.left.set(left.map(|left| left - 1)),
        }
    }
}

#[test]
#[apply(on_workers)]
fn l6_a_comparison_that_panics_loses_no_item_and_doubles_none() {
    for at in 0..40 {
        let panics = Rc::new(PanicsAt::default());
        let queue = items(&[5, 3, 8, 1, 9, 2, 7], Rc::<PanicsAt>::clone(&panics) as _);
        queue.get().unwrap();
        for rank in [6, 4] {
            let compare = Rc::<PanicsAt>::clone(&panics) as _;
            queue.put(Item { rank, compare }).unwrap();
        }
        panics.left.set(Some(at));
        let mut taken: Vec<u32> = Vec::new();
        while !queue.is_empty() {
            if let Ok(Ok(item)) = catch_unwind(AssertUnwindSafe(|| queue.try_get())) {
                taken.push(item.rank);
            }
        }
        assert_eq!(taken, [2, 3, 4, 5, 6, 7, 8, 9], "panic at comparison {at}");
    }
}

#[test]
#[apply(on_workers)]
fn l6_a_getter_that_panics_in_a_comparison_passes_the_wake_on() {
    virtual_time(|| {
        let panics = Rc::new(PanicsAt::default());
        let queue = Rc::new(items(&[], Rc::<PanicsAt>::clone(&panics) as _));
        let getters = [(); 3].map(|()| {
            let own = Rc::clone(&queue);
            spawn(move || own.get().unwrap().rank)
        });
        yield_now();
        panics.left.set(Some(0));
        for rank in [2, 1] {
            let compare = Rc::<PanicsAt>::clone(&panics) as _;
            queue.try_put(Item { rank, compare }).unwrap();
        }
        let ends = getters.map(|getter| getter.join().map_err(|error| error.is_panic()));
        // Two puts woke the first two; the one that panicked woke the third.
        assert_eq!(ends, [Err(true), Ok(1), Ok(2)]);
    });
}

#[derive(Debug, Default)]
struct Parks {
    begun: Event,
    go_on: Event,
}

impl Compare for Parks {
    fn compared(&self) {
        self.begun.set();
        self.go_on.wait();
    }
}

#[test]
#[apply(on_workers)]
fn l6_a_comparison_that_parks_holds_up_getters_only() {
    virtual_time(|| {
        let parks = Rc::new(Parks::default());
        let queue = Rc::new(items(&[2, 1], Rc::<Parks>::clone(&parks) as _));
        let first = {
            let own = Rc::clone(&queue);
            spawn(move || own.get().unwrap().rank)
        };
        parks.begun.wait();
        let compare = Rc::<Parks>::clone(&parks) as _;
        queue.try_put(Item { rank: 0, compare }).unwrap();
        assert_eq!((queue.len(), queue.is_empty()), (3, false));
        let second = {
            let own = Rc::clone(&queue);
            spawn(move || own.get().unwrap().rank)
        };
        yield_now();
        assert!(!second.is_finished());
        parks.go_on.set();
        assert_eq!((first.join().unwrap(), second.join().unwrap()), (1, 0));
        assert_eq!(ranks(&queue), [2]);
    });
}

#[test]
#[apply(on_workers)]
fn l4_a_getter_cancelled_while_another_compares_passes_the_wake_on() {
    virtual_time(|| {
        let parks = Rc::new(Parks::default());
        let queue = Rc::new(items(&[], Rc::<Parks>::clone(&parks) as _));
        let getters = [(); 3].map(|()| {
            let own = Rc::clone(&queue);
            spawn(move || own.get().unwrap().rank)
        });
        yield_now();
        for rank in [2, 1] {
            let compare = Rc::<Parks>::clone(&parks) as _;
            queue.put(Item { rank, compare }).unwrap();
        }
        parks.begun.wait();
        yield_now();
        // The first compares, the second was woken and waits for it, the third was not woken.
        getters[1].cancel();
        parks.go_on.set();
        let ends = getters.map(|getter| getter.join().map_err(|error| error.is_cancelled()));
        assert_eq!(ends, [Ok(1), Err(true), Ok(2)]);
    });
}

#[test]
#[apply(on_workers)]
fn l6_items_are_dropped_outside_the_lock() {
    struct Asks {
        link: Rc<RefCell<Option<Rc<Queue<Asks>>>>>,
        _count: Counted,
    }
    impl Drop for Asks {
        fn drop(&mut self) {
            if let Some(queue) = &*self.link.borrow() {
                assert!(queue.is_empty());
            }
        }
    }
    virtual_time(|| {
        let queue = Rc::new(Queue::bounded(1));
        let (link, count) = (
            Rc::new(RefCell::new(Some(Rc::clone(&queue)))),
            Counted::new(),
        );
        let item = || Asks {
            link: Rc::clone(&link),
            _count: count.clone(),
        };
        queue.put(item()).unwrap();
        queue.close();
        drop(queue.get());
        drop(queue.put(item()));
        assert_eq!(count.alive(), 1);
        link.borrow_mut().take();
    });
}

#[test]
#[apply(on_workers)]
fn equal_items_leave_in_the_order_of_arrival() {
    #[derive(PartialEq, Eq)]
    struct Job(u32, u32);
    impl Ord for Job {
        fn cmp(&self, other: &Self) -> Ordering {
            self.0.cmp(&other.0)
        }
    }
    impl PartialOrd for Job {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }
    let queue = Queue::priority();
    for n in 0..100 {
        queue.put(Job(n % 3, n)).unwrap();
    }
    let taken: Vec<(u32, u32)> = drain(&queue)
        .into_iter()
        .map(|job| (job.0, job.1))
        .collect();
    let mut sorted = taken.clone();
    sorted.sort_unstable();
    assert_eq!(taken, sorted);
}

#[test]
#[apply(on_workers)]
fn a_priority_queue_is_shared_by_os_threads() {
    let queue = Arc::new(Queue::priority());
    let takers: Vec<_> = (0..3)
        .map(|_| {
            let own = Arc::clone(&queue);
            std::thread::spawn(move || own.iter().collect::<Vec<u32>>())
        })
        .collect();
    (0..3_000).for_each(|n| queue.put(n).unwrap());
    queue.close();
    let mut all: Vec<u32> = takers.into_iter().flat_map(|t| t.join().unwrap()).collect();
    all.sort_unstable();
    assert_eq!(all, (0..3_000).collect::<Vec<_>>());
}
