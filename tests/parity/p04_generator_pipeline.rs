//! Generators chain into a lazy pipeline; closing the last stage early closes every stage upstream in order.

use std::cell::Cell;

use greenthread::generator::{Generator, Yielder};

use crate::log::say;
use crate::{Finally, Log};

/// A stage that is pulled: nothing is sent to it, numbers come out.
type Stage = Generator<(), i32, ()>;

fn source(log: &Log, limit: i32) -> Stage {
    let log = log.clone();
    Generator::new(move |y: &Yielder<(), i32>| {
        let _finally = Finally(|| say!(log, "source: finally"));
        for n in 1..=limit {
            say!(log, "source: make {n}");
            y.yield_(n);
        }
        say!(log, "source: ran dry");
    })
}

fn evens(log: &Log, upstream: Stage) -> Stage {
    let log = log.clone();
    Generator::new(move |y: &Yielder<(), i32>| {
        let _finally = Finally(|| {
            say!(log, "filter: finally");
            upstream.close();
        });
        for n in &upstream {
            say!(log, "filter: look at {n}");
            if n % 2 == 0 {
                y.yield_(n);
            }
        }
    })
}

fn sink(log: &Log, upstream: Stage) -> Stage {
    let log = log.clone();
    Generator::new(move |y: &Yielder<(), i32>| {
        let total = Cell::new(0);
        let _finally = Finally(|| {
            say!(log, "sink: finally with total {}", total.get());
            upstream.close();
        });
        for n in &upstream {
            total.set(total.get() + n);
            y.yield_(total.get());
        }
    })
}

#[test]
#[apply(on_workers)]
fn says_what_python_says() {
    let log = Log::new();
    say!(log, "early close");
    let chain = sink(&log, evens(&log, source(&log, 100)));
    for total in &chain {
        say!(log, "main: total {total}");
        if total >= 6 {
            break;
        }
    }
    chain.close();
    say!(log, "run to the end");
    let totals: Vec<String> = sink(&log, evens(&log, source(&log, 3)))
        .map(|total| total.to_string())
        .collect();
    say!(log, "main: totals {}", totals.join(" "));
    log.assert_says(include_str!("python/04_generator_pipeline.out"));
}
