//! A handle that is awaited.

use std::future::{Future, IntoFuture};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use greenthread::future::block_on;
use greenthread::{Runtime, channel, park, spawn, spawn_anywhere, yield_now};

use crate::support::{Counted, panic_text};
use crate::{Count, both};

#[test]
#[apply(on_workers)]
fn an_awaited_handle_gives_the_result() {
    let child = spawn(|| {
        yield_now();
        Rc::new(5)
    });
    let result = block_on(async { child.await });
    assert_eq!(*result.unwrap(), 5);
}

#[test]
#[apply(on_workers)]
fn it_gives_the_panic_and_the_cancellation() {
    let panics = spawn(|| panic!("inside"));
    let cancelled = spawn(park);
    cancelled.cancel();
    let (panics, cancelled) = block_on(both(panics.into_future(), cancelled.into_future()));
    assert!(panics.unwrap_err().is_panic());
    assert!(cancelled.unwrap_err().is_cancelled());
}

#[test]
#[apply(on_workers)]
fn one_that_has_ended_already_is_ready_at_once() {
    let child = spawn(|| 6);
    while !child.is_finished() {
        yield_now();
    }
    yield_now();
    let mut future = pin!(child.into_future());
    let ready = future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(ready, Poll::Ready(Ok(6))));
}

#[test]
#[apply(on_workers)]
fn it_is_awaited_by_a_foreign_executor_on_another_os_thread() {
    let (sender, receiver) = channel::bounded(1);
    let child = spawn(move || receiver.recv().unwrap());
    let foreign = std::thread::spawn(move || futures_executor(child.into_future()));
    sender.send(7).unwrap();
    // The event loop of this OS thread must run for its green threads to go on.
    while !foreign.is_finished() {
        yield_now();
    }
    assert_eq!(foreign.join().unwrap().unwrap(), 7);
}

/// An executor that stops its OS thread, as those of other crates do.
fn futures_executor<F: Future>(future: F) -> F::Output {
    struct Unparks(std::thread::Thread);
    impl std::task::Wake for Unparks {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unparks(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
#[apply(on_roots)]
fn green_threads_of_workers_are_awaited_and_run_futures() {
    let runtime = Runtime::builder().workers(2).only_our_threads().build();
    let sum = runtime.unwrap().run(|| {
        let part = |n: u32| move || block_on(async { spawn(move || n).await.unwrap() });
        let parts: Vec<_> = (0..100).map(|n| spawn_anywhere(part(n))).collect();
        block_on(async {
            let mut sum = 0;
            for part in parts {
                sum += part.await.unwrap();
            }
            sum
        })
    });
    assert_eq!(sum, 99 * 100 / 2);
}

#[test]
#[apply(on_workers)]
fn dropping_the_future_detaches() {
    let counted = Counted::new();
    let own = counted.clone();
    let child = spawn(move || {
        yield_now();
        drop(own);
    });
    let mut future = child.into_future();
    let polled = Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    drop(future);
    assert_eq!(counted.alive(), 2);
    while counted.alive() > 1 {
        yield_now();
    }
}

#[test]
#[apply(on_workers)]
fn the_last_waker_is_the_one_that_is_woken() {
    let counts = [(); 2].map(|()| Arc::new(Count::default()));
    let child = spawn(|| ());
    let mut future = pin!(child.into_future());
    for count in &counts {
        let waker = Waker::from(Arc::clone(count));
        assert!(
            future
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    while counts[1].get() == 0 {
        yield_now();
    }
    assert_eq!(counts.map(|count| count.get()), [0, 1]);
}

#[test]
#[apply(on_workers)]
fn callbacks_come_before_whoever_awaits() {
    let (sender, receiver) = channel::unbounded();
    let child = spawn(|| 1);
    child.on_finish(move |result| sender.send(*result.as_ref().unwrap()).unwrap());
    block_on(child.into_future()).unwrap();
    assert_eq!(receiver.try_recv(), Ok(1));
}

#[test]
#[apply(on_workers)]
fn one_whose_os_thread_has_gone_is_abandoned() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let (polled, may_end) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || {
        sender.send(spawn(park)).unwrap();
        yield_now();
        may_end.recv().unwrap();
    });
    let mut future = receiver.recv().unwrap().into_future();
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let first = Pin::new(&mut future).poll(&mut Context::from_waker(&waker));
    assert!(first.is_pending());
    polled.send(()).unwrap();
    other.join().unwrap();
    let error = block_on(future).unwrap_err();
    assert!(error.is_abandoned());
    while count.get() == 0 {
        std::thread::yield_now();
    }
}

#[test]
#[apply(on_workers)]
fn awaiting_oneself_is_a_panic() {
    let (sender, receiver) = channel::bounded(1);
    let child = spawn(move || {
        let own: greenthread::JoinHandle<String> = receiver.recv().unwrap();
        panic_text(|| block_on(own.into_future()))
    });
    let id = child.thread().clone();
    sender.send(child).unwrap();
    while !id.is_finished() {
        yield_now();
    }
}
