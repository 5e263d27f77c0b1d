//! A million green threads, parked at once on one OS thread: what they cost, and that each of them still answers.
//!
//! ```sh
//! cargo run --release --example million                    # a million, or as many as memory allows
//! cargo run --release --example million -- 100000
//! cargo run --release --example million -- 1000000 65536   # each on a stack of 64 KiB
//! ```
//!
//! Page tables cost the stack's size / 512, whether it is touched or not: smaller stacks pay less for them.
//!
//! Every other one waits on a channel of its own, the rest on a timer an hour away. They are woken in random order, each with a number of its own, and return it;
//! the sum must be right. At the end the memory must be back.

use std::cell::Cell;
use std::env;
use std::fs;
use std::process::{ExitCode, exit};
use std::rc::Rc;
use std::time::{Duration, Instant};

use greenthread::channel::oneshot;
use greenthread::{JoinHandle, Runtime, park_timeout, sleep, spawn, stats, yield_now};
use indicatif::{ProgressBar, ProgressStyle};

/// How many, if nobody says and memory allows.
const MILLION: usize = 1_000_000;

/// Bytes of memory that one is expected to take: a page, page tables, a control block, and room to spare.
const EXPECTED: usize = 5 * 1024;

/// How many are spawned before they run.
const BATCH: usize = 10_000;

/// One that waits, and what it waits for.
struct Parked {
    /// Ends with the number that it was sent.
    handle: JoinHandle<u64>,

    /// What it waits for.
    waits_for: Waking,
}

/// What one waits for.
enum Waking {
    /// A message.
    Message(oneshot::Sender<u64>),

    /// A moment that does not come: it is unparked before, with its number here.
    Moment(Rc<Cell<u64>>),
}

/// When the timers would fire.
const HOUR: Duration = Duration::from_secs(3600);

fn main() -> ExitCode {
    let count = affordable(wanted());
    let mut runtime = Runtime::builder();
    if let Some(bytes) = argument(2) {
        runtime = runtime.stack_size(bytes);
    }
    match runtime.build() {
        Ok(runtime) => runtime.run(|| park_and_wake(count)),
        Err(error) => {
            eprintln!("million: {error}");
            ExitCode::FAILURE
        }
    }
}

fn park_and_wake(count: usize) -> ExitCode {
    // What the first green thread brings with it is there before anything is measured.
    spawn(|| ()).join().expect("one green thread");
    let before = Memory::now();

    let begin = Instant::now();
    let parked = park_all(count);
    say_spawned(count, begin.elapsed(), &before);

    let begin = Instant::now();
    let sum = wake_all(parked);
    let elapsed = begin.elapsed();
    println!(
        "woken in random order: {:.2?}, {} ns each",
        elapsed,
        each(elapsed.as_nanos(), count)
    );

    let expected = (count as u64).wrapping_mul(count as u64 - 1) / 2;
    assert_eq!(sum, expected, "every one answers with its own number");
    println!("checksum: {sum}, right");
    say_after(&before)
}

/// How many to park: the first argument, else a million.
fn wanted() -> usize {
    argument(1).unwrap_or(MILLION)
}

/// An argument, which is a number.
fn argument(place: usize) -> Option<usize> {
    let text = env::args().nth(place)?;
    match text.parse() {
        Ok(number) => Some(number),
        Err(error) => {
            eprintln!("million: {text:?} is no number: {error}");
            exit(2)
        }
    }
}

/// Fewer, when memory is short.
fn affordable(wanted: usize) -> usize {
    let available = kibibytes("/proc/meminfo", "MemAvailable:").unwrap_or(usize::MAX / 1024) * 1024;
    let most = available / 10 * 9 / EXPECTED;
    if most < wanted {
        println!("memory is short: {most} green threads instead of {wanted}");
    }
    wanted.min(most).max(1)
}

/// Spawns them in batches, each of which runs to its wait.
fn park_all(count: usize) -> Vec<Parked> {
    let bar = bar("spawning", count);
    let mut parked = Vec::with_capacity(count);
    while parked.len() < count {
        let batch = BATCH.min(count - parked.len());
        let half = batch / 2;
        parked.extend((0..half).map(|_| park_on_timer()));
        parked.extend((half..batch).map(|_| park_on_channel()));
        yield_now();
        bar.inc(batch as u64);
    }
    bar.finish_and_clear();
    parked
}

fn park_on_channel() -> Parked {
    let (sender, receiver) = oneshot::<u64>();
    Parked {
        handle: spawn(move || receiver.recv().expect("its sender sends")),
        waits_for: Waking::Message(sender),
    }
}

fn park_on_timer() -> Parked {
    let number = Rc::new(Cell::new(0));
    let own = Rc::clone(&number);
    let wait = move || {
        park_timeout(HOUR);
        own.get()
    };
    Parked {
        handle: spawn(wait),
        waits_for: Waking::Moment(number),
    }
}

/// Wakes it with its number.
fn wake(parked: Parked, number: u64) -> JoinHandle<u64> {
    match parked.waits_for {
        Waking::Message(sender) => sender.send(number).expect("it waits"),
        Waking::Moment(place) => {
            place.set(number);
            parked.handle.thread().unpark();
        }
    }
    parked.handle
}

/// Wakes all in random order; returns the sum of what they return.
fn wake_all(mut parked: Vec<Parked>) -> u64 {
    let bar = bar("waking", parked.len());
    shuffle(&mut parked);
    let mut sum = 0_u64;
    let mut number = 0;
    while !parked.is_empty() {
        let batch = parked.split_off(parked.len().saturating_sub(BATCH));
        let mut handles = Vec::with_capacity(batch.len());
        for one in batch {
            handles.push(wake(one, number));
            number += 1;
        }
        bar.inc(handles.len() as u64);
        for handle in handles {
            sum = sum.wrapping_add(handle.join().expect("it returns its number"));
        }
    }
    bar.finish_and_clear();
    sum
}

/// Brings them into random order (Fisher and Yates, with Marsaglia's xorshift).
fn shuffle(parked: &mut [Parked]) {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for last in (1..parked.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        parked.swap(last, (state % (last as u64 + 1)) as usize);
    }
}

fn say_spawned(count: usize, elapsed: Duration, before: &Memory) {
    let now = Memory::now();
    let stacks = stats().stacks;
    let resident = now.resident.saturating_sub(before.resident);
    let tables = now.page_tables.saturating_sub(before.page_tables);
    let others = resident.saturating_sub(stacks.bytes_touched);
    println!(
        "parked: {count} green threads, in {elapsed:.2?}, {} ns each",
        each(elapsed.as_nanos(), count)
    );
    println!("bytes for each: {} resident, of which", resident / count);
    println!("  {:6} of stack", stacks.bytes_touched / count);
    println!(
        "  {:6} of control block, channel or timer, and handle",
        others / count
    );
    println!("  and {} of page tables", tables / count);
    println!(
        "in all {:.2} GiB, {} mappings",
        (resident + tables) as f64 / f64::from(1 << 30),
        now.mappings
    );
}

/// Says what is left a second later, and whether that is little enough.
fn say_after(before: &Memory) -> ExitCode {
    sleep(Duration::from_secs(1));
    let after = Memory::now();
    let most = before.resident + before.resident / 5 + (64 << 20);
    println!(
        "memory: {} MiB before, {} MiB a second after the end, {} mappings",
        before.resident >> 20,
        after.resident >> 20,
        after.mappings
    );
    if after.resident > most {
        println!("that is more than {} MiB", most >> 20);
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn each(nanoseconds: u128, count: usize) -> u128 {
    nanoseconds / count as u128
}

fn bar(what: &'static str, count: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:9} {wide_bar} {human_pos}/{human_len}");
    ProgressBar::new(count as u64)
        .with_style(style.expect("a valid template"))
        .with_message(what)
}

/// What the kernel says of this process.
struct Memory {
    /// Bytes of memory.
    resident: usize,

    /// Bytes of page tables, which do not count as resident.
    page_tables: usize,

    /// How many mappings there are.
    mappings: usize,
}

impl Memory {
    fn now() -> Self {
        let status = |name| kibibytes("/proc/self/status", name).unwrap_or(0) * 1024;
        let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
        Memory {
            resident: status("VmRSS:"),
            page_tables: status("VmPTE:"),
            mappings: maps.lines().count(),
        }
    }
}

/// A line of the kernel's that gives a number of KiB.
fn kibibytes(file: &str, name: &str) -> Option<usize> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
