//! Futures on green threads, and green threads in futures.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod awaiting;
mod blocking;
mod foreign;
mod sleeping;

#[cfg(feature = "futures-io")]
mod futures_io;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "tokio")]
mod tokio;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use support::everywhere::virtual_time as virtually;

/// Where a test and a future meet: what is put in, and the waker of who waits for it.
#[derive(Clone, Default)]
struct Letterbox(Arc<Mutex<(Option<u32>, Option<Waker>)>>);

impl Letterbox {
    /// Puts a letter in and wakes whoever waits.
    fn put(&self, letter: u32) {
        let waker = {
            let mut held = self.0.lock().unwrap();
            held.0 = Some(letter);
            held.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether somebody waits.
    fn is_awaited(&self) -> bool {
        self.0.lock().unwrap().1.is_some()
    }
}

impl Future for Letterbox {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        let mut held = self.0.lock().unwrap();
        match held.0.take() {
            Some(letter) => Poll::Ready(letter),
            None => {
                held.1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// A waker of somebody else's make, which counts.
#[derive(Default)]
struct Count(AtomicUsize);

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Two futures at once, as `join!` of other crates does it.
async fn both<A: Future, B: Future>(first: A, second: B) -> (A::Output, B::Output) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let (mut one, mut other) = (None, None);
    std::future::poll_fn(|context| {
        if one.is_none()
            && let Poll::Ready(output) = first.as_mut().poll(context)
        {
            one = Some(output);
        }
        if other.is_none()
            && let Poll::Ready(output) = second.as_mut().poll(context)
        {
            other = Some(output);
        }
        match (one.take(), other.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            (first, second) => {
                (one, other) = (first, second);
                Poll::Pending
            }
        }
    })
    .await
}
