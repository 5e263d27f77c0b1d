//! What is measured: one row for each row of the design's table of costs.

/// One kind of work.
#[derive(Debug)]
pub struct Row {
    /// On the command line, and what a peer is told.
    pub name: &'static str,

    /// What is done, in words.
    pub what: &'static str,

    /// What the numbers are.
    pub unit: &'static str,

    /// How much of it one measurement does.
    pub count: u64,

    /// What ours may cost.
    pub budget: Budget,

    /// What the load generator does, when the work is a server's.
    pub load: Option<Load>,
}

/// What servers speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Bytes come back as they are.
    Echo,

    /// HTTP/1.1 with connections kept alive.
    Http,
}

impl Protocol {
    /// What a peer's program is told.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Echo => "echo",
            Protocol::Http => "http",
        }
    }
}

/// What the load generator does.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// What it speaks.
    pub protocol: Protocol,

    /// How many connections it has.
    pub connections: usize,

    /// How many requests are under way on each.
    pub depth: usize,
}

/// What a row may cost.
#[derive(Clone, Copy, Debug)]
pub enum Budget {
    /// At most so many units.
    Absolute(f64),

    /// At most so many times the floor of the same run.
    OfFloor(f64),

    /// At most so many times the floor of the same run, and no more than this peer.
    OfFloorAndPeer(f64, &'static str),

    /// Nothing was promised.
    None,
}

use Budget::{Absolute, OfFloor, OfFloorAndPeer};
use Protocol::{Echo, Http};

const fn row(name: &'static str, what: &'static str, count: u64, budget: Budget) -> Row {
    Row {
        name,
        what,
        unit: "ns",
        count,
        budget,
        load: None,
    }
}

/// A server's CPU time for one request.
const fn served(
    name: &'static str,
    what: &'static str,
    count: u64,
    budget: Budget,
    (protocol, connections, depth): (Protocol, usize, usize),
) -> Row {
    let load = Load {
        protocol,
        connections,
        depth,
    };
    let mut row = in_unit("us", row(name, what, count, budget));
    row.load = Some(load);
    row
}

const fn in_unit(unit: &'static str, mut row: Row) -> Row {
    row.unit = unit;
    row
}

/// All of them.
pub const ROWS: &[Row] = &[
    row(
        "trip",
        "generator round trip: a value in, a value out",
        5_000_000,
        OfFloor(1.4),
    ),
    row(
        "life",
        "generator made, run once, dropped",
        1_000_000,
        OfFloor(2.0),
    ),
    row(
        "yield_2",
        "a yield, 2 green threads",
        5_000_000,
        OfFloor(1.0),
    ),
    row(
        "yield_1000",
        "a yield, 1,000 green threads",
        5_000_000,
        OfFloor(1.0),
    ),
    row(
        "yield_100000",
        "a yield, 100,000 green threads",
        2_000_000,
        Absolute(46.0),
    ),
    row(
        "spawn_join",
        "spawn and join, one at a time",
        1_000_000,
        Absolute(50.0),
    ),
    row(
        "spawn_many",
        "spawn 100,000, then join all, each",
        1_000_000,
        Absolute(80.0),
    ),
    row(
        "channel_1",
        "an item through a channel of 1",
        2_000_000,
        Absolute(38.0),
    ),
    row(
        "channel_64",
        "an item through a channel of 64",
        5_000_000,
        Absolute(10.0),
    ),
    row(
        "channel_1_two",
        "an item through a channel of 1, two OS threads",
        500_000,
        Budget::None,
    ),
    row(
        "channel_64_two",
        "an item through a channel of 64, two OS threads",
        2_000_000,
        Absolute(29.0),
    ),
    row(
        "channel_all_two",
        "an item through a channel without a bound, two OS threads",
        2_000_000,
        Budget::None,
    ),
    row(
        "spawn_anywhere",
        "spawn on one of two workers and join, one at a time",
        100_000,
        Absolute(250.0),
    ),
    row(
        "wake_asleep",
        "a wake across OS threads, the woken one asleep",
        20_000,
        Budget::None,
    ),
    row(
        "wake_busy",
        "a wake across OS threads, the woken one's OS thread busy",
        100_000,
        Budget::None,
    ),
    row(
        "timers_cpu",
        "100,000 timers in 1 s: CPU time of each",
        100_000,
        Absolute(1000.0),
    ),
    in_unit(
        "us",
        row(
            "timers_late",
            "100,000 timers in 1 s: lateness, 99th percentile",
            100_000,
            Absolute(1500.0),
        ),
    ),
    in_unit(
        "bytes",
        row(
            "parked",
            "memory of one that is parked, of 100,000",
            100_000,
            Absolute(4896.0),
        ),
    ),
    in_unit(
        "GiB",
        row(
            "million",
            "1,000,000 parked at once, guards on: memory of all",
            1_000_000,
            Absolute(5.0),
        ),
    ),
    served(
        "echo_1",
        "TCP echo, 1 connection: server CPU per request",
        30_000,
        OfFloorAndPeer(1.03, "tokio"),
        (Echo, 1, 1),
    ),
    served(
        "echo_64",
        "TCP echo, 64 connections: server CPU per request",
        100_000,
        OfFloorAndPeer(1.03, "tokio"),
        (Echo, 64, 1),
    ),
    served(
        "echo_1000",
        "TCP echo, 1,000 connections: server CPU per request",
        100_000,
        OfFloorAndPeer(1.03, "tokio"),
        (Echo, 1_000, 1),
    ),
    served(
        "echo_10000",
        "TCP echo, 10,000 connections: server CPU per request",
        200_000,
        OfFloorAndPeer(1.03, "tokio"),
        (Echo, 10_000, 1),
    ),
    served(
        "http_keep",
        "HTTP keep-alive, 64 connections: server CPU per request",
        100_000,
        OfFloor(1.05),
        (Http, 64, 1),
    ),
    served(
        "http_16",
        "HTTP 16 deep, 64 connections: server CPU per request",
        400_000,
        OfFloor(1.10),
        (Http, 64, 16),
    ),
];
