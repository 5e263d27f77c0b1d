//! The outcome as text: a table to read, and numbers to compute with.

use std::fmt::Write;

use crate::outcome::{FLOOR, OURS, Outcome, median};
use crate::peer::Peer;

/// The table, and who took part.
pub fn markdown(outcomes: &[Outcome], peers: &[Peer]) -> String {
    let mut text = String::from(
        "| work | unit | floor | greenthread | ours / floor | best peer | ours / best | budget |\n",
    );
    text.push_str("|---|---|---|---|---|---|---|---|\n");
    for outcome in outcomes {
        text.push_str(&line(outcome));
    }
    text.push_str("\n| work | every peer, median ± the middle half's spread |\n|---|---|\n");
    for outcome in outcomes {
        let _ = writeln!(text, "| {} | {} |", outcome.row.name, everybody(outcome));
    }
    let versions = peers
        .iter()
        .map(|peer| format!("{} {}", peer.name, peer.version));
    let _ = write!(
        text,
        "\nVersions: {}.\n",
        versions.collect::<Vec<_>>().join("; ")
    );
    text
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
