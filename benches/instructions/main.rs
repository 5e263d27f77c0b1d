//! What operations cost in instructions, which no clock has a say in: counted under callgrind and compared with `benches/instructions.csv`.
//!
//! ```text
//! cargo bench --bench instructions               compares; fails when a count is off by more than three per cent
//! cargo bench --bench instructions -- yield_now  only these operations
//! cargo bench --bench instructions -- --record   writes the file anew
//! cargo bench --bench instructions -- --run yield_now 1000   does one operation so often and says how often that allocated
//! cargo bench --bench instructions -- --stand    has stacks in every state, for a debugger
//! ```
//!
//! The program runs itself, each operation at two lengths; what the longer run takes more, divided by how much longer it is, is the cost of one, and start and end drop
//! out. On another toolchain than the file's, code is generated differently: there only a count that is far higher fails.
//!
//! It wants valgrind. Nothing here waits for input or output or for a clock, addresses are fixed (`setarch -R`, where it may), and the environment is empty.

mod allocator;
mod callgrind;
mod stand;
mod table;
mod works;

use std::process::ExitCode;

use callgrind::Count;
use table::Table;
use works::WORKS;

/// How far a count may be off on the toolchain of the file, up or down.
const NEAR: f64 = 0.03;

/// How much higher a count may be on another one.
const FAR: f64 = 0.30;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut words = arguments
        .iter()
        .map(String::as_str)
        .filter(|word| *word != "--bench");
    match words.next() {
        Some("--run") => run(words.next(), words.next()),
        Some("--record") => record(),
        Some("--stand") => stand(),
        first => compare(&first.into_iter().chain(words).collect::<Vec<_>>()),
    }
}

/// The inner run: does one operation so often, and says on stdout how many allocations that took.
fn run(name: Option<&str>, times: Option<&str>) -> ExitCode {
    let work = WORKS.iter().find(|work| Some(work.name) == name);
    let times = times.and_then(|times| times.parse().ok());
    let (Some(work), Some(times)) = (work, times) else {
        eprintln!("--run wants the name of an operation, and how often");
        return ExitCode::FAILURE;
    };
    let before = allocator::allocations();
    greenthread::run(|| (work.repeat)(times));
    println!("{}", allocator::allocations() - before);
    ExitCode::SUCCESS
}

/// For a debugger.
fn stand() -> ExitCode {
    stand::stand();
    ExitCode::SUCCESS
}

fn record() -> ExitCode {
    let counts = WORKS.iter().map(|work| (work.name, callgrind::count(work)));
    let counts: Vec<_> = counts
        .inspect(|(name, count)| println!("{name}: {count}"))
        .collect();
    Table::write(&counts);
    ExitCode::SUCCESS
}

fn compare(names: &[&str]) -> ExitCode {
    let table = Table::read();
    let is_same = table.toolchain == table::toolchain();
    if !is_same {
        println!(
            "not run: the close comparison, since the counts are of {} and this is {}; only what is {} % higher fails",
            table.toolchain,
            table::toolchain(),
            FAR * 100.0
        );
    }
    let chosen = WORKS
        .iter()
        .filter(|work| names.is_empty() || names.contains(&work.name));
    let failed = chosen
        .filter(|work| !is_near(&table, work.name, callgrind::count(work), is_same))
        .count();
    if failed == 0 {
        return ExitCode::SUCCESS;
    }
    println!(
        "{failed} not as recorded; if that is meant: cargo bench --bench instructions -- --record"
    );
    ExitCode::FAILURE
}

/// Prints one row, and says whether it is as it should be.
fn is_near(table: &Table, name: &str, now: Count, is_same: bool) -> bool {
    let Some(was) = table.find(name) else {
        println!("{name:16} {now}, and nothing recorded  <--");
        return false;
    };
    let change = now.instructions / was.instructions - 1.0;
    let is_near = if is_same {
        change.abs() <= NEAR
    } else {
        change <= FAR
    };
    let is_near = is_near && now.allocations <= was.allocations;
    let mark = if is_near { "" } else { "  <--" };
    println!(
        "{name:16} {now}, recorded {was}: {:+.1} %{mark}",
        change * 100.0
    );
    is_near
}
