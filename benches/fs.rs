//! A big sequential copy, beside std's, and what one trip to the blocking pool costs.
//!
//! Two places: the folder for temporary files, and `/dev/shm`, whose file system cannot be asked for what the page cache holds, so that every read is a trip to the pool. The ratios at the
//! end are paired: std's copy and ours take turns, and the median of the quotients is printed, so that what else the machine does weighs on both.

#![allow(
    missing_docs,
    reason = "criterion's macros write undocumented functions"
)]
#![expect(unsafe_code, reason = "reads the CPU clock of the process")]

use std::fs as std_fs;
use std::hint::black_box;
use std::io::{self as std_io, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use greenthread::{fs, io, run};

/// The size of the file that is copied, in bytes.
const SIZE: usize = 64 << 20;

/// What a hand-written copy moves at once, in bytes.
const CHUNK: usize = 1 << 20;

/// How often each of two copies that are compared is made.
const ROUNDS: usize = 21;

/// A file of the size, and where its copies go.
struct Place {
    _folder: fs::TempDir,
    from: PathBuf,
    to: PathBuf,
}

impl Place {
    fn in_folder(folder: &Path) -> Option<Self> {
        let folder = fs::TempDir::new_in(folder).ok()?;
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        std_fs::write(&from, vec![b'.'; SIZE]).ok()?;
        Some(Place {
            _folder: folder,
            from,
            to,
        })
    }
}

/// The places that there are.
fn places() -> Vec<(&'static str, Place)> {
    let disk = Place::in_folder(&std::env::temp_dir()).map(|place| ("disk", place));
    let memory = Place::in_folder(Path::new("/dev/shm")).map(|place| ("memory", place));
    disk.into_iter().chain(memory).collect()
}

/// Reads and writes in turn, as any program does that looks at what it moves.
fn by_hand(mut from: impl Read, mut to: impl Write, chunk: usize) {
    let mut chunk = vec![0; chunk];
    loop {
        match from.read(&mut chunk).unwrap() {
            0 => return,
            some => to.write_all(&chunk[..some]).unwrap(),
        }
    }
}

fn std_by_hand(place: &Place) {
    let from = std_fs::File::open(&place.from).unwrap();
    by_hand(from, std_fs::File::create(&place.to).unwrap(), CHUNK);
}

fn our_by_hand(place: &Place) {
    let from = fs::File::open(&place.from).unwrap();
    by_hand(from, fs::File::create(&place.to).unwrap(), CHUNK);
}

fn std_io_copy(place: &Place) {
    let mut from = std_fs::File::open(&place.from).unwrap();
    let mut to = std_fs::File::create(&place.to).unwrap();
    black_box(std_io::copy(&mut from, &mut to).unwrap());
}

fn our_io_copy(place: &Place) {
    let mut from = fs::File::open(&place.from).unwrap();
    let mut to = fs::File::create(&place.to).unwrap();
    black_box(io::copy(&mut from, &mut to).unwrap());
}

fn std_fs_copy(place: &Place) {
    black_box(std_fs::copy(&place.from, &place.to).unwrap());
}

fn our_fs_copy(place: &Place) {
    black_box(fs::copy(&place.from, &place.to).unwrap());
}

/// A copy by std, the same by us, and what it is called.
type Pair = (&'static str, fn(&Place), fn(&Place));

const PAIRS: [Pair; 4] = [
    ("reads and writes of 1 MiB", std_by_hand, our_by_hand),
    (
        "io::copy, std's by reads and writes of 1 MiB",
        std_by_hand,
        our_io_copy,
    ),
    ("io::copy", std_io_copy, our_io_copy),
    ("fs::copy", std_fs_copy, our_fs_copy),
];

/// What a copy takes, in seconds: by the clock on the wall, and of the CPU, on all OS threads of the process.
struct Took {
    wall: f64,
    cpu: f64,
}

fn take(copy: fn(&Place), place: &Place) -> Took {
    let (begun, spent) = (Instant::now(), cpu_seconds());
    copy(place);
    Took {
        wall: begun.elapsed().as_secs_f64(),
        cpu: cpu_seconds() - spent,
    }
}

fn cpu_seconds() -> f64 {
    let mut spent = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: it writes to the one struct that it is given.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut spent) };
    assert_eq!(failed, 0, "{}", std_io::Error::last_os_error());
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

/// How many times as fast as std's ours is, and how much of std's CPU time it takes.
fn paired(place: &Place, std: fn(&Place), ours: fn(&Place)) -> (f64, f64) {
    let pairs: Vec<(Took, Took)> = (0..ROUNDS)
        .map(|round| {
            let [first, second] = if round % 2 == 0 {
                [std, ours]
            } else {
                [ours, std]
            };
            let (first, second) = (take(first, place), take(second, place));
            if round % 2 == 0 {
                (first, second)
            } else {
                (second, first)
            }
        })
        .collect();
    let speed = median(pairs.iter().map(|(std, ours)| std.wall / ours.wall));
    let cpu = median(pairs.iter().map(|(std, ours)| ours.cpu / std.cpu));
    (speed, cpu)
}

fn median(quotients: impl Iterator<Item = f64>) -> f64 {
    let mut quotients: Vec<f64> = quotients.collect();
    quotients.sort_unstable_by(f64::total_cmp);
    quotients[quotients.len() / 2]
}

fn copies(criterion: &mut Criterion) {
    for (name, place) in &places() {
        let mut group = criterion.benchmark_group(format!("copy on {name}"));
        group
            .throughput(Throughput::Bytes(SIZE as u64))
            .sample_size(10);
        group.bench_function("std, by hand", |bencher| {
            bencher.iter(|| std_by_hand(place))
        });
        group.bench_function("ours, by hand", |bencher| {
            bencher.iter(|| our_by_hand(place))
        });
        group.bench_function("std::io::copy", |bencher| {
            bencher.iter(|| std_io_copy(place))
        });
        group.bench_function("io::copy", |bencher| bencher.iter(|| our_io_copy(place)));
        group.bench_function("std::fs::copy", |bencher| {
            bencher.iter(|| std_fs_copy(place))
        });
        group.bench_function("fs::copy", |bencher| bencher.iter(|| our_fs_copy(place)));
        group.finish();
    }
}

fn trip(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a short call");
    group.bench_function("std::fs::exists", |bencher| {
        bencher.iter(|| black_box(std_fs::exists("/").unwrap()));
    });
    group.bench_function("fs::exists", |bencher| {
        bencher.iter(|| black_box(fs::exists("/").unwrap()));
    });
    group.finish();
}

fn ratios(_: &mut Criterion) {
    for (name, place) in &places() {
        for (what, std, ours) in PAIRS {
            let (speed, cpu) = run(|| paired(place, std, ours));
            println!("{what}, on {name}: {speed:.2} x std's speed, {cpu:.2} x its CPU time");
        }
    }
}

criterion_group!(benches, copies, trip, ratios);
criterion_main!(benches);
