//! The picture in the README is what the example draws.

use std::fs;

use greenthread::trace;

use crate::record;

#[path = "../parity/p05_tasks_interleave/program.rs"]
mod program;

/// Where it is.
const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/timeline.svg");

#[test]
#[apply(on_roots)]
fn the_picture_in_the_readme_is_what_the_example_draws() {
    let timeline = record(|| {
        let returned = program::main(&crate::Log, 1);
        trace::mark(format_args!("main returns {returned}"));
    });
    let drawn = timeline.to_svg();
    let committed = fs::read_to_string(PICTURE).unwrap();
    assert!(
        drawn == committed,
        "the drawing has changed: `cargo run --example timeline -- --out target/timeline`, look at it, and `cp target/timeline/timeline.svg examples`"
    );
}
