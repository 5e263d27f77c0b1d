//! What switching and spawning cost on one OS thread, beside corosensei alone in the same run; and spawning on workers.

#![expect(
    unsafe_code,
    reason = "resets the floor's coroutines, and lends the bencher to a green thread"
)]

use std::collections::VecDeque;
use std::hint::black_box;

use corosensei::{Coroutine, CoroutineResult};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use greenthread::{Runtime, run, spawn, spawn_anywhere, yield_now};

/// Resumes of each coroutine in one measured round.
const ROUNDS: u64 = 100;

/// A first-in first-out queue of bare coroutines: the least that any scheduler does.
fn floor_round(ready: &mut VecDeque<Coroutine<(), (), ()>>, resumes: u64) {
    for _ in 0..resumes {
        if let Some(mut coroutine) = ready.pop_front()
            && let CoroutineResult::Yield(()) = coroutine.resume(())
        {
            ready.push_back(coroutine);
        }
    }
}

fn yields(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("yield_now");
    for count in [2u64, 1_000] {
        group.throughput(Throughput::Elements(count * ROUNDS));
        group.bench_function(BenchmarkId::new("floor", count), |bencher| {
            let mut ready: VecDeque<_> = (0..count)
                .map(|_| {
                    Coroutine::new(|yielder, ()| {
                        loop {
                            yielder.suspend(());
                        }
                    })
                })
                .collect();
            bencher.iter(|| floor_round(&mut ready, count * ROUNDS));
            for mut coroutine in ready {
                // SAFETY: the endless loop above holds nothing that wants dropping.
                unsafe { coroutine.force_reset() };
            }
        });
        group.bench_function(BenchmarkId::new("greenthread", count), |bencher| {
            run(|| {
                for _ in 0..count - 1 {
                    drop(spawn(|| {
                        loop {
                            yield_now();
                        }
                    }));
                }
                let driver = spawn_driver(bencher);
                driver.join().unwrap();
            });
        });
    }
    group.finish();
}

/// The measured rounds, driven by one of the green threads: each of its yields resumes all the others once.
fn spawn_driver(bencher: &mut criterion::Bencher<'_>) -> greenthread::JoinHandle<()> {
    let bencher: *mut criterion::Bencher<'static> = std::ptr::from_mut(bencher).cast();
    spawn(move || {
        // SAFETY: joined by the caller while it lends the bencher.
        let bencher = unsafe { &mut *bencher };
        bencher.iter(|| {
            for _ in 0..ROUNDS {
                yield_now();
            }
        });
    })
}

fn spawns(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("spawn_join");
    group.throughput(Throughput::Elements(1));
    group.bench_function("one", |bencher| {
        bencher.iter(|| spawn(|| black_box(1)).join().unwrap());
    });
    group.throughput(Throughput::Elements(100_000));
    group.sample_size(20);
    group.bench_function("100000", |bencher| {
        bencher.iter(|| {
            let handles: Vec<_> = (0..100_000u64).map(|i| spawn(move || i)).collect();
            handles.into_iter().map(|h| h.join().unwrap()).sum::<u64>()
        });
    });
    group.finish();
}

/// From the root to one of two workers and back, time that passes.
fn spawns_anywhere(criterion: &mut Criterion) {
    let runtime = Runtime::builder().workers(2).build().unwrap();
    runtime.run(|| {
        criterion.bench_function("spawn_anywhere_join/one", |bencher| {
            bencher.iter(|| spawn_anywhere(|| black_box(1)).join().unwrap());
        });
    });
}

criterion_group!(benches, yields, spawns, spawns_anywhere);
criterion_main!(benches);
