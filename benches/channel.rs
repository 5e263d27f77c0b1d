//! What a message through a channel costs on one OS thread, beside the least that it could: a `VecDeque` and two bare corosensei coroutines; and from one OS thread to another.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::hint::black_box;
use std::rc::Rc;

use corosensei::Coroutine;
use criterion::{Bencher, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use greenthread::channel::{Receiver, Sender, bounded, unbounded};
use greenthread::sync::{Mutex, Queue, Semaphore};
use greenthread::{Runtime, run, spawn, spawn_anywhere};

/// Messages in one measured round.
const MESSAGES: u64 = 64 * 100;

/// Two coroutines that take turns: one fills the queue, the other empties it.
fn floor(bencher: &mut Bencher<'_>, capacity: usize) {
    let queue = Rc::new(RefCell::new(VecDeque::with_capacity(capacity)));
    let own = Rc::clone(&queue);
    let mut sender: Coroutine<(), (), ()> = Coroutine::new(move |yielder, ()| {
        for n in 0u64.. {
            while own.borrow().len() == capacity {
                yielder.suspend(());
            }
            own.borrow_mut().push_back(n);
        }
    });
    let own = Rc::clone(&queue);
    let mut receiver: Coroutine<(), (), ()> = Coroutine::new(move |yielder, ()| {
        loop {
            let message = own.borrow_mut().pop_front();
            match message {
                Some(message) => drop(black_box(message)),
                None => yielder.suspend(()),
            }
        }
    });
    bencher.iter(|| {
        for _ in 0..MESSAGES / capacity as u64 {
            sender.resume(());
            receiver.resume(());
        }
    });
    for coroutine in [&mut sender, &mut receiver] {
        #[expect(unsafe_code, reason = "gives the floor's stacks back")]
        // SAFETY: what the endless loops hold may be leaked.
        unsafe {
            coroutine.force_reset();
        }
    }
}

/// One green thread sends for ever, the root hands the bencher to another that receives.
fn channel(bencher: &mut Bencher<'_>, capacity: usize) {
    run(|| {
        let (sender, receiver) = bounded(capacity);
        drop(spawn(move || (0u64..).all(|n| sender.send(n).is_ok())));
        in_green_thread(bencher, move || {
            for _ in 0..MESSAGES {
                black_box(receiver.recv().unwrap());
            }
        });
    });
}

/// A worker sends until nobody receives, a green thread of this OS thread receives.
fn across(bencher: &mut Bencher<'_>, (sender, receiver): (Sender<u64>, Receiver<u64>)) {
    let runtime = Runtime::builder().workers(1).build().unwrap();
    runtime.run(|| {
        let sending = spawn_anywhere(move || (0u64..).all(|n| sender.send(n).is_ok()));
        in_green_thread(bencher, move || {
            for _ in 0..MESSAGES {
                black_box(receiver.recv().unwrap());
            }
        });
        assert!(!sending.join().unwrap());
    });
}

fn queue(bencher: &mut Bencher<'_>, capacity: usize) {
    run(|| {
        let queue = Rc::new(Queue::bounded(capacity));
        let own = Rc::clone(&queue);
        drop(spawn(move || (0u64..).all(|n| own.put(n).is_ok())));
        in_green_thread(bencher, move || {
            for _ in 0..MESSAGES {
                black_box(queue.get().unwrap());
            }
        });
    });
}

fn in_green_thread(bencher: &mut Bencher<'_>, mut round: impl FnMut() + 'static) {
    let bencher: *mut Bencher<'static> = std::ptr::from_mut(bencher).cast();
    let driver = spawn(move || {
        #[expect(
            unsafe_code,
            reason = "lends the bencher to a green thread that is joined"
        )]
        // SAFETY: joined below, while the caller lends the bencher.
        let bencher = unsafe { &mut *bencher };
        bencher.iter(&mut round);
    });
    driver.join().unwrap();
}

fn channels(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("channel");
    group.throughput(Throughput::Elements(MESSAGES));
    for capacity in [1, 64] {
        group.bench_function(BenchmarkId::new("floor", capacity), |bencher| {
            floor(bencher, capacity);
        });
        group.bench_function(BenchmarkId::new("channel", capacity), |bencher| {
            channel(bencher, capacity);
        });
        group.bench_function(BenchmarkId::new("queue", capacity), |bencher| {
            queue(bencher, capacity);
        });
    }
    group.bench_function(BenchmarkId::new("channel", 0), |bencher| {
        channel(bencher, 0)
    });
    group.finish();
}

fn channels_across(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("channel_across");
    group.throughput(Throughput::Elements(MESSAGES));
    for capacity in [1, 64] {
        group.bench_function(BenchmarkId::new("channel", capacity), |bencher| {
            across(bencher, bounded(capacity));
        });
    }
    group.bench_function("unbounded", |bencher| across(bencher, unbounded()));
    group.finish();
}

fn uncontended(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("uncontended");
    let (mutex, semaphore) = (Mutex::new(0u64), Semaphore::new(1));
    group.bench_function("mutex", |bencher| bencher.iter(|| *mutex.lock() += 1));
    group.bench_function("semaphore", |bencher| {
        bencher.iter(|| drop(semaphore.acquire()));
    });
    group.finish();
}

criterion_group!(benches, channels, channels_across, uncontended);
criterion_main!(benches);
