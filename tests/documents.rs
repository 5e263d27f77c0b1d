//! The documents say what is so: every law has its tests, every test of a law is in the table of `SECURITY.md`, and the guide has what the Python programs use.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// How many laws there are.
const LAWS: usize = 19;

/// How many decisions.
const DECISIONS: usize = 9;

/// The modules of Python whose names the guide must have, all that programs use of them.
const PYTHON: [&str; 3] = ["asyncio.", "queue.", "threading."];

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: impl AsRef<Path>) -> String {
    let file = package().join(file);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The rows of the table of laws: the law's name, and the tests in backquotes.
fn table() -> Vec<(String, BTreeSet<String>)> {
    let text = read("SECURITY.md");
    let rows = text.lines().filter(|line| line.starts_with("| L"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 5, "{row}");
        let tests = cells[3].split('`').skip(1).step_by(2);
        (cells[1].to_owned(), tests.map(str::to_owned).collect())
    })
    .collect()
}

/// The names of all test functions of the package.
fn test_functions() -> BTreeSet<String> {
    let mut files = rust_files(&package().join("src"));
    files.extend(rust_files(&package().join("tests")));
    files
        .iter()
        .flat_map(|file| tests_in(&read(file)))
        .collect()
}

/// The functions in `source` that stand behind a `#[test]`.
fn tests_in(source: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut behind = false;
    for line in source.lines().map(str::trim) {
        behind |= line == "#[test]";
        if let (true, Some((_, rest))) = (behind, line.split_once("fn ")) {
            out.extend(rest.split_once('(').map(|(name, _)| name.to_owned()));
            behind = false;
        }
    }
    out
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    files(folder, "rs")
}

/// The files under `folder` of this kind.
fn files(folder: &Path, wanted: &str) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of the package") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            out.extend(files(&path, wanted));
        } else if path.extension().is_some_and(|kind| kind == wanted) {
            out.push(path);
        }
    }
    out
}

/// Whether a test's name says that it holds a law: `l4_..`.
fn names_a_law(test: &str) -> bool {
    let number = test.strip_prefix('l').and_then(|rest| rest.split_once('_'));
    number.is_some_and(|(digits, _)| digits.parse::<usize>().is_ok())
}

fn is_in_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// What a Python program uses of these modules, by the last part of the name: `asyncio.sleep` is `sleep`.
fn python_names(program: &str) -> BTreeSet<&str> {
    let uses = PYTHON.iter().flat_map(|module| {
        let found = program.match_indices(module);
        found.filter(|(at, _)| !program[..*at].ends_with(is_in_word))
    });
    uses.filter_map(|(at, module)| {
        program[at + module.len()..]
            .split(|c| !is_in_word(c))
            .next()
    })
    .filter(|name| !name.is_empty())
    .collect()
}

#[test]
fn the_guide_has_every_name_that_the_python_programs_use() {
    let guide = read("src/guide/asyncio.rs");
    let words: BTreeSet<&str> = guide.split(|c| !is_in_word(c)).collect();
    let programs = files(&package().join("tests/parity/python"), "py");
    assert!(!programs.is_empty());
    for program in programs {
        let text = read(&program);
        let names = python_names(&text);
        let missing: Vec<&&str> = names.difference(&words).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", program.display());
    }
}

#[test]
fn names_of_python_are_found_behind_their_modules() {
    let found = python_names("await asyncio.sleep(1)\nmy_queue.put(queue.Empty) # threading.");
    assert_eq!(found, BTreeSet::from(["sleep", "Empty"]));
}

#[test]
fn every_law_has_a_test() {
    let rows = table();
    let laws: Vec<&str> = rows.iter().map(|(law, _)| law.as_str()).collect();
    let expected: Vec<String> = (1..=LAWS).map(|number| format!("L{number}")).collect();
    assert_eq!(laws, expected);
    let bare: Vec<&str> = rows
        .iter()
        .filter(|(_, tests)| tests.is_empty())
        .map(|(law, _)| law.as_str())
        .collect();
    assert!(bare.is_empty(), "no test holds {bare:?}");
}

#[test]
fn every_test_in_the_table_of_laws_exists() {
    let known = test_functions();
    for (law, tests) in table() {
        let missing: Vec<&String> = tests.difference(&known).collect();
        assert!(missing.is_empty(), "{law}: no test function {missing:?}");
    }
}

#[test]
fn every_test_named_after_a_law_is_in_its_row() {
    let rows = table();
    for test in test_functions().iter().filter(|test| names_a_law(test)) {
        let number = test[1..].split('_').next().expect("a number");
        let row = rows.iter().find(|(law, _)| law[1..] == *number);
        let listed = row.is_some_and(|(_, tests)| tests.contains(test));
        assert!(listed, "SECURITY.md does not list `{test}` for L{number}");
    }
}

#[test]
fn the_architecture_has_every_law_and_every_decision() {
    let text = read("ARCHITECTURE.md");
    for law in 1..=LAWS {
        assert_eq!(text.matches(&format!("- **L{law}** ")).count(), 1, "L{law}");
    }
    for decision in 1..=DECISIONS {
        assert_eq!(
            text.matches(&format!("**D{decision} ")).count(),
            1,
            "D{decision}"
        );
    }
}

#[test]
fn test_functions_are_found_behind_their_attribute() {
    let source = "#[test]\n#[should_panic(expected = \"x\")]\nfn l1_a() {}\nfn helper() {}\n    #[test]\n    fn b() {}\n";
    assert_eq!(tests_in(source), ["l1_a", "b"]);
    assert!(names_a_law("l19_a") && !names_a_law("lock_a") && !names_a_law("l_a"));
}
