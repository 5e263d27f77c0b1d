//! What stacks cost: spawning many, and the first run on a fresh stack and on a warm one beside the kernel's own page fault.

use std::hint::black_box;
use std::rc::Rc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use greenthread::sync::Event;
use greenthread::{JoinHandle, release_memory, spawn, yield_now};

/// Stacks in one measurement of a first run.
const STACKS: usize = 4_096;

/// Bytes from one default stack to the next.
const STRIDE: usize = 256 * 1024;

/// Green threads that end at their first run: they share one warm stack.
fn spawns(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("spawn_short");
    group.sample_size(10);
    for count in [10_000_u64, 100_000, 1_000_000] {
        group.throughput(Throughput::Elements(count));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| {
                let handles: Vec<_> = (0..count).map(|i| spawn(move || i)).collect();
                handles
                    .into_iter()
                    .map(|one| one.join().unwrap())
                    .sum::<u64>()
            });
        });
    }
    group.finish();
}

fn first_runs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("first_run");
    group.sample_size(20);
    group.throughput(Throughput::Elements(STACKS as u64));
    group.bench_function("page_fault", |bencher| {
        bencher.iter_custom(|rounds| (0..rounds).map(|_| page_faults()).sum());
    });
    group.bench_function("fresh", |bencher| {
        bencher.iter_custom(|rounds| (0..rounds).map(|_| on_new_thread(fresh)).sum());
    });
    group.bench_function("warm", |bencher| {
        bencher.iter_custom(|rounds| (0..rounds).map(|_| on_new_thread(warm)).sum());
    });
    group.finish();
}

/// An OS thread whose pool is empty.
fn on_new_thread(f: fn() -> Duration) -> Duration {
    std::thread::spawn(f).join().unwrap()
}

/// The first touch of as many pages, as far from each other as the tops of stacks.
#[expect(unsafe_code, reason = "maps memory to touch it")]
fn page_faults() -> Duration {
    let bytes = STACKS * STRIDE;
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a fresh mapping at an address of the kernel's choice.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), bytes, access, flags, -1, 0) };
    assert_ne!(start, libc::MAP_FAILED);
    // SAFETY: as the pool does it.
    unsafe { libc::madvise(start, bytes, libc::MADV_NOHUGEPAGE) };
    let begin = Instant::now();
    for stack in 1..=STACKS {
        let top = start.cast::<u8>().wrapping_add(stack * STRIDE - 64);
        // SAFETY: inside the mapping.
        unsafe { top.write_volatile(1) };
    }
    let elapsed = begin.elapsed();
    // SAFETY: the mapping from above.
    unsafe { libc::munmap(start, bytes) };
    elapsed
}

/// The first runs on stacks that were never used.
fn fresh() -> Duration {
    spawn(|| ()).join().unwrap();
    let (elapsed, parked) = first_run_of_all();
    end(parked);
    elapsed
}

/// The first runs on stacks that others have just left.
fn warm() -> Duration {
    let (_, parked) = first_run_of_all();
    end(parked);
    let (elapsed, parked) = first_run_of_all();
    end(parked);
    elapsed
}

/// What waits, and what for.
type Parked = (Rc<Event>, Vec<JoinHandle<()>>);

fn first_run_of_all() -> (Duration, Parked) {
    let go = Rc::new(Event::new());
    let spawn_one = |_| {
        let go = go.clone();
        spawn(move || go.wait())
    };
    let handles: Vec<_> = (0..STACKS).map(spawn_one).collect();
    let begin = Instant::now();
    // All of them run to their wait.
    yield_now();
    (begin.elapsed(), (go.clone(), black_box(handles)))
}

fn end((go, handles): Parked) {
    go.set();
    handles.into_iter().for_each(|one| one.join().unwrap());
    yield_now();
}

/// Parking and waking as many as there are, with their memory taken anew each time, and kept.
fn bursts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("burst");
    group.sample_size(10);
    group.throughput(Throughput::Elements(10_000));
    let burst = || {
        let go = Rc::new(Event::new());
        let handles: Vec<_> = (0..10_000)
            .map(|_| {
                let go = go.clone();
                spawn(move || go.wait())
            })
            .collect();
        yield_now();
        end((go, handles));
    };
    group.bench_function("memory_kept", |bencher| bencher.iter(burst));
    group.bench_function("memory_returned", |bencher| {
        bencher.iter(|| {
            burst();
            release_memory();
        });
    });
    group.finish();
}

criterion_group!(benches, spawns, first_runs, bursts);
criterion_main!(benches);
