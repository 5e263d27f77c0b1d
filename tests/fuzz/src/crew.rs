//! Many programs at once: a few processes, each with a batch of seeds, so that one that aborts or hangs takes nothing with it but itself.

use std::env;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::options::{Many, World};
use crate::tally::Tally;

/// Programs of one process. What a deadlock at the end of a run leaves behind goes with it.
const BATCH: u64 = 2_000;

/// How long one program may take before it counts as one that hangs.
pub(crate) const LONGEST: Duration = Duration::from_secs(20);

/// Seeds with which something is wrong, at most, before nothing more is begun.
const ENOUGH: usize = 10;

/// What is wrong with a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It does not do what the model says.
    Diverges,

    /// It ends the process.
    Dies(String),

    /// It does not end.
    Hangs,
}

/// What came of all.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// What was done.
    pub(crate) tally: Tally,

    /// The seeds with which something is wrong.
    pub(crate) troubles: Vec<(u64, Trouble)>,
}

/// The programs that nobody has taken yet.
struct Seeds {
    /// The next one.
    next: AtomicU64,

    /// The end.
    end: u64,

    /// When to stop.
    until: Option<Instant>,

    /// Where they run.
    world: World,
}

impl Seeds {
    fn take(&self) -> Option<(u64, u64)> {
        let first = self.next.fetch_add(BATCH, Ordering::Relaxed);
        let late = self.until.is_some_and(|until| until <= Instant::now());
        (first < self.end && !late).then(|| (first, self.end.min(first + BATCH)))
    }
}

/// Runs them all.
pub(crate) fn run(many: &Many, bar: &ProgressBar) -> io::Result<Found> {
    let seeds = Seeds {
        next: AtomicU64::new(many.first),
        end: many.first + many.programs,
        until: many.limit.map(|limit| Instant::now() + limit),
        world: many.world,
    };
    let found = Mutex::new(Found::default());
    thread::scope(|scope| {
        let jobs = (0..many.jobs).map(|_| scope.spawn(|| take_turns(&seeds, &found, bar)));
        let jobs: Vec<_> = jobs.collect();
        jobs.into_iter()
            .try_for_each(|job| job.join().expect("a job does not panic"))
    })?;
    Ok(found.into_inner().expect("nobody panics with it"))
}

fn take_turns(seeds: &Seeds, found: &Mutex<Found>, bar: &ProgressBar) -> io::Result<()> {
    while let Some((mut first, end)) = seeds.take() {
        // After the program that ended its process, another one goes on.
        while first < end {
            first = run_batch((first, end, seeds.world), found, bar)?;
        }
        if found.lock().expect("nobody panics with it").troubles.len() >= ENOUGH {
            break;
        }
    }
    Ok(())
}

/// Runs a batch in a process of its own; returns where to go on.
fn run_batch(
    (first, end, world): (u64, u64, World),
    found: &Mutex<Found>,
    bar: &ProgressBar,
) -> io::Result<u64> {
    let mut words: Vec<String> = world.option().map(Into::into).into_iter().collect();
    words.extend(["--work".into(), first.to_string(), end.to_string()]);
    let (mut child, lines) = start(&words)?;
    let mut current = first;
    let mut go_on = end;
    let hangs = loop {
        match lines.recv_timeout(LONGEST) {
            Ok(line) => {
                current = take_in(&line, current, found, bar);
                if line.starts_with("diverged") {
                    go_on = current + 1;
                }
            }
            Err(RecvTimeoutError::Disconnected) => break false,
            Err(RecvTimeoutError::Timeout) => break true,
        }
    };
    if hangs {
        child.kill()?;
    }
    let status = child.wait()?;
    if status.success() {
        return Ok(go_on);
    }
    let trouble = if hangs {
        Trouble::Hangs
    } else {
        Trouble::Dies(status.to_string())
    };
    let mut found = found.lock().expect("nobody panics with it");
    found.troubles.push((current, trouble));
    Ok(current + 1)
}

/// Notes what a process says; returns the seed that it is at.
fn take_in(line: &str, current: u64, found: &Mutex<Found>, bar: &ProgressBar) -> u64 {
    if let Some(seed) = line
        .strip_prefix("seed ")
        .and_then(|seed| seed.parse().ok())
    {
        bar.inc(1);
        return seed;
    }
    let mut found = found.lock().expect("nobody panics with it");
    if line.starts_with("diverged ") {
        found.troubles.push((current, Trouble::Diverges));
    } else {
        found.tally.read(line);
    }
    current
}

/// Another process of this program, and the lines that it writes.
fn start(words: &[String]) -> io::Result<(Child, Receiver<String>)> {
    let mut command = Command::new(env::current_exe()?);
    let mut child = command
        .args(words)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let output = child.stdout.take().expect("it was piped");
    let (send, lines) = mpsc::channel();
    thread::spawn(move || {
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        lines
            .map(|line| send.send(line))
            .take_while(Result::is_ok)
            .for_each(drop);
    });
    Ok((child, lines))
}

/// What is wrong with the program in a file, if anything is: in a process of its own.
pub(crate) fn try_file(path: &str) -> io::Result<Option<Trouble>> {
    let (mut child, lines) = start(&["--file".into(), path.into()])?;
    let until = Instant::now() + LONGEST;
    loop {
        match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(_) => {}
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                child.kill()?;
                child.wait()?;
                return Ok(Some(Trouble::Hangs));
            }
        }
    }
    let status = child.wait()?;
    Ok(match status.code() {
        Some(0) => None,
        Some(1) => Some(Trouble::Diverges),
        _ => Some(Trouble::Dies(status.to_string())),
    })
}
