//! What is counted while the downloads run, and the table at the end.

use crate::failure::Failure;
use crate::server;
use indicatif::{HumanBytes, HumanCount};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The counts of a run.
///
/// Plain cells, no atomics and no lock: all downloaders live on one OS thread.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Where the pictures go.
    folder: PathBuf,

    /// The embedded server, which fails some pictures on purpose.
    server: Option<SocketAddr>,

    /// When the run began.
    began: Instant,

    /// How many pictures were saved.
    files: Cell<u64>,

    /// Their bytes.
    bytes: Cell<u64>,

    /// How many downloads are under way.
    flying: Cell<u64>,

    /// The most that were under way at once.
    most_flying: Cell<u64>,

    /// What failed, with its address, in the order in which it did.
    failures: RefCell<Vec<(String, Failure)>>,
}

impl Tally {
    /// Starts the clock.
    pub(crate) fn new(folder: &Path, server: Option<SocketAddr>) -> Self {
        Tally {
            folder: folder.to_owned(),
            server,
            began: Instant::now(),
            files: Cell::new(0),
            bytes: Cell::new(0),
            flying: Cell::new(0),
            most_flying: Cell::new(0),
            failures: RefCell::default(),
        }
    }

    /// Runs `download` and counts it as under way meanwhile.
    pub(crate) fn in_flight<T>(&self, download: impl FnOnce() -> T) -> T {
        self.flying.set(self.flying.get() + 1);
        self.most_flying
            .set(self.most_flying.get().max(self.flying.get()));
        let outcome = download();
        self.flying.set(self.flying.get() - 1);
        outcome
    }

    /// Notes how the download of `address` ended.
    pub(crate) fn record(&self, address: String, outcome: Result<u64, Failure>) {
        match outcome {
            Ok(bytes) => {
                self.files.set(self.files.get() + 1);
                self.bytes.set(self.bytes.get() + bytes);
            }
            Err(failure) => self.failures.borrow_mut().push((address, failure)),
        }
    }

    /// Whether nothing failed but what the embedded server fails on purpose.
    pub(crate) fn all_went_as_planned(&self) -> bool {
        let failures = self.failures.borrow();
        failures
            .iter()
            .all(|(address, failure)| self.planned(address, failure))
    }

    /// Whether the embedded server failed this download on purpose.
    fn planned(&self, address: &str, failure: &Failure) -> bool {
        self.server
            .is_some_and(|server| server::planned(server, address, failure))
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failures = self.failures.borrow();
        writeln!(f, "folder          {}", self.folder.display())?;
        writeln!(f, "files           {}", HumanCount(self.files.get()))?;
        writeln!(f, "bytes           {}", HumanBytes(self.bytes.get()))?;
        writeln!(
            f,
            "time            {:.2} s",
            self.began.elapsed().as_secs_f64()
        )?;
        writeln!(f, "most in flight  {}", HumanCount(self.most_flying.get()))?;
        writeln!(f, "failures        {}", HumanCount(failures.len() as u64))?;
        for (address, failure) in failures.iter() {
            let kind = if self.planned(address, failure) {
                "expected"
            } else {
                "FAILED"
            };
            writeln!(
                f,
                "  {kind:<8}  {}",
                one_line(&format!("{address}  {failure}"))
            )?;
        }
        Ok(())
    }
}

/// The text without control characters: what a server or a list says cannot break lines or drive the terminal.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, "?")
}

/// Prints to stdout; a reader that has gone away is not an error.
pub(crate) fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_counts_and_one_line_a_failure() {
        let tally = Tally::new(Path::new("/pictures"), None);
        tally.in_flight(|| tally.in_flight(|| ()));
        tally.in_flight(|| ());
        tally.record("http://h/a".to_owned(), Ok(2048));
        tally.record("http://h/\u{1b}[2J\nb".to_owned(), Err(Failure::NoAnswer));
        let table = tally.to_string();
        for line in [
            "folder          /pictures",
            "files           1",
            "bytes           2.00 KiB",
        ] {
            assert!(table.contains(line), "{table}");
        }
        assert!(
            table.contains("most in flight  2\nfailures        1\n"),
            "{table}"
        );
        assert!(table.ends_with(
            "  FAILED    http://h/?[2J?b  the server closed the connection without an answer\n"
        ));
        assert!(!tally.all_went_as_planned());
    }
}
