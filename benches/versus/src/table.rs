//! The outcome as text: a table to read, and numbers to compute with.

use std::fmt::Write;
use std::process::Command;

use crate::outcome::{Outcome, Traffic, median};
use crate::peer::Peer;
use crate::peer::{FLOOR, OURS};

/// The table with floor, best peer and ours, when and where it came about, and who took part.
pub fn short(outcomes: &[Outcome], peers: &[Peer]) -> String {
    let mut text = format!("{}. Medians of each peer's turns.\n\n", circumstances());
    text.push_str(
        "| work | unit | floor | greenthread | ours / floor | best peer | ours / best | budget |\n",
    );
    text.push_str("|---|---|---|---|---|---|---|---|\n");
    for outcome in outcomes {
        text.push_str(&line(outcome));
    }
    if outcomes.iter().any(|outcome| !outcome.traffic.is_empty()) {
        text.push_str(&servers(outcomes));
    }
    text.push_str(&versions(peers));
    text
}

/// Every peer's medians.
pub fn long(outcomes: &[Outcome]) -> String {
    let mut text =
        String::from("| work | every peer, median ± the middle half's spread |\n|---|---|\n");
    for outcome in outcomes {
        let _ = writeln!(text, "| {} | {} |", outcome.row.name, everybody(outcome));
    }
    text
}

/// The day and the machine.
fn circumstances() -> String {
    let said = |command: &mut Command| {
        let output = command.output().map(|output| output.stdout);
        let text = String::from_utf8_lossy(&output.unwrap_or_default()).into_owned();
        text.trim().to_owned()
    };
    let day = said(Command::new("date").args(["-u", "+%F"]));
    let kernel = said(Command::new("uname").arg("-sr"));
    let rust = said(Command::new("rustc").arg("--version"));
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor
        .lines()
        .find(|line| line.starts_with("model name"));
    let model = model
        .and_then(|line| line.split(": ").nth(1))
        .unwrap_or("an unknown processor");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{day}, {cores} cores of {model}, {kernel}, {rust}")
}

/// What the load generator, strace and wrk say of each server.
fn servers(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "\n| server | CPU per request | to the floor | requests/s | p50 | p99 | p99.9 | system calls per request | wrk: requests/s, p99 |\n",
    );
    text.push_str("|---|---|---|---|---|---|---|---|---|\n");
    for outcome in outcomes {
        for (peer, traffic) in outcome.traffic.iter().filter(|(_, all)| !all.is_empty()) {
            text.push_str(&server(outcome, peer, traffic));
        }
    }
    text
}

fn server(outcome: &Outcome, peer: &str, traffic: &[Traffic]) -> String {
    let middle = |what: fn(&Traffic) -> f64| Some(median(traffic.iter().map(what)).0);
    let apart = outcome.apart.get(peer);
    let calls = apart.map(|apart| match &apart.calls {
        Ok(calls) => calls.to_string(),
        Err(why) => why.clone(),
    });
    let wrk = apart.and_then(|apart| apart.wrk.as_ref());
    let wrk = wrk.map(|wrk| match wrk {
        Ok(wrk) => format!("{}, {}", number(Some(wrk.throughput)), wrk.latency),
        Err(why) => why.clone(),
    });
    let cost = outcome.value(peer);
    let cells = [
        format!("{} {peer}", outcome.row.name),
        format!("{} us", number(cost)),
        ratio(cost, outcome.value(FLOOR)),
        number(middle(|traffic| traffic.throughput)),
        number(middle(|traffic| traffic.latencies[0])) + " us",
        number(middle(|traffic| traffic.latencies[1])) + " us",
        number(middle(|traffic| traffic.latencies[2])) + " us",
        calls.unwrap_or_default(),
        wrk.unwrap_or_default(),
    ];
    format!("| {} |\n", cells.join(" | "))
}

fn versions(peers: &[Peer]) -> String {
    let versions = peers
        .iter()
        .map(|peer| format!("{} {}", peer.name, peer.version));
    format!("\nVersions: {}.\n", versions.collect::<Vec<_>>().join("; "))
}

fn line(outcome: &Outcome) -> String {
    let (floor, ours) = (outcome.value(FLOOR), outcome.value(OURS));
    let best = outcome.best_peer();
    let cells = [
        outcome.row.what.to_owned(),
        outcome.row.unit.to_owned(),
        number(floor),
        number(ours),
        ratio(ours, floor),
        best.map(|(name, value)| format!("{name} {}", number(Some(value))))
            .unwrap_or_default(),
        ratio(ours, best.map(|best| best.1)),
        budget(outcome),
    ];
    format!("| {} |\n", cells.join(" | "))
}

fn budget(outcome: &Outcome) -> String {
    match outcome.limit() {
        Some(limit) => format!("{}: {}", number(Some(limit)), outcome.verdict()),
        None => String::new(),
    }
}

/// Three digits that mean something.
fn number(value: Option<f64>) -> String {
    match value {
        None => String::new(),
        Some(value) if value >= 100.0 => format!("{value:.0}"),
        Some(value) if value >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}

fn ratio(ours: Option<f64>, other: Option<f64>) -> String {
    match (ours, other) {
        (Some(ours), Some(other)) => format!("{:.2}", ours / other),
        _ => String::new(),
    }
}

fn everybody(outcome: &Outcome) -> String {
    let measured = outcome.numbers.iter().map(|(name, samples)| {
        let (middle, spread) = median(samples.iter().copied());
        format!("{name} {} ± {}", number(Some(middle)), number(Some(spread)))
    });
    let failed = outcome
        .failed
        .iter()
        .map(|(name, why)| format!("{name} failed ({why})"));
    measured.chain(failed).collect::<Vec<_>>().join(", ")
}

/// Every single number.
pub fn csv(outcomes: &[Outcome]) -> String {
    let mut text = String::from("row,unit,peer,round,value\n");
    for outcome in outcomes {
        let (row, unit) = (outcome.row.name, outcome.row.unit);
        for (peer, values) in &outcome.numbers {
            for (round, value) in values.iter().enumerate() {
                let _ = writeln!(text, "{row},{unit},{peer},{round},{value}");
            }
        }
    }
    text
}
