//! What was measured, and what follows from it.

use std::collections::BTreeMap;

use crate::calls::Calls;
use crate::peer::{FLOOR, OURS};
use crate::row::{Budget, Row};
use crate::wrk::Wrk;

/// All measurements of one row.
#[derive(Debug)]
pub struct Outcome {
    /// Which work.
    pub row: &'static Row,

    /// Each peer's numbers, in the order of the rounds.
    pub numbers: BTreeMap<String, Vec<f64>>,

    /// What servers did beside, in the order of the rounds.
    pub traffic: BTreeMap<String, Vec<Traffic>>,

    /// What was found out about servers apart from the rounds.
    pub apart: BTreeMap<String, Apart>,

    /// Peers that tried and did not come to an end, with the reason.
    pub failed: BTreeMap<String, String>,
}

/// What the load generator saw of a server in one measurement.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    /// Requests in a second.
    pub throughput: f64,

    /// Latencies in microseconds that a half, 99 % and 99.9 % of the requests kept to.
    pub latencies: [f64; 3],
}

/// What was found out about a server in runs of their own.
#[derive(Debug)]
pub struct Apart {
    /// System calls of one request.
    pub calls: Result<Calls, String>,

    /// What wrk says, where it can speak to the server.
    pub wrk: Option<Result<Wrk, String>>,
}

/// The middle one of `numbers`, and how far the middle half spreads around it.
pub fn median(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    let at = |part: f64| numbers[((numbers.len() - 1) as f64 * part).round() as usize];
    (at(0.5), at(0.75) - at(0.25))
}

impl Outcome {
    /// A peer's median, if it was measured.
    pub fn value(&self, peer: &str) -> Option<f64> {
        let samples = self.numbers.get(peer)?;
        Some(median(samples.iter().copied()).0)
    }

    /// The best of all but ours and the floor.
    pub fn best_peer(&self) -> Option<(&str, f64)> {
        let others = self
            .numbers
            .keys()
            .filter(|name| *name != OURS && *name != FLOOR);
        let valued = others.filter_map(|name| Some((name.as_str(), self.value(name)?)));
        valued.min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// What ours may cost here, in the row's unit.
    pub fn limit(&self) -> Option<f64> {
        match self.row.budget {
            Budget::Absolute(most) => Some(most),
            Budget::OfFloor(times) => self.value(FLOOR).map(|floor| floor * times),
            Budget::OfFloorAndPeer(times, peer) => {
                let floor = self.value(FLOOR).map(|floor| floor * times);
                let peer = self.value(peer);
                floor.into_iter().chain(peer).reduce(f64::min)
            }
            Budget::None => None,
        }
    }

    /// Whether ours keeps to it.
    pub fn verdict(&self) -> String {
        match (self.value(OURS), self.limit()) {
            (Some(ours), Some(limit)) if ours <= limit => "met".to_owned(),
            (Some(ours), Some(limit)) => format!("missed by {:.0} %", (ours / limit - 1.0) * 100.0),
            _ => String::new(),
        }
    }
}
