//! Counts the words in all files of a folder and those below it: 64 green threads read, on one OS thread.
//!
//! `cargo run --release --example word_count [FOLDER]`; without a folder, the crate's own `src`. The walk and the readers look as they would with std; what waits is a green thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use greenthread::io::{self, Write};
use greenthread::sync::Queue;
use greenthread::{fs, scope};
use indicatif::{HumanBytes, HumanCount, ProgressBar};

/// How many files are read at a time.
const READERS: usize = 64;

/// How many words the table has.
const TOP: usize = 10;

fn main() -> ExitCode {
    let own = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let folder = std::env::args_os().nth(1).map_or_else(own, PathBuf::from);
    let counts = match greenthread::run(|| count(&folder)) {
        Ok(counts) => counts,
        Err(error) => {
            eprintln!("word_count: {}: {error}", folder.display());
            return ExitCode::FAILURE;
        }
    };
    // A reader of ours that has gone away is not an error.
    let _ = write!(io::stdout(), "{counts}");
    match counts.failures.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Counts what is in `folder`; the error is that it cannot even be opened.
fn count(folder: &Path) -> io::Result<Counts> {
    let entries = fs::read_dir(folder)?;
    let files = Queue::bounded(READERS);
    let counts = RefCell::new(Counts::default());
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(Duration::from_millis(100));

    scope(|s| {
        for _ in 0..READERS {
            s.spawn(|| {
                for path in files.iter() {
                    let contents = fs::read(&path); // parks; 63 others go on
                    counts.borrow_mut().add(path, contents);
                    progress.set_message(counts.borrow().summary());
                }
            });
        }
        walk(entries, &files, &counts);
        files.close();
    });

    progress.finish_and_clear();
    Ok(counts.into_inner())
}

/// Puts every file below into the queue. Links are not followed.
fn walk(entries: fs::ReadDir, files: &Queue<PathBuf>, counts: &RefCell<Counts>) {
    for entry in entries {
        let found = entry.and_then(|entry| Ok((entry.file_type()?, entry.path())));
        match found {
            Ok((kind, path)) if kind.is_dir() => match fs::read_dir(&path) {
                Ok(below) => walk(below, files, counts),
                Err(error) => counts.borrow_mut().fail(path, &error),
            },
            Ok((kind, path)) if kind.is_file() => {
                files.put(path).expect("closed after the walk");
            }
            Ok(_) => {}
            Err(error) => counts.borrow_mut().fail(PathBuf::new(), &error),
        }
    }
}

/// What was counted.
#[derive(Debug, Default)]
struct Counts {
    /// Files that were read.
    files: u64,

    /// Their bytes.
    bytes: u64,

    /// How often each word occurs, in small letters.
    words: HashMap<String, u64>,

    /// What could not be read, and why.
    failures: Vec<String>,
}

impl Counts {
    fn add(&mut self, path: PathBuf, contents: io::Result<Vec<u8>>) {
        match contents {
            Ok(contents) => self.add_text(&contents),
            Err(error) => self.fail(path, &error),
        }
    }

    fn add_text(&mut self, contents: &[u8]) {
        self.files += 1;
        self.bytes += contents.len() as u64;
        let text = String::from_utf8_lossy(contents);
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            if !word.is_empty() {
                *self.words.entry(word.to_lowercase()).or_default() += 1;
            }
        }
    }

    fn fail(&mut self, path: PathBuf, error: &io::Error) {
        self.failures.push(format!("{}: {error}", path.display()));
    }

    fn summary(&self) -> String {
        format!("{} files, {}", self.files, HumanBytes(self.bytes))
    }

    /// The words that occur most, those that occur as often in the order of the alphabet.
    fn top(&self) -> Vec<(&str, u64)> {
        let mut words: Vec<_> = self.words.iter().map(|(word, n)| (&**word, *n)).collect();
        words.sort_unstable_by_key(|(word, n)| (u64::MAX - n, *word));
        words.truncate(TOP);
        words
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: u64 = self.words.values().sum();
        writeln!(f, "files      {}", HumanCount(self.files))?;
        writeln!(f, "bytes      {}", HumanCount(self.bytes))?;
        writeln!(f, "words      {}", HumanCount(words))?;
        writeln!(f, "different  {}", HumanCount(self.words.len() as u64))?;
        for (word, n) in self.top() {
            writeln!(f, "{:>9}  {word}", HumanCount(n).to_string())?;
        }
        for failure in &self.failures {
            writeln!(f, "not read   {}", failure.replace(char::is_control, "?"))?;
        }
        Ok(())
    }
}
