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
}

/// What a row may cost.
#[derive(Clone, Copy, Debug)]
pub enum Budget {
    /// At most so many units.
    Absolute(f64),

    /// At most so many times the floor of the same run.
    OfFloor(f64),

    /// Nothing was promised.
    None,
}

use Budget::{Absolute, OfFloor};

const fn row(name: &'static str, what: &'static str, count: u64, budget: Budget) -> Row {
    Row {
        name,
        what,
        unit: "ns",
        count,
        budget,
    }
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
        "channel_64_two",
        "an item through a channel of 64, two OS threads",
        2_000_000,
        Absolute(29.0),
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
];
