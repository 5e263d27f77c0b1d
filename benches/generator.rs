//! Generators beside the bare switch (corosensei alone) in the same run: a round trip, and a whole short life.

#![allow(
    missing_docs,
    reason = "criterion's macros write undocumented functions"
)]

use std::hint::black_box;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult};
use criterion::{Criterion, criterion_group, criterion_main};
use greenthread::generator::{Generator, GeneratorState};

/// One value in, one value out.
fn round_trip(c: &mut Criterion) {
    let mut group = c.benchmark_group("generator round trip");
    let mut floor = Coroutine::new(|y, mut sent: usize| -> () {
        loop {
            sent = y.suspend(sent);
        }
    });
    group.bench_function("floor", |b| {
        b.iter(|| match floor.resume(black_box(1)) {
            CoroutineResult::Yield(out) => out,
            CoroutineResult::Return(()) => unreachable!(),
        });
    });
    std::mem::forget(floor);
    let echo = Generator::new(|y| -> () {
        let mut sent = 0_usize;
        loop {
            sent = y.yield_(sent);
        }
    });
    echo.start();
    group.bench_function("greenthread", |b| {
        b.iter(|| match echo.send(black_box(1)) {
            GeneratorState::Yielded(out) => out,
            GeneratorState::Complete(()) => unreachable!(),
        });
    });
    group.finish();
}

/// Made, run to its first and last yield, ended, dropped.
fn life(c: &mut Criterion) {
    let mut group = c.benchmark_group("generator life");
    let mut warm = Some(DefaultStack::default());
    group.bench_function("floor", |b| {
        b.iter(|| {
            let seed = black_box(1_usize);
            let body = move |_: &corosensei::Yielder<(), ()>, ()| seed + 1;
            let mut coroutine = Coroutine::with_stack(warm.take().unwrap(), body);
            let ret = coroutine.resume(()).as_return();
            warm = Some(coroutine.into_stack());
            ret
        });
    });
    group.bench_function("greenthread", |b| {
        b.iter(|| {
            let seed = black_box(1_usize);
            let generator: Generator<(), (), usize> = Generator::new(move |_| seed + 1);
            generator.start().complete()
        });
    });
    group.finish();
}

criterion_group!(benches, round_trip, life);
criterion_main!(benches);
