//! Everything at once, at the highest rate, for as long as is asked: nothing may be lost, and nothing may be left.
//!
//! ```sh
//! cargo run --release --example soak                        # 20 s
//! cargo run --release --example soak -- 600                 # ten minutes
//! cargo run --release --example soak -- 600 memory.svg      # and a picture of the memory
//! ```
//!
//! On the main thread and two workers at once: echo over TCP with checked answers, beside clients that send a byte now and then and clients that say nothing; timers; channels
//! across workers; cancelled waits for a semaphore; panics; jobs of the blocking pool; generators. Each kind of work checks its own sums as it goes. At the end it fails
//! when a sum was wrong, when memory went on growing after the first third of the time, or when a descriptor or a stack was not given back.

mod echo;
mod ledger;
mod memory;
mod work;

use std::env;
use std::fmt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use greenthread::{Runtime, run, sleep};
use indicatif::{ProgressBar, ProgressStyle};

use ledger::{KINDS, Ledger};
use memory::{History, Sample};

/// Seconds, if nobody says.
const SECONDS: u64 = 20;

/// Between two looks at the memory.
const BETWEEN_SAMPLES: Duration = Duration::from_millis(100);

/// Workers beside the main thread.
const WORKERS: usize = 2;

/// How much more memory than in its first third the rest of the time may take at its end, by the slope.
const MOST_GROWTH: f64 = 8.0 * 1024.0 * 1024.0;

fn main() -> ExitCode {
    match soak() {
        Ok(faults) if faults.is_empty() => {
            println!("nothing was lost, and nothing was left");
            ExitCode::SUCCESS
        }
        Ok(faults) => {
            faults.iter().for_each(|fault| println!("FAULT: {fault}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

fn soak() -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let length = Duration::from_secs(seconds()?);
    let picture = env::args().nth(2);
    // What the first use brings with it, the reactor's descriptors for one, is there before anything is counted.
    run(echo::one_message)?;
    let before = Sample::now(Duration::ZERO);
    let ledger = Ledger::new();
    let history = load(&ledger, length)?;
    let after = Sample::now(length);
    println!("{ledger}");
    println!("{history}");
    if let Some(path) = picture {
        history.draw(&path)?;
        println!("picture: {path}");
    }
    Ok(faults(&ledger, &history, &before, &after))
}

/// The first argument, which is a number.
fn seconds() -> Result<u64, String> {
    let Some(text) = env::args().nth(1) else {
        return Ok(SECONDS);
    };
    match text.parse() {
        Ok(seconds) if seconds > 0 => Ok(seconds),
        _ => Err(format!("{text:?} is no number of seconds from 1 up")),
    }
}

/// Does all kinds of work for this long, and returns what memory it took meanwhile.
fn load(ledger: &Ledger, length: Duration) -> Result<History, Box<dyn std::error::Error>> {
    let runtime = Runtime::builder().workers(WORKERS).build()?;
    runtime.run(|| {
        let echo = echo::begin(ledger)?;
        let work = work::begin(ledger);
        let history = watch(ledger, length);
        ledger.stop();
        for handle in work {
            handle.join()?;
        }
        echo.end(ledger)?;
        Ok(history)
    })
}

/// Looks at the memory now and then, until the time is over.
fn watch(ledger: &Ledger, length: Duration) -> History {
    let bar = bar(length);
    let begin = Instant::now();
    let mut history = History::default();
    while begin.elapsed() < length && !ledger.has_failed() {
        sleep(BETWEEN_SAMPLES);
        let sample = Sample::now(begin.elapsed());
        bar.set_position(begin.elapsed().as_secs());
        bar.set_message(format!(
            "{} MiB, {} operations",
            sample.resident >> 20,
            ledger.total()
        ));
        history.push(sample);
    }
    bar.finish_and_clear();
    history
}

fn bar(length: Duration) -> ProgressBar {
    let style = ProgressStyle::with_template("{pos:>4}/{len} s {wide_bar} {msg}");
    ProgressBar::new(length.as_secs()).with_style(style.expect("a valid template"))
}

/// What is wrong at the end.
fn faults(ledger: &Ledger, history: &History, before: &Sample, after: &Sample) -> Vec<String> {
    let mut faults = ledger.faults();
    for kind in KINDS.into_iter().filter(|kind| kind.is_meant()) {
        if ledger.count(kind) == 0 {
            faults.push(format!("nothing was done of: {kind}"));
        }
    }
    let growth = history.growth();
    if growth > MOST_GROWTH {
        faults.push(format!(
            "memory went on growing: by {:.1} MiB after the first third",
            growth / f64::from(1 << 20)
        ));
    }
    if after.descriptors > before.descriptors {
        faults.push(left("descriptors", before.descriptors, after.descriptors));
    }
    if after.stacks > before.stacks {
        faults.push(left("stacks in use", before.stacks, after.stacks));
    }
    faults
}

fn left(what: impl fmt::Display, before: usize, after: usize) -> String {
    format!("{what}: {before} before, {after} after")
}
