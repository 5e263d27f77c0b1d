//! Runs the gallery's program in a folder of its own, and reads what it printed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The example's program, built now: `cargo test --test gallery` alone builds no example.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    // `<target>/<profile>/deps/<this test>`
    let this = std::env::current_exe().unwrap();
    let folder = this.parent().and_then(Path::parent).unwrap();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        other => other.unwrap(),
    };
    let mut build = Command::new(env!("CARGO"));
    build.current_dir(env!("CARGO_MANIFEST_DIR"));
    build.args(["build", "--quiet", "--example", "gallery"]);
    build.args(["--profile", profile, "--target-dir"]);
    build.arg(folder.parent().unwrap());
    let status = build.status().unwrap();
    assert!(status.success(), "the example does not build");
    let name = format!("gallery{}", std::env::consts::EXE_SUFFIX);
    folder.join("examples").join(name)
});

/// A folder that is removed at the end, for pictures and lists.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A fresh one.
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("greenthread-gallery-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Scratch(path)
    }

    /// Writes a file beside the pictures' folder.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Every file in the pictures' folder, hidden ones too.
    pub(crate) fn pictures(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.0.join("pictures"))
    }

    /// The names of what lies beside the pictures' folder, and its own.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string());
        names.map(Result::unwrap).collect()
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Runs the gallery with `--out` set to the pictures' folder.
    pub(crate) fn gallery(&self, arguments: &[&str]) -> Ran {
        let mut all = vec!["--out", "pictures"];
        all.extend(arguments);
        self.bare(&all)
    }

    /// Runs the gallery with these arguments alone.
    pub(crate) fn bare(&self, arguments: &[&str]) -> Ran {
        let mut program = Command::new(&*PROGRAM);
        program
            .args(arguments)
            .current_dir(&self.0)
            .env("TMPDIR", &self.0);
        let output = program.output().unwrap();
        Ran {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a run of the program left.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit status, if it ended by itself.
    pub(crate) status: Option<i32>,

    /// The table, or the help.
    pub(crate) stdout: String,

    /// Complaints.
    pub(crate) stderr: String,
}

impl Ran {
    /// The value of a line of the table.
    pub(crate) fn value(&self, name: &str) -> &str {
        let line = self.stdout.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {self:?}"))
            .trim()
    }

    /// The lines of the table that mention `text`.
    pub(crate) fn lines_with(&self, text: &str) -> Vec<&str> {
        self.stdout
            .lines()
            .filter(|line| line.contains(text))
            .collect()
    }

    /// The one line of the table that mentions `text`.
    pub(crate) fn line_with(&self, text: &str) -> &str {
        match self.lines_with(text).as_slice() {
            [line] => line,
            lines => panic!("{text}: {lines:?} in {self:?}"),
        }
    }
}

/// Every file in a folder, with its bytes.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
    named
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect()
}
