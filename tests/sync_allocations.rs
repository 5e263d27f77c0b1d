//! Waiting allocates nothing: counted by the allocator.

#![allow(unsafe_code, reason = "an allocator that counts")]

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use greenthread::channel::{bounded, never};
use greenthread::future::block_on;
use greenthread::sync::{
    Barrier, Condvar, Event, Mutex, OnceLock, Queue, ReentrantMutex, RwLock, Semaphore,
};
use greenthread::{run, select, spawn, yield_now};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: hands everything to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's duty.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's duty.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Allocations of `rounds`, done after one round to warm up.
fn allocations(mut round: impl FnMut()) -> usize {
    round();
    let before = ALLOCATIONS.get();
    for _ in 0..100 {
        round();
    }
    ALLOCATIONS.get() - before
}

/// Another green thread does `answer` for ever, one step each turn.
fn answering(answer: impl Fn() + 'static) {
    drop(spawn(move || {
        loop {
            answer();
            yield_now();
        }
    }));
}

#[test]
#[apply(once)]
fn no_primitive_allocates_to_block() {
    let counted = run(|| {
        let (event, semaphore) = (Rc::new(Event::new()), Rc::new(Semaphore::new(0)));
        let pair = Rc::new((Mutex::new(()), Condvar::new()));
        let (queue, ordered) = (Rc::new(Queue::bounded(1)), Rc::new(Queue::priority()));
        let locks = Rc::new((ReentrantMutex::new(()), RwLock::new(())));
        let met = Rc::new((Barrier::new(2), OnceLock::<u32>::new()));
        let ((to, from), (hand, take)) = (bounded(1), bounded(0));
        {
            let (event, semaphore) = (Rc::clone(&event), Rc::clone(&semaphore));
            answering(move || {
                event.set();
                event.clear();
                semaphore.release(1);
            });
            let pair = Rc::clone(&pair);
            answering(move || {
                let guard = pair.0.lock();
                yield_now();
                pair.1.notify_one();
                drop(guard);
            });
            let (queue, ordered) = (Rc::clone(&queue), Rc::clone(&ordered));
            answering(move || {
                let _ = queue.try_put(1);
                if ordered.is_empty() {
                    ordered.put(1).unwrap();
                }
            });
            answering(move || to.send(1).unwrap());
            answering(move || hand.send(1).unwrap());
            let locks = Rc::clone(&locks);
            answering(move || {
                let _held = (locks.0.lock(), locks.1.write());
                yield_now();
            });
            let own = Rc::clone(&met);
            answering(move || assert!(own.0.wait().is_ok()));
            let met = Rc::clone(&met);
            answering(move || {
                let _ = met.1.get_or_try_init(|| {
                    yield_now();
                    Err(())
                });
            });
        }
        [
            ("Event", allocations(|| event.wait())),
            ("Semaphore", allocations(|| semaphore.acquire().forget())),
            ("Mutex", allocations(|| drop(pair.0.lock()))),
            ("Condvar", allocations(|| pair.1.wait(&mut pair.0.lock()))),
            ("Queue", allocations(|| assert!(queue.get().is_ok()))),
            ("priority", allocations(|| assert!(ordered.get().is_ok()))),
            ("ReentrantMutex", allocations(|| drop(locks.0.lock()))),
            ("readers", allocations(|| drop(locks.1.read()))),
            ("writers", allocations(|| drop(locks.1.write()))),
            ("Barrier", allocations(|| assert!(met.0.wait().is_ok()))),
            (
                "OnceLock",
                allocations(|| assert!(met.1.get_or_try_init(|| Err(())).is_err())),
            ),
            ("Receiver", allocations(|| assert!(from.recv().is_ok()))),
            ("rendezvous", allocations(|| assert!(take.recv().is_ok()))),
        ]
    });
    for (primitive, allocations) in counted {
        assert_eq!(allocations, 0, "{primitive} allocated to block");
    }
}

#[test]
#[apply(once)]
fn a_selection_does_not_allocate_to_block() {
    let counted = run(|| {
        let ((to, from), (hand, take)) = (bounded(1), bounded(0));
        let quiet = never::<()>();
        answering(move || to.send(1).unwrap());
        answering(move || assert_eq!(take.recv(), Ok(2)));
        let mut round = || {
            select! {
                recv(from) -> message => assert_eq!(message, Ok(1)),
                recv(quiet) -> _ => unreachable!(),
            }
            select! {
                send(hand, 2) -> sent => sent.unwrap(),
                recv(quiet) -> _ => unreachable!(),
                default(Duration::from_secs(60)) => unreachable!(),
            }
        };
        // The first timer brings its heap along: the second hundred is what counts.
        allocations(&mut round);
        allocations(&mut round)
    });
    assert_eq!(counted, 0);
}

/// A future that is woken by somebody else so many times before it is ready.
fn pending_for(rounds: usize, waker: &Cell<Option<Waker>>) -> impl Future<Output = ()> {
    let mut left = rounds;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        waker.set(Some(context.waker().clone()));
        Poll::Pending
    })
}

#[test]
#[apply(once)]
fn a_future_parks_without_allocating() {
    let (few, many) = run(|| {
        let waker = Rc::new(Cell::new(None::<Waker>));
        let own = Rc::clone(&waker);
        answering(move || own.take().into_iter().for_each(Waker::wake));
        let few = allocations(|| block_on(pending_for(1, &waker)));
        (few, allocations(|| block_on(pending_for(50, &waker))))
    });
    assert_eq!(
        few, many,
        "one for each block_on, none for each time that it parks"
    );
}
