//! Takes turns: in every round each peer is measured once, each time in a process of its own.

use std::collections::BTreeMap;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::outcome::Outcome;
use crate::peer::Peer;
use crate::process;
use crate::row::Row;

/// Measures every row.
pub fn all(rows: &[&'static Row], peers: &[Peer], rounds: usize) -> Vec<Outcome> {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}").expect("a template");
    let bar = ProgressBar::new((rows.len() * rounds) as u64).with_style(style);
    let outcomes = rows.iter().map(|row| one(row, peers, rounds, &bar));
    let outcomes = outcomes.collect();
    bar.finish_and_clear();
    outcomes
}

fn one(row: &'static Row, peers: &[Peer], rounds: usize, bar: &ProgressBar) -> Outcome {
    let mut numbers: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut failed = BTreeMap::new();
    for _ in 0..rounds {
        for peer in peers.iter().filter(|peer| peer.knows(row.name)) {
            if failed.contains_key(peer.name) {
                continue;
            }
            bar.set_message(format!("{} {}", row.name, peer.name));
            match sample(row, peer) {
                Ok(sample) => numbers
                    .entry(peer.name.to_owned())
                    .or_default()
                    .push(sample),
                Err(why) => drop(failed.insert(peer.name.to_owned(), why)),
            }
        }
        bar.inc(1);
    }
    Outcome {
        row,
        numbers,
        failed,
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

fn sample(row: &Row, peer: &Peer) -> Result<f64, String> {
    let output = limited(peer.command(row.name, row.count))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let value = said.trim().parse();
    if !output.status.success() || value.is_err() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        let last = complaint.lines().last().unwrap_or_default();
        return Err(format!("{}: {last}", output.status));
    }
    Ok(value.unwrap_or_default())
}
