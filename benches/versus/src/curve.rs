//! How cost grows: the same work with more and more green threads, timers, connections or waiters.

use std::collections::BTreeMap;
use std::fmt::Write;

use indicatif::{ProgressBar, ProgressStyle};

use crate::measure::{self, Effort};
use crate::outcome::median;
use crate::peer::{OURS, Peer};
use crate::row::{Load, Protocol};
use crate::traffic;

/// One kind of work.
#[derive(Debug)]
pub struct Curve {
    /// On the command line, in the names of files, and what a peer is told.
    pub name: &'static str,

    /// What is done, in words.
    pub what: &'static str,

    /// What there are more and more of.
    pub of: &'static str,

    /// What one operation's cost is counted in.
    pub unit: &'static str,

    /// How many of them there are at first.
    first: u64,

    /// Who does it, and with how many at the most.
    peers: &'static [(&'static str, u64)],
}

/// The most that is tried.
const MOST: u64 = 1_000_000;

/// The most for a short look.
const MOST_QUICK: u64 = 10_000;

/// Stacks of bare corosensei that a process can have.
const MOST_BARE: u64 = 25_000;

/// More than the descriptors allow.
const ANY: u64 = u64::MAX;

/// Requests for each connection, and for all of them, at the least.
const REQUESTS: (u64, u64) = (10, 50_000);

/// All of them.
const CURVES: &[Curve] = &[
    Curve {
        name: "yields",
        what: "a yield",
        of: "green threads in line",
        unit: "ns",
        first: 2,
        peers: &[
            (OURS, MOST),
            ("floor", MOST_BARE),
            ("smol", MOST),
            ("tokio", MOST),
        ],
    },
    Curve {
        name: "spawns",
        what: "spawn and join of each",
        of: "green threads spawned before the first is joined",
        unit: "ns",
        first: 1,
        peers: &[(OURS, MOST), ("smol", MOST), ("tokio", MOST)],
    },
    Curve {
        name: "timers",
        what: "CPU time of a timer",
        of: "timers within a second",
        unit: "ns",
        first: 10,
        peers: &[(OURS, MOST), ("smol", MOST), ("tokio", MOST)],
    },
    Curve {
        name: "waiters",
        what: "an item through a channel of 1",
        of: "green threads that wait to receive",
        unit: "ns",
        first: 1,
        peers: &[(OURS, MOST), ("smol", MOST)],
    },
    Curve {
        name: "echo",
        what: "server CPU time of a TCP echo request",
        of: "connections",
        unit: "us",
        first: 1,
        peers: &[(OURS, ANY), ("floor", ANY), ("tokio", ANY)],
    },
];

/// The curves of these names, or all.
pub fn chosen(names: &[String]) -> Result<Vec<&'static Curve>, String> {
    let is_named = |curve: &&Curve| names.is_empty() || names.iter().any(|name| name == curve.name);
    let curves: Vec<_> = CURVES.iter().filter(is_named).collect();
    if curves.len() < names.len() {
        let known: Vec<_> = CURVES.iter().map(|curve| curve.name).collect();
        return Err(format!("there are the curves {}", known.join(", ")));
    }
    Ok(curves)
}

/// Everybody who takes part.
pub fn peers() -> Vec<String> {
    let all = CURVES.iter().flat_map(|curve| curve.peers);
    all.map(|(name, _)| (*name).to_owned()).collect()
}

/// A curve with its points.
#[derive(Debug)]
pub struct Drawn {
    /// Which one.
    pub curve: &'static Curve,

    /// Each peer's medians, ascending by number.
    pub points: BTreeMap<&'static str, Vec<(u64, f64)>>,

    /// Who could not go on from which number, and why.
    gaps: Vec<String>,
}

/// Measures them all, in rounds at each number.
pub fn all(curves: &[&'static Curve], peers: &[Peer], effort: Effort) -> Vec<Drawn> {
    let style = ProgressStyle::with_template("{elapsed_precise} {wide_bar} {pos}/{len} {msg:30}");
    let bar = ProgressBar::new(
        curves
            .iter()
            .map(|curve| curve.numbers(effort).len() as u64)
            .sum(),
    );
    bar.set_style(style.expect("a template"));
    let drawn = curves.iter().map(|curve| draw(curve, peers, effort, &bar));
    let drawn = drawn.collect();
    bar.finish_and_clear();
    drawn
}

impl Curve {
    /// How many there are at each point: one, three, ten and so on.
    fn numbers(&self, effort: Effort) -> Vec<u64> {
        let most = if effort.quick { MOST_QUICK } else { MOST };
        let most = match self.name {
            "echo" => most.min(traffic::most_connections()),
            _ => most,
        };
        let steps = (0..).map(|step| {
            if step % 2 == 0 {
                10_u64.pow(step / 2)
            } else {
                3 * 10_u64.pow(step / 2)
            }
        });
        let steps = steps.take_while(|number| *number < most);
        let mut numbers = vec![self.first];
        numbers.extend(steps.filter(|number| *number > self.first));
        numbers.push(most);
        numbers
    }
}

fn draw(curve: &'static Curve, peers: &[Peer], effort: Effort, bar: &ProgressBar) -> Drawn {
    let mut drawn = Drawn {
        curve,
        points: BTreeMap::new(),
        gaps: Vec::new(),
    };
    for number in curve.numbers(effort) {
        drawn.add(number, peers, effort, bar);
        bar.inc(1);
    }
    drawn
}

impl Drawn {
    fn add(&mut self, number: u64, peers: &[Peer], effort: Effort, bar: &ProgressBar) {
        let mut costs: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
        for _ in 0..effort.rounds {
            for (name, most) in self.curve.peers {
                let Some(peer) = peers.iter().find(|peer| peer.name == *name) else {
                    continue;
                };
                if number > *most || self.gaps.iter().any(|gap| gap.starts_with(name)) {
                    continue;
                }
                bar.set_message(format!("{} {name} {number}", self.curve.name));
                match cost(self.curve, peer, number) {
                    Ok(cost) => costs.entry(name).or_default().push(cost),
                    Err(why) => self.gaps.push(format!("{name} at {number}: {why}")),
                }
            }
        }
        for (name, costs) in costs {
            let middle = median(costs.into_iter()).0;
            self.points.entry(name).or_default().push((number, middle));
        }
    }

    /// A line for each number, a column for each peer, and how ours bends.
    pub fn markdown(&self) -> String {
        let names: Vec<_> = self.points.keys().copied().collect();
        let mut text = format!(
            "**{}**, {}\n\n| {} |",
            self.curve.what, self.curve.unit, self.curve.of
        );
        names
            .iter()
            .for_each(|name| text.push_str(&format!(" {name} |")));
        text.push_str(&format!("\n|{}\n", "---|".repeat(names.len() + 1)));
        for (number, _) in self
            .points
            .values()
            .max_by_key(|points| points.len())
            .into_iter()
            .flatten()
        {
            let _ = write!(text, "| {number} |");
            for name in &names {
                let cost = self.at(name, *number).map(|cost| format!("{cost:.1}"));
                let _ = write!(text, " {} |", cost.unwrap_or_default());
            }
            text.push('\n');
        }
        for gap in &self.gaps {
            let _ = writeln!(text, "\n{gap}");
        }
        let _ = writeln!(text, "\n{}", self.bend());
        text
    }

    fn at(&self, name: &str, number: u64) -> Option<f64> {
        let points = self.points.get(name)?;
        points
            .iter()
            .find(|point| point.0 == number)
            .map(|point| point.1)
    }

    /// Whether all of ours together grow no faster than n log n, from the first point on; each then costs no more than the first did times the doublings since, and one.
    fn bend(&self) -> String {
        let Some(points) = self.points.get(OURS) else {
            return String::new();
        };
        let (first, least) = points[0];
        let allowed = |number: u64| least * ((number as f64 / first as f64).log2() + 1.0);
        match points
            .iter()
            .find(|(number, cost)| *cost > allowed(*number))
        {
            None => "Ours bends no worse than n log n.".to_owned(),
            Some((number, _)) => format!("Ours bends worse than n log n, from {number} on."),
        }
    }

    /// Every point.
    pub fn csv(&self) -> String {
        let mut text = format!("peer,number,{}\n", self.curve.unit);
        for (name, points) in &self.points {
            for (number, cost) in points {
                let _ = writeln!(text, "{name},{number},{cost}");
            }
        }
        text
    }
}

/// One measurement of one point.
fn cost(curve: &Curve, peer: &Peer, number: u64) -> Result<f64, String> {
    if curve.name != "echo" {
        return measure::number_of(peer.command(curve.name, number));
    }
    let load = Load {
        protocol: Protocol::Echo,
        connections: number as usize,
        depth: 1,
    };
    let requests = REQUESTS.1.max(number * REQUESTS.0);
    traffic::measure(peer, &load, requests).map(|(cost, _)| cost)
}
