//! The Rust peers: each a file with one function for each row that it knows.

mod crossbeam;
mod floor;
mod generators;
mod may;
mod ours;
mod resources;
mod servers;
mod smol;
mod threads;
mod tokio;

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// A peer in this program.
pub struct RustPeer {
    /// Its name.
    pub name: &'static str,

    /// The package whose version is shown.
    pub package: &'static str,

    /// The rows that it knows.
    pub rows: &'static [(&'static str, Work)],
}

/// Does so much of a work, and says what it cost, in the row's unit.
pub type Work = fn(u64) -> f64;

/// All of them.
pub const PEERS: &[RustPeer] = &[
    floor::PEER,
    ours::PEER,
    may::PEER,
    tokio::PEER,
    smol::PEER,
    generators::PEER,
    threads::PEER,
    crossbeam::PEER,
    servers::hyper::PEER,
];

/// One measurement, as a process of its own.
pub fn measure(name: &str, row: &str, count: u64) -> ExitCode {
    let peer = PEERS.iter().find(|peer| peer.name == name);
    let work = peer.and_then(|peer| peer.rows.iter().find(|(known, _)| *known == row));
    let Some((_, work)) = work else {
        eprintln!("{name} does not know {row}");
        return ExitCode::FAILURE;
    };
    println!("{}", work(count));
    ExitCode::SUCCESS
}

/// Nanoseconds of CPU time of each of `count` operations that `work` does: for work on one OS thread, where it is the time that passes on a machine that does
/// nothing else.
fn each(count: u64, work: impl FnOnce()) -> f64 {
    let begin = resources::cpu();
    work();
    (resources::cpu() - begin).as_nanos() as f64 / count as f64
}

/// Nanoseconds that pass for each of `count` operations that `work` does: for work on several OS threads.
fn each_passing(count: u64, work: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    work();
    begin.elapsed().as_nanos() as f64 / count as f64
}

/// How many operations a point of a curve takes at the least, to be long enough for the clock.
const FOR_A_POINT: u64 = 1_000_000;

/// How many operations a point of a curve with so many green threads takes: each has its turn five times.
fn for_a_point(green_threads: u64) -> u64 {
    FOR_A_POINT.max(5 * green_threads)
}

/// What 100,000 timers cost: their lateness and the CPU time.
struct Timers {
    /// When each should have fired and did, as lateness.
    late: Vec<Duration>,

    /// CPU time of the process before the first was set.
    before: Duration,
}

impl Timers {
    fn begin(count: u64) -> Self {
        Timers {
            late: Vec::with_capacity(count as usize),
            before: resources::cpu(),
        }
    }

    fn cpu_of_each(&self) -> f64 {
        (resources::cpu() - self.before).as_nanos() as f64 / self.late.len() as f64
    }

    fn late_at_99(&mut self) -> f64 {
        self.late.sort_unstable();
        self.late[self.late.len() * 99 / 100].as_nanos() as f64 / 1000.0
    }
}

/// When the timers fire: spread over a second, the same for every peer.
fn moments(count: u64) -> impl Iterator<Item = Duration> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    (0..count).map(move |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Duration::from_nanos(state % 1_000_000_000)
    })
}
