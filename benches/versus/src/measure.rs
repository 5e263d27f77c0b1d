//! Takes turns: in every round each peer is measured once, each time in a process of its own.

use std::collections::BTreeMap;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::calls;
use crate::outcome::{Apart, Outcome, Traffic};
use crate::peer::Peer;
use crate::process;
use crate::row::{Load, Row};
use crate::traffic;
use crate::wrk;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How often each peer has its turn.
    pub rounds: usize,

    /// A tenth of the work where that says something still.
    pub quick: bool,
}

impl Effort {
    /// How much of a row's work one measurement does.
    fn count(self, row: &Row) -> u64 {
        let divisible = row.count >= 1_000_000 && row.unit == "ns" || row.load.is_some();
        if self.quick && divisible {
            row.count / 10
        } else {
            row.count
        }
    }
}

/// Measures every row.
pub fn all(rows: &[&'static Row], peers: &[Peer], effort: Effort) -> Vec<Outcome> {
    let style = ProgressStyle::with_template("{elapsed_precise} {wide_bar} {pos}/{len} {msg:30}");
    let style = style.expect("a template");
    let bar = ProgressBar::new((rows.len() * effort.rounds) as u64).with_style(style);
    let outcomes = rows.iter().map(|row| one(row, peers, effort, &bar));
    let outcomes = outcomes.collect();
    bar.finish_and_clear();
    outcomes
}

fn one(row: &'static Row, peers: &[Peer], effort: Effort, bar: &ProgressBar) -> Outcome {
    let mut outcome = Outcome {
        row,
        numbers: BTreeMap::new(),
        traffic: BTreeMap::new(),
        apart: BTreeMap::new(),
        failed: BTreeMap::new(),
    };
    let peers = peers.iter().filter(|peer| peer.knows(row));
    for _ in 0..effort.rounds {
        for peer in peers.clone() {
            bar.set_message(format!("{} {}", row.name, peer.name));
            turn(&mut outcome, peer, effort.count(row));
        }
        bar.inc(1);
    }
    if let Some(load) = &row.load {
        for peer in peers.filter(|peer| outcome.numbers.contains_key(peer.name)) {
            bar.set_message(format!("{} {}: system calls", row.name, peer.name));
            outcome
                .apart
                .insert(peer.name.to_owned(), apart(peer, load));
        }
    }
    outcome
}

/// One peer's turn; one that has failed has no further.
fn turn(outcome: &mut Outcome, peer: &Peer, count: u64) {
    let name = peer.name.to_owned();
    if outcome.failed.contains_key(&name) {
        return;
    }
    match sample(outcome.row, peer, count) {
        Ok((number, traffic)) => {
            let numbers = outcome.numbers.entry(name.clone()).or_default();
            numbers.push(number);
            outcome.traffic.entry(name).or_default().extend(traffic);
        }
        Err(why) => drop(outcome.failed.insert(name, why)),
    }
}

/// What is found out about a server in runs of their own.
fn apart(peer: &Peer, load: &Load) -> Apart {
    Apart {
        calls: calls::count(peer, load),
        wrk: wrk::measure(peer, load),
    }
}

/// The longest that one measurement may take.
const LONGEST: Duration = Duration::from_secs(60);

/// Runs a measurement to its end, or ends it when it takes too long.
fn limited(mut command: Command) -> Result<Output, String> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
    let child = command.stderr(Stdio::piped()).spawn();
    let child = child.map_err(|error| format!("does not start: {error}"))?;
    let id = child.id();
    let (sender, receiver) = mpsc::channel();
    let waiting = thread::spawn(move || sender.send(child.wait_with_output()));
    let output = receiver.recv_timeout(LONGEST).unwrap_or_else(|_| {
        process::end(id);
        receiver.recv().expect("a child that was killed ends")?;
        Err(std::io::Error::other(format!(
            "took longer than {LONGEST:?}"
        )))
    });
    waiting
        .join()
        .expect("it only waits")
        .expect("it is awaited");
    output.map_err(|error| error.to_string())
}

fn sample(row: &Row, peer: &Peer, count: u64) -> Result<(f64, Option<Traffic>), String> {
    if let Some(load) = &row.load {
        let (number, traffic) = traffic::measure(peer, load, count)?;
        return Ok((number, Some(traffic)));
    }
    number_of(peer.command(row.name, count)).map(|number| (number, None))
}

/// The one number that a measurement prints.
pub fn number_of(command: Command) -> Result<f64, String> {
    let output = limited(command)?;
    let said = String::from_utf8_lossy(&output.stdout);
    let value = said.trim().parse();
    if !output.status.success() || value.is_err() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        let last = complaint.lines().last().unwrap_or_default();
        return Err(format!("{}: {last}", output.status));
    }
    Ok(value.unwrap_or_default())
}
