//! `EXCEPTIONS.md` and the ports say the same: every line listed is said through `instead`, and no other is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// How many exceptions there may be over all programs.
const MOST: usize = 6;

/// A program's name and one of its lines.
type Exception = (String, String);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The names of the files in `folder` that end in `ending`, without it.
fn stems(folder: &Path, ending: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("the folder is part of the package");
    let names = entries.map(|entry| entry.expect("a readable entry").file_name());
    names
        .filter_map(|name| Some(name.to_str()?.strip_suffix(ending)?.to_owned()))
        .collect()
}

/// The rows `` | `program` | `line` | .. | `` of the list.
fn listed() -> BTreeSet<Exception> {
    let text = read(&folder().join("EXCEPTIONS.md"));
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let mut cells = row.split('`');
        let program = cells.nth(1).expect("a program in backquotes");
        let line = cells.nth(1).expect("a line in backquotes");
        (program.to_owned(), line.to_owned())
    })
    .collect()
}

/// What the ports say through `instead`.
fn said_instead() -> BTreeSet<Exception> {
    let mut out = BTreeSet::new();
    for port in stems(&folder(), ".rs") {
        let Some(program) = port.strip_prefix('p') else {
            continue;
        };
        let text = read(&folder().join(format!("{port}.rs")));
        for call in text.split(".instead(").skip(1) {
            let line = call.split('"').nth(1).expect("the line comes first");
            out.insert((program.to_owned(), line.to_owned()));
        }
    }
    out
}

#[test]
#[apply(on_workers)]
fn every_exception_is_listed_and_every_listed_one_is_checked() {
    assert_eq!(listed(), said_instead());
}

#[test]
#[apply(on_workers)]
fn exceptions_are_few() {
    let count = listed().len();
    assert!((1..=MOST).contains(&count), "{count} exceptions");
}

#[test]
#[apply(on_workers)]
fn every_exception_is_a_line_of_its_program() {
    for (program, line) in listed() {
        let out = read(&folder().join(format!("python/{program}.out")));
        assert!(out.lines().any(|own| own == line), "{program}: {line}");
    }
}

#[test]
#[apply(on_workers)]
fn every_python_program_has_its_transcript() {
    let programs = stems(&folder().join("python"), ".py");
    assert_eq!(programs.len(), 32);
    assert_eq!(programs, stems(&folder().join("python"), ".out"));
}

#[test]
#[apply(on_workers)]
fn every_port_is_of_a_program_and_is_compared_with_its_transcript() {
    let programs = stems(&folder().join("python"), ".py");
    let main = read(&folder().join("main.rs"));
    for port in stems(&folder(), ".rs") {
        if let Some(program) = port.strip_prefix('p') {
            assert!(programs.contains(program), "{port}.rs ports no program");
            assert!(
                main.contains(&format!("\nmod {port};\n")),
                "{port}.rs is not run"
            );
            let text = read(&folder().join(format!("{port}.rs")));
            let compares = format!("assert_says(include_str!(\"python/{program}.out\"))");
            assert!(text.contains(&compares), "{port}.rs is not compared");
        }
    }
}
