//! Holds the crate's source to its layers: reads every file under `src` as text and fails with the file and the line.
//!
//! The tables below are the law. When a file moves, or a new one needs `unsafe`, they change in the same commit, for all to see.
//! What the checker itself can and cannot see is held by `self_tests`.

mod checker;
mod imports;
mod lexer;
mod self_tests;

use std::fs;
use std::path::{Path, PathBuf};

use imports::Tree;

/// The folders (or lone files) of `src` by layer: an import points to the same layer or to a lower one. The root may name all.
const LAYERS: [(usize, &[&str]); 6] = [
    (0, &["base"]),
    (1, &["stack", "generator", "symbols"]),
    (2, &["sched", "watchdog", "debugger"]),
    (3, &["time", "sync", "channel"]),
    (
        4,
        &[
            "thread", "results", "net", "io", "fs", "process", "signal", "blocking", "dump",
            "workers",
        ],
    ),
    (
        5,
        &[
            "trace", "explore", "stats", "future", "bridge", "guide", "models",
        ],
    ),
];

/// What layer 3 may see of layer 2: the door and the wait for one of several, looking again before it, a wait and its name, the list of waiters, and what time it is.
const WAIT_SIDE: [&str; 6] = ["park", "choice", "linger", "wait", "list", "clock"];

/// The files that may use `unsafe`. Each says at its head why.
const UNSAFE: &[&str] = &[
    "base/allocator.rs",
    "base/barrier.rs",
    "base/biased.rs",
    "base/coarse.rs",
    "base/lock.rs",
    "base/os_thread.rs",
    "base/prefetch.rs",
    "base/ring.rs",
    "blocking/errand.rs",
    "channel/nook.rs",
    "channel/rendezvous.rs",
    "channel/selected.rs",
    "channel/slot.rs",
    "debugger/mod.rs",
    "future/hyper.rs",
    "future/tokio.rs",
    "generator/body.rs",
    "generator/drive.rs",
    "generator/scope.rs",
    "generator/yielder.rs",
    "io/calls.rs",
    "io/now.rs",
    "net/reset.rs",
    "process/platform/linux.rs",
    "sched/choice.rs",
    "sched/counts.rs",
    "sched/deliver.rs",
    "sched/frame.rs",
    "sched/header.rs",
    "sched/here.rs",
    "sched/inbox.rs",
    "sched/list.rs",
    "sched/look.rs",
    "sched/model.rs",
    "sched/model_root.rs",
    "sched/park.rs",
    "sched/peer.rs",
    "sched/ready.rs",
    "sched/root.rs",
    "sched/scheduler.rs",
    "sched/source.rs",
    "sched/stuck.rs",
    "sched/switch.rs",
    "sched/timers.rs",
    "sched/token.rs",
    "sched/traced.rs",
    "sched/turn.rs",
    "sched/visit.rs",
    "sched/wait.rs",
    "signal/listener.rs",
    "stack/backtrace.rs",
    "stack/chain.rs",
    "stack/grow.rs",
    "stack/grown.rs",
    "stack/overflow/alternate.rs",
    "stack/overflow/context.rs",
    "stack/overflow/mod.rs",
    "stack/overflow/report.rs",
    "stack/overflow/room.rs",
    "stack/overflow/symbols.rs",
    "stack/overflow/trace.rs",
    "stack/overflow/words.rs",
    "stack/unwinder.rs",
    "stack/way.rs",
    "stack/coroutine.rs",
    "stack/exception_table.rs",
    "stack/fiber.rs",
    "stack/frames.rs",
    "stack/platform/limits.rs",
    "stack/platform/linux.rs",
    "stack/platform/mod.rs",
    "stack/platform/pages.rs",
    "stack/platform/portable.rs",
    "stack/platform/protect.rs",
    "stack/platform/valgrind.rs",
    "stack/pool.rs",
    "stack/pool/tests.rs",
    "stack/pool/trim.rs",
    "stack/pool/trim_tests.rs",
    "stack/registry.rs",
    "stack/slab.rs",
    "stack/unwinding_tests.rs",
    "sync/mutex.rs",
    "sync/reentrant_mutex.rs",
    "sync/rw_lock.rs",
    "thread/anywhere.rs",
    "thread/block.rs",
    "thread/callbacks.rs",
    "thread/catch.rs",
    "thread/family.rs",
    "thread/job.rs",
    "thread/join.rs",
    "thread/local_table.rs",
    "thread/memory.rs",
    "thread/outcome.rs",
    "thread/scope.rs",
    "thread/spawn.rs",
    "thread/spawner.rs",
    "thread/try_scope.rs",
    "watchdog/sample.rs",
    "watchdog/signal.rs",
];

/// The one file that may name the crate which switches stacks.
const SWITCH: (&str, &str) = ("corosensei", "stack/coroutine.rs");

/// How many lines of code a file may have; comments and empty lines do not count.
const LONGEST_FILE: usize = 400;

/// Names that say nothing.
const EMPTY_NAMES: [&str; 7] = [
    "util", "utils", "common", "inner", "helper", "helpers", "misc",
];

#[test]
fn imports_point_downward_only() {
    assert_none(checker::upward(&Tree::new(&sources()), &LAYERS));
}

#[test]
fn every_folder_has_its_layer() {
    assert_none(checker::without_layer(&Tree::new(&sources()), &LAYERS));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    assert_none(checker::circles(&Tree::new(&sources())));
}

#[test]
fn waiting_primitives_see_only_the_wait_side_of_the_scheduler() {
    let tree = Tree::new(&sources());
    assert_none(checker::past_the_wait_side(&tree, &LAYERS, &WAIT_SIDE));
}

#[test]
fn unsafe_stays_in_the_files_that_are_listed() {
    assert_none(checker::unlisted_unsafe(&sources(), UNSAFE));
}

#[test]
fn a_file_with_unsafe_says_why_at_its_head() {
    assert_none(checker::unexplained_unsafe(&sources()));
}

#[test]
fn the_list_of_files_with_unsafe_is_not_stale() {
    assert_none(checker::stale_list(&sources(), UNSAFE));
}

#[test]
fn one_file_names_the_switch() {
    let (name, file) = SWITCH;
    assert_none(checker::named_outside(&sources(), name, file));
}

#[test]
fn no_file_is_too_long() {
    assert_none(checker::too_long(&sources(), LONGEST_FILE));
}

#[test]
fn no_file_has_an_empty_name() {
    assert_none(checker::empty_names(&sources(), &EMPTY_NAMES));
}

/// Fails with one line for each finding.
fn assert_none(findings: Vec<String>) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// Every Rust file under `src` with its text, by its path from there, in order.
fn sources() -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = rust_files(&src);
    files.sort();
    assert!(files.len() > 3, "found only {files:?} under src");
    files.iter().map(|file| read(&src, file)).collect()
}

fn read(src: &Path, file: &Path) -> (String, String) {
    let name = file.strip_prefix(src).expect("found under src");
    let text = fs::read_to_string(file).expect("a source file is readable");
    (name.to_string_lossy().replace('\\', "/"), text)
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).expect("src is readable") {
        let path = entry.expect("src is readable").path();
        if path.is_dir() {
            out.extend(rust_files(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            out.push(path);
        }
    }
    out
}
