//! generator-rs, from which may is made.

use std::hint::black_box;

use generator::{Gn, done};

use super::{RustPeer, each};

/// See the head of the file.
pub const PEER: RustPeer = RustPeer {
    name: "generator-rs",
    package: "generator",
    rows: &[("trip", trip), ("life", life)],
};

fn trip(count: u64) -> f64 {
    let mut echo = Gn::<u64>::new_scoped(|mut scope| {
        let mut sent = 0;
        while let Some(value) = scope.yield_(sent) {
            sent = value;
        }
        done!()
    });
    echo.resume();
    each(count, || {
        for value in 0..count {
            echo.set_para(black_box(value));
            black_box(echo.resume());
        }
    })
}

fn life(count: u64) -> f64 {
    each(count, || {
        for value in 0..count {
            let mut short = Gn::<()>::new_scoped(move |_| black_box(value));
            black_box(short.resume());
        }
    })
}
