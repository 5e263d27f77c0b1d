//! `block_on`.

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::time::Duration;

use greenthread::future::block_on;
use greenthread::{park, scope, sleep, spawn, timeout, yield_now};

use crate::support::{Log, panic_text};
use crate::{Letterbox, virtually};

#[test]
#[apply(on_workers)]
fn a_future_may_borrow_and_need_not_be_send() {
    let count = Rc::new(Cell::new(0));
    let borrowed = &count;
    let got = block_on(async {
        borrowed.set(borrowed.get() + 1);
        borrowed.get()
    });
    assert_eq!(got, 1);
}

#[test]
#[apply(on_workers)]
fn it_parks_its_green_thread_only() {
    let letterbox = Letterbox::default();
    let own = letterbox.clone();
    let reader = spawn(move || block_on(own));
    yield_now();
    assert!(letterbox.is_awaited());
    letterbox.put(7);
    assert_eq!(reader.join().unwrap(), 7);
}

#[test]
#[apply(on_workers)]
fn on_the_root_it_runs_the_event_loop() {
    let letterbox = Letterbox::default();
    let own = letterbox.clone();
    spawn(move || {
        yield_now();
        own.put(8);
    });
    assert_eq!(block_on(letterbox), 8);
}

#[test]
#[apply(on_workers)]
fn a_wake_that_comes_before_the_park_is_not_lost() {
    let mut polls = 0;
    block_on(poll_fn(|context| {
        polls += 1;
        context.waker().wake_by_ref();
        if polls < 3 {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }));
    assert_eq!(polls, 3);
}

#[test]
#[apply(on_workers)]
fn a_future_that_wakes_itself_lets_others_run() {
    let go = Rc::new(Cell::new(false));
    let own = Rc::clone(&go);
    spawn(move || own.set(true));
    block_on(poll_fn(|context| {
        context.waker().wake_by_ref();
        if go.get() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }));
}

#[test]
#[apply(on_workers)]
fn a_wake_comes_from_another_os_thread() {
    let letterbox = Letterbox::default();
    let own = letterbox.clone();
    let other = std::thread::spawn(move || {
        while !own.is_awaited() {
            std::thread::yield_now();
        }
        own.put(9);
    });
    assert_eq!(block_on(letterbox), 9);
    other.join().unwrap();
}

#[test]
#[apply(on_workers)]
fn a_plain_os_thread_waits_for_what_another_ones_green_thread_gives() {
    let letterbox = Letterbox::default();
    let own = letterbox.clone();
    let other = std::thread::spawn(move || block_on(own));
    spawn(move || letterbox.put(10)).join().unwrap();
    assert_eq!(other.join().unwrap(), 10);
}

#[test]
#[apply(on_workers)]
fn a_waker_that_outlives_its_block_on_is_harmless() {
    let mut kept = None;
    block_on(poll_fn(|context| {
        kept = Some(context.waker().clone());
        Poll::Ready(())
    }));
    let kept = kept.unwrap();
    kept.wake_by_ref();
    std::thread::spawn(move || kept.wake()).join().unwrap();
}

#[test]
#[apply(on_roots)]
fn a_late_wake_leaves_no_token_for_park() {
    virtually(|| {
        let waiting = spawn(|| {
            let mut kept = None;
            block_on(poll_fn(|context| {
                kept = Some(context.waker().clone());
                Poll::Ready(())
            }));
            kept.unwrap().wake();
            park();
        });
        sleep(Duration::from_secs(1));
        assert!(!waiting.is_finished());
        waiting.thread().unpark();
        waiting.join().unwrap();
    });
}

#[test]
#[apply(on_roots)]
fn a_token_for_park_does_not_poll_the_future_again() {
    virtually(|| {
        let polls = Rc::new(Cell::new(0));
        let own = Rc::clone(&polls);
        let waiting = spawn(move || {
            block_on(poll_fn(|_| {
                own.set(own.get() + 1);
                Poll::<()>::Pending
            }));
        });
        yield_now();
        waiting.thread().unpark();
        sleep(Duration::from_secs(1));
        assert_eq!(polls.get(), 1);
        waiting.cancel();
        assert!(waiting.join().unwrap_err().is_cancelled());
    });
}

#[test]
#[apply(on_workers)]
fn a_cancellation_drops_the_future_while_it_unwinds() {
    let log = Log::default();
    let own = log.clone();
    let waiting = spawn(move || {
        let future = async {
            let _value = own.on_drop("future");
            pending::<()>().await;
        };
        block_on(future);
        own.say("never");
    });
    yield_now();
    waiting.cancel();
    assert!(waiting.join().unwrap_err().is_cancelled());
    assert_eq!(log.lines(), ["future"]);
}

#[test]
#[apply(on_workers)]
fn a_future_that_always_wakes_itself_can_be_cancelled() {
    let spinning = spawn(|| {
        block_on(poll_fn(|context| {
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        }));
    });
    yield_now();
    spinning.cancel();
    assert!(spinning.join().unwrap_err().is_cancelled());
}

#[test]
#[apply(on_workers)]
fn one_that_is_woken_and_cancelled_at_once_is_cancelled() {
    let letterbox = Letterbox::default();
    let own = letterbox.clone();
    let waiting = spawn(move || block_on(own));
    yield_now();
    letterbox.put(1);
    waiting.cancel();
    assert!(waiting.join().unwrap_err().is_cancelled());
    // Nobody took it.
    assert_eq!(block_on(letterbox), 1);
}

#[test]
#[apply(on_roots)]
fn a_timeout_cuts_a_future_short() {
    virtually(|| {
        timeout(Duration::from_secs(1), || block_on(pending::<()>())).unwrap_err();
    });
}

#[test]
#[apply(on_workers)]
fn a_panic_of_the_future_comes_out() {
    let text = panic_text(|| block_on(async { panic!("from inside") }));
    assert_eq!(text, "from inside");
}

#[test]
#[apply(on_workers)]
fn it_nests() {
    let letterbox = Letterbox::default();
    let own = letterbox.clone();
    let waiting = spawn(move || block_on(async { block_on(own) + 1 }));
    yield_now();
    letterbox.put(1);
    assert_eq!(waiting.join().unwrap(), 2);
}

#[test]
#[apply(on_workers)]
fn nested_ones_do_not_take_each_others_wakes() {
    let (inner, outer) = (Letterbox::default(), Letterbox::default());
    let (own_inner, mut own_outer) = (inner.clone(), outer.clone());
    let waiting = spawn(move || {
        block_on(async {
            // The outer one's waker lies there before the inner one waits.
            let once =
                poll_fn(|context| Poll::Ready(std::pin::Pin::new(&mut own_outer).poll(context)));
            assert!(once.await.is_pending());
            block_on(own_inner) + own_outer.await
        })
    });
    yield_now();
    outer.put(10);
    yield_now();
    assert!(!waiting.is_finished());
    inner.put(1);
    assert_eq!(waiting.join().unwrap(), 11);
}

#[test]
#[apply(on_roots)]
fn a_future_may_block_its_green_thread_itself() {
    virtually(|| {
        block_on(async { sleep(Duration::from_secs(1)) });
    });
}

#[test]
#[apply(on_roots)]
fn silence_in_it_is_a_deadlock_that_says_so() {
    let text = panic_text(|| virtually(|| block_on(pending::<()>())));
    assert!(text.contains("waits in future::block_on"), "{text}");
}

/// Two OS threads hand a number to and fro: each wake races the other side's park.
#[test]
#[apply(on_workers)]
fn no_wake_is_lost_when_it_races_the_park() {
    const ROUNDS: u32 = 20_000;
    let (there, back) = (Letterbox::default(), Letterbox::default());
    let (start, own_there, own_back) = (Arc::new(Barrier::new(2)), there.clone(), back.clone());
    let gate = Arc::clone(&start);
    let other = std::thread::spawn(move || {
        gate.wait();
        for _ in 0..ROUNDS {
            let number = block_on(own_there.clone());
            own_back.put(number + 1);
        }
    });
    start.wait();
    let mut number = 0;
    for _ in 0..ROUNDS {
        there.put(number);
        number = block_on(back.clone());
    }
    assert_eq!(number, ROUNDS);
    other.join().unwrap();
}

#[test]
#[apply(on_workers)]
fn many_at_once_on_one_os_thread() {
    let done = Arc::new(AtomicU32::new(0));
    let letterboxes: Vec<Letterbox> = (0..1000).map(|_| Letterbox::default()).collect();
    scope(|s| {
        for letterbox in &letterboxes {
            let done = &done;
            s.spawn(move || done.fetch_add(block_on(letterbox.clone()), Ordering::Relaxed));
        }
        yield_now();
        letterboxes.iter().for_each(|letterbox| letterbox.put(1));
    });
    assert_eq!(done.load(Ordering::Relaxed), 1000);
}

use std::future::Future;
