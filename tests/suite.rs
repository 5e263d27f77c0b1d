//! The suite itself: that what a test leaves behind is found and named, and where the tests run.
//!
//! `cargo test --test suite -- --nocapture every_test` prints how many of each folder run where.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::mem::forget;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use greenthread::generator::Generator;
use greenthread::net::{TcpListener, TcpStream};
use greenthread::sync::Event;
use greenthread::{Builder, park, sleep, spawn, spawn_anywhere, timeout, yield_now};

use support::everywhere::on_each_worker;
use support::panic_text;
use support::teardown::{held, held_for, leaves, leaves_stacks};

/// Longer than any test.
const HOUR: Duration = Duration::from_secs(3600);

/// The folders and files whose tests are about what programs see of green threads: most of them run on workers.
const BEHAVIOUR: [&str; 16] = [
    "attack",
    "blocking",
    "fs",
    "future",
    "generator",
    "generator_faults",
    "generator_in_green_threads",
    "green_threads",
    "grow",
    "io",
    "laws",
    "locals",
    "net",
    "results",
    "select",
    "sync",
];

/// Tests that do not say where they run, and why not.
const AS_THEY_ARE: [(&str, &str); 7] = [
    ("asm_notes", "reads files"),
    ("debugger", "a debugger looks at a process of its own"),
    ("documents", "reads files"),
    ("gallery", "the example's own tests"),
    ("layers", "reads files"),
    ("stress", "has four workers and four OS threads already"),
    ("word_count", "runs the example as a process"),
];

/// What is said about what `body` leaves behind, on an OS thread of its own.
fn said_of(body: fn()) -> String {
    let tried = move || panic_text(|| held_for(Duration::ZERO, body));
    std::thread::spawn(tried).join().unwrap()
}

#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
}

#[test]
fn a_green_thread_left_behind_is_named_with_its_spawn() {
    let text = said_of(|| {
        let lonely = Builder::new().name("lonely".into()).spawn(park).unwrap();
        drop(lonely);
        yield_now();
    });
    let parts = ["1 green thread, 1 stack", "lonely", "suite.rs", "in park"];
    assert_says(&text, &parts);
    assert!(
        !text.contains("timer") && !text.contains("source"),
        "{text}"
    );
}

#[test]
fn a_waiter_left_behind_is_named_with_what_it_waits_in() {
    let text = said_of(|| {
        let event = Rc::new(Event::new());
        let own = Rc::clone(&event);
        drop(spawn(move || own.wait()));
        yield_now();
        forget(event);
    });
    assert_says(&text, &["1 green thread", "waits in Event::wait"]);
}

#[test]
fn a_timer_left_behind_is_named() {
    let text = said_of(|| {
        drop(spawn(|| sleep(HOUR)));
        yield_now();
    });
    assert_says(&text, &["1 timer", "waits in sleep"]);
}

#[test]
fn a_stack_left_behind_is_named_although_no_green_thread_has_it() {
    let text = said_of(|| {
        let generator = Generator::<(), (), ()>::new(|y| y.yield_(()));
        generator.start();
        forget(generator);
    });
    assert_says(&text, &["left behind", ": 1 stack"]);
    assert!(!text.contains("green thread"), "{text}");
}

#[test]
fn a_source_left_behind_is_named_although_nobody_waits_for_it() {
    let text = said_of(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut far, _) = listener.accept().unwrap();
        let waits = timeout(Duration::from_millis(1), || near.read(&mut [0]));
        assert!(waits.is_err());
        far.write_all(b"x").unwrap();
        forget(near);
    });
    assert_says(&text, &["left behind", ": 1 source"]);
}

#[test]
fn what_is_left_behind_on_another_worker_is_named_with_its_name() {
    let text = panic_text(|| {
        on_each_worker(2, Duration::ZERO, || {
            drop(spawn_anywhere(park));
            drop(spawn(park));
            yield_now();
        });
    });
    let parts = ["greenthread-worker-0", "greenthread-worker-1", "suite.rs"];
    assert_says(&text, &parts);
}

#[test]
fn what_only_needs_its_turn_or_is_declared_is_not_left_behind() {
    held(|| drop(spawn(|| (0..100).for_each(|_| yield_now()))));
    held(|| {
        drop(std::thread::spawn(|| ()));
        let event = std::sync::Arc::new(Event::new());
        let own = std::sync::Arc::clone(&event);
        drop(spawn(move || own.wait()));
        yield_now();
        std::thread::spawn(move || event.set());
    });
    std::thread::spawn(|| {
        held(|| {
            leaves(1);
            leaves_stacks(1);
            drop(spawn(|| sleep(HOUR)));
            yield_now();
            let generator = Generator::<(), (), ()>::new(|y| y.yield_(()));
            generator.start();
            forget(generator);
        });
    })
    .join()
    .unwrap();
}

#[test]
fn a_tests_own_panic_is_what_it_fails_with() {
    let text = panic_text(|| {
        held(|| {
            drop(spawn(park));
            panic!("its own");
        });
    });
    assert_eq!(text, "its own");
    let text = panic_text(|| on_each_worker(1, Duration::ZERO, || panic!("on a worker")));
    assert_eq!(text, "on a worker");
}

/// How many tests of one folder say which.
type Row = BTreeMap<&'static str, usize>;

/// The number of tests that run somewhere, by folder or file.
fn table() -> BTreeMap<String, Row> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut table = BTreeMap::<String, Row>::new();
    for file in rust_files(&tests) {
        let inside = file.strip_prefix(&tests).unwrap();
        let first = inside.iter().next().unwrap().to_str().unwrap();
        let row = table.entry(first.trim_end_matches(".rs").to_owned());
        count(&fs::read_to_string(&file).unwrap(), row.or_default());
    }
    table
}

/// Counts where the tests of a file run.
fn count(source: &str, row: &mut Row) {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    for pair in lines.windows(2).filter(|pair| pair[0] == "#[test]") {
        let place = match pair[1] {
            "#[apply(on_workers)]" => "on_workers",
            "#[apply(on_roots)]" => "on_roots",
            "#[apply(once)]" => "once",
            _ => "as it is",
        };
        *row.entry(place).or_default() += 1;
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    let mut out: Vec<_> = folders.iter().flat_map(|one| rust_files(one)).collect();
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "rs");
    out.extend(files.into_iter().filter(is_rust));
    out
}

fn sum(rows: &[&Row], place: &str) -> usize {
    rows.iter().filter_map(|row| row.get(place)).sum()
}

#[test]
fn every_test_says_where_it_runs_and_most_of_behaviour_run_on_workers() {
    let table = table();
    for (name, row) in &table {
        println!("{name:28} {row:?}");
        let excused = name == "suite" || AS_THEY_ARE.iter().any(|(one, _)| one == name);
        let silent = row.get("as it is").copied().unwrap_or(0);
        assert!(
            excused || silent == 0,
            "tests/{name}: {silent} tests without #[apply(on_workers)], on_roots or once"
        );
    }
    let all: Vec<&Row> = BEHAVIOUR.iter().map(|name| &table[*name]).collect();
    let places = ["on_workers", "on_roots", "once"].map(|place| sum(&all, place));
    println!("of behaviour: {places:?} on workers, on roots, once");
    assert!(places[0] > places[1] + places[2], "{places:?}");
}

#[test]
fn tests_are_counted_by_where_they_run() {
    let mut row = Row::new();
    let test = "#[test]\n";
    let source = format!(
        "{test}#[apply(on_workers)]\nfn a() {{}}\n    {test}    #[apply(once)]\n    fn b() {{}}\n{test}fn c() {{}}\n"
    );
    count(&source, &mut row);
    assert_eq!(
        row,
        Row::from([("on_workers", 1), ("once", 1), ("as it is", 1)])
    );
}
