//! File work that is moved to threads round-trips its bytes, overlaps with the loop, and raises its errors where it is waited for.
//!
//! In real time: a virtual clock stands while a blocking job runs.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use greenthread::fs::{self, TempDir};
use greenthread::{gather, io, run, spawn};

use crate::Log;
use crate::log::say;

fn write_and_measure(path: &Path, text: &str) -> io::Result<u64> {
    fs::write(path, text)?;
    Ok(fs::metadata(path)?.len())
}

fn names(folder: &Path) -> io::Result<String> {
    let entries = fs::read_dir(folder)?;
    let names: io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.file_name())).collect();
    let mut names: Vec<_> = names?
        .into_iter()
        .map(|name| name.into_string().unwrap())
        .collect();
    names.sort();
    Ok(names.join(" "))
}

fn round_trip(folder: &Path, n: usize) -> io::Result<(String, u64, usize)> {
    let name = format!("note{n}.txt");
    let path = folder.join(&name);
    let size = write_and_measure(&path, &format!("line {n}\n").repeat(n))?;
    let text = fs::read_to_string(&path)?;
    Ok((name, size, text.matches('\n').count()))
}

fn main(log: &Log) -> io::Result<()> {
    let folder: PathBuf = {
        let with = TempDir::new()?;
        let folder = with.path();
        let jobs = [3, 1, 2].map(|n| {
            let folder = folder.to_owned();
            spawn(move || round_trip(&folder, n))
        });
        for row in gather(jobs) {
            let (name, size, lines) = row.unwrap()?;
            say!(log, "{name} {size} bytes, {lines} lines");
        }
        say!(log, "files: {}", names(folder)?);
        let missing = fs::read_to_string(folder.join("missing.txt"));
        if missing.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            say!(log, "reading a missing file raises at the await");
        }
        fs::remove_file(folder.join("note1.txt"))?;
        say!(log, "files: {}", names(folder)?);
        folder.to_owned()
    };
    let state = if fs::exists(folder)? {
        "still there"
    } else {
        "gone"
    };
    say!(log, "folder is {state}");
    Ok(())
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log)).unwrap();
    log.assert_says(include_str!("python/32_to_thread_files.out"));
}
