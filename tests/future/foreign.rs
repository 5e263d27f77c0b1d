//! Wakers of somebody else's make, which run code of his: never in the loop (L18).

use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use greenthread::{current, spawn, yield_now};

/// A waker that waits itself, and notes where.
#[derive(Default)]
struct Waits(Mutex<Vec<u64>>);

impl Wake for Waits {
    fn wake(self: Arc<Self>) {
        yield_now();
        self.0.lock().unwrap().push(current().id());
    }
}

#[test]
#[apply(on_workers)]
fn l18_a_foreign_waker_that_waits_runs_on_a_green_thread() {
    let waits = Arc::new(Waits::default());
    let waker = Waker::from(Arc::clone(&waits));
    let root = current().id();
    let child = spawn(|| ());
    let mut future = pin!(child.into_future());
    assert!(
        future
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    while waits.0.lock().unwrap().is_empty() {
        yield_now();
    }
    assert_ne!(waits.0.lock().unwrap()[0], root);
}

/// A waker that panics.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("a waker that panics (this test means it to)");
    }
}

#[test]
#[apply(on_workers)]
fn l18_a_foreign_waker_that_panics_harms_nobody() {
    let waker = Waker::from(Arc::new(Panics));
    let child = spawn(|| 3);
    let mut future = Box::pin(child.into_future());
    assert!(
        future
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    assert_eq!(greenthread::future::block_on(future).unwrap(), 3);
    yield_now();
}
