//! The recorded counts: a comment that names the toolchain, a line of headings, and a line for each operation.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::callgrind::Count;

/// Where they are kept.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.csv");

/// The headings.
const HEADINGS: &str = "operation,instructions,allocations";

/// What was recorded.
#[derive(Debug)]
pub(crate) struct Table {
    /// What it was recorded with.
    pub(crate) toolchain: String,

    /// By operation.
    rows: Vec<(String, Count)>,
}

impl Table {
    pub(crate) fn read() -> Self {
        let text = fs::read_to_string(Path::new(FILE)).expect("the file of counts is there");
        let toolchain = text.lines().next().and_then(|line| line.strip_prefix("# "));
        let rows = text
            .lines()
            .filter(|line| !line.starts_with('#') && *line != HEADINGS);
        Table {
            toolchain: toolchain
                .expect("the first line names the toolchain")
                .into(),
            rows: rows
                .map(|line| row(line).unwrap_or_else(|| panic!("not a row: {line}")))
                .collect(),
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<Count> {
        let row = self.rows.iter().find(|(own, _)| own == name);
        row.map(|(_, count)| *count)
    }

    pub(crate) fn write(rows: &[(&str, Count)]) {
        let mut text = format!("# {}\n{HEADINGS}\n", toolchain());
        for (
            name,
            Count {
                instructions,
                allocations,
            },
        ) in rows
        {
            let _ = writeln!(text, "{name},{instructions},{allocations}");
        }
        fs::write(FILE, text).expect("the file of counts can be written");
    }
}

fn row(line: &str) -> Option<(String, Count)> {
    let mut cells = line.split(',');
    let name = cells.next()?.to_owned();
    let instructions = cells.next()?.parse().ok()?;
    let allocations = cells.next()?.parse().ok()?;
    Some((
        name,
        Count {
            instructions,
            allocations,
        },
    ))
}

/// What this was compiled with: the compiler's version and the host.
pub(crate) fn toolchain() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().expect("rustc runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.lines().next().unwrap_or_default();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    format!("{version}, {}", host.unwrap_or_default())
}
