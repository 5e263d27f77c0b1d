//! A moment to wait for.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use greenthread::future::{Executor, block_on, sleep, sleep_until};
use greenthread::{Runtime, time, yield_now};

use crate::{both, virtually};

const SECOND: Duration = Duration::from_secs(1);

#[test]
#[apply(on_roots)]
fn it_is_ready_at_its_moment() {
    virtually(|| {
        let before = time::now();
        block_on(sleep(3 * SECOND));
        assert_eq!(time::now() - before, 3 * SECOND);
    });
}

#[test]
#[apply(on_workers)]
fn one_in_the_past_is_ready_at_once() {
    let mut past = pin!(sleep_until(time::now()));
    assert!(
        past.as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    );
}

#[test]
#[apply(on_roots)]
fn two_at_once_take_as_long_as_the_longer() {
    virtually(|| {
        let before = time::now();
        block_on(both(sleep(SECOND), sleep(2 * SECOND)));
        assert_eq!(time::now() - before, 2 * SECOND);
    });
}

#[test]
#[apply(on_roots)]
fn one_that_is_dropped_leaves_nobody_behind() {
    virtually(|| {
        let before = time::now();
        let mut dropped = Box::pin(sleep(Duration::MAX));
        let polled = dropped
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(polled, Poll::Pending);
        yield_now();
        drop(dropped);
        yield_now();
        // Were it still there, the clock would have somewhere to jump.
        assert_eq!(time::now(), before);
    });
}

#[test]
#[apply(on_roots)]
fn one_that_is_polled_on_the_one_and_then_on_another_os_thread_is_ready_there() {
    let mut moved = Box::pin(sleep(Duration::from_millis(20)));
    let moved = std::thread::spawn(move || {
        let polled = moved.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        yield_now();
        moved
    });
    // Its alarm is abandoned with that OS thread: the rest is waited for here.
    block_on(moved.join().unwrap());
}

#[test]
#[apply(on_roots)]
fn an_executor_runs_futures_side_by_side() {
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    runtime.run(|| {
        let before = time::now();
        let futures = [3, 1, 2].map(|n| {
            Executor.spawn(async move {
                sleep(n * SECOND).await;
                n
            })
        });
        let ended = futures.map(|handle| handle.join().unwrap());
        assert_eq!((ended, time::now() - before), ([3, 1, 2], 3 * SECOND));
    });
}

#[test]
#[apply(on_workers)]
fn it_may_be_sent_and_shared() {
    fn check<T: Send + Sync + Future + Unpin>(_: T) {}
    check(sleep(SECOND));
}
