//! Real servers for the tests: found, started on the loopback, stopped by their process ids.
//!
//! A test whose server is not installed says so by name and passes; with `CI=true` that is a failure.

#![allow(dead_code, unused_imports, reason = "each test file uses a part")]

mod folder;
mod program;
mod server;

pub(crate) mod postgres;
pub(crate) mod redis;

use std::env;
use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

pub(crate) use folder::Folder;
pub(crate) use program::Program;

/// Where a program is, if it is installed.
///
/// # Panics
/// When it is not, and `CI=true`.
pub(crate) fn installed(program: &str) -> Option<PathBuf> {
    installed_among(program, &[])
}

/// The same, looked for in `places` too: not every package puts its programs on the path.
pub(crate) fn installed_among(program: &str, places: &[PathBuf]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .chain(places.iter().cloned())
        .map(|place| place.join(program))
        .find(|file| file.is_file());
    if found.is_none() {
        let ci = env::var_os("CI");
        assert!(
            ci.as_deref() != Some(OsStr::new("true")),
            "{program} is not installed"
        );
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        // Past the test harness, which would keep it to itself.
        let _ = writeln!(io::stderr(), "skipped: {test}: {program} is not installed");
    }
    found
}

/// Whether we are root, whom some servers refuse.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    Path::new("/proc/self")
        .metadata()
        .is_ok_and(|process| process.uid() == 0)
}
