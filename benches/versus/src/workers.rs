//! What a request costs a server of ours on one worker and on several, with one listener for all and with one for each.
//!
//! On the servers' core first, which they are enough to keep busy, then on every core: there the last worker shares its core with the load generator. A server that gets less load than it could
//! serve sleeps more often, and that costs CPU time: where no core is left for the load, the second says more about the machine than about the server.

use std::fmt::Write as _;
use std::io;

use crate::machine::Cores;
use crate::outcome::{Traffic, median};
use crate::peer::Peer;
use crate::row::{Load, Row};
use crate::server::{self, Server};
use crate::{machine, traffic};

/// The ways to listen, by what the peer is told.
const WAYS: [(&str, &str); 2] = [
    ("http_shared", "one listener (`Server::workers`)"),
    ("http_each", "one listener for each worker"),
];

/// What one way with so many workers came to.
struct Line {
    /// The way, in words.
    way: &'static str,

    /// How many workers.
    workers: usize,

    /// How many cores they may use.
    cores: usize,

    /// CPU time of each request in microseconds, and the traffic, by round.
    rounds: Vec<(f64, Traffic)>,
}

impl Line {
    fn cpu(&self) -> f64 {
        self.middle(|(cpu, _)| *cpu)
    }

    fn middle(&self, of: impl Fn(&(f64, Traffic)) -> f64) -> f64 {
        median(self.rounds.iter().map(of)).0
    }
}

/// A table of `rounds` rounds, each way in each, with one worker and with as many as there are cores.
pub fn table(ours: &Peer, row: &Row, rounds: usize) -> io::Result<String> {
    let load = row
        .load
        .ok_or_else(|| io::Error::other("no load of a server"))?;
    let cores = Cores::allowed().numbers().len();
    let mut lines = Vec::new();
    let several = cores.max(2);
    for (workers, cores) in [(1, 1), (several, 1), (several, cores)] {
        for (_, way) in WAYS {
            lines.push(Line {
                way,
                workers,
                cores,
                rounds: Vec::new(),
            });
        }
    }
    for _ in 0..rounds {
        for line in &mut lines {
            line.rounds.push(once(ours, line, &load, row.count)?);
        }
    }
    Ok(written(&lines, cores))
}

fn once(ours: &Peer, line: &Line, load: &Load, requests: u64) -> io::Result<(f64, Traffic)> {
    let work = WAYS.iter().find(|(_, way)| *way == line.way);
    let command = ours.command(work.map_or("", |(work, _)| work), line.workers as u64);
    let held = (line.cores == 1).then(|| machine::Held::to(server::core()));
    let server = Server::start_by(command)?;
    drop(held);
    traffic::driven(&server, load, requests)
}

fn written(lines: &[Line], cores: usize) -> String {
    let mut text = String::from(
        "| listening | workers | their cores | cores left for the load | CPU per request | to one worker | requests/s | p50 | p99 |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for line in lines {
        let one = lines.iter().find(|one| one.way == line.way);
        let ratio = line.cpu() / one.map_or(f64::NAN, Line::cpu);
        let left = cores.saturating_sub(line.cores);
        let [throughput, p50, p99] = [
            line.middle(|(_, traffic)| traffic.throughput),
            line.middle(|(_, traffic)| traffic.latencies[0]),
            line.middle(|(_, traffic)| traffic.latencies[1]),
        ];
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {left} | {:.2} us | {ratio:.2} | {throughput:.0} | {p50:.0} us | {p99:.0} us |",
            line.way,
            line.workers,
            line.cores,
            line.cpu()
        );
    }
    text
}
