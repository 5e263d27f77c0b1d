//! What recording costs: switches and marks without and with it, in one run.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use greenthread::trace::{self, Recording};
use greenthread::{run, spawn, yield_now};

/// Yields in one measured round, half of them by each of two green threads.
const YIELDS: u64 = 1_000;

fn yields() {
    let two = [(); 2].map(|()| spawn(|| (0..YIELDS / 2).for_each(|_| yield_now())));
    for one in two {
        one.join().unwrap();
    }
}

fn marks() {
    for _ in 0..YIELDS {
        trace::mark(black_box("here"));
    }
}

/// Both of these are two events a yield (it stops, the next one runs), and one a mark.
fn recording(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("recording");
    group.throughput(Throughput::Elements(YIELDS));
    for (name, work) in [("yield_now", yields as fn()), ("mark", marks)] {
        group.bench_function(format!("{name}/off"), |bencher| {
            run(|| bencher.iter(work));
        });
        group.bench_function(format!("{name}/on"), |bencher| {
            run(|| {
                let recording = Recording::start();
                bencher.iter(work);
                drop(recording);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, recording);
criterion_main!(benches);
