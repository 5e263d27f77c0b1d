//! Runs the word counter as people run it, and counts the same with std.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

/// The example's program, built now: `cargo test --test word_count` alone builds no example.
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
    build.args(["build", "--quiet", "--example", "word_count"]);
    build.args(["--profile", profile, "--target-dir"]);
    let status = build.arg(folder.parent().unwrap()).status().unwrap();
    assert!(status.success(), "the example does not build");
    let name = format!("word_count{}", std::env::consts::EXE_SUFFIX);
    folder.join("examples").join(name)
});

fn run(arguments: &[&Path]) -> Output {
    Command::new(&*PROGRAM).args(arguments).output().unwrap()
}

/// What it prints for `folder`, by std alone.
fn expected(folder: &Path) -> String {
    let (mut files, mut bytes, mut words) = (0, 0, BTreeMap::new());
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let contents = fs::read(entry.path()).unwrap();
            (files, bytes) = (files + 1, bytes + contents.len());
            let text = String::from_utf8_lossy(&contents).to_lowercase();
            let found = text.split(|c: char| !c.is_alphanumeric());
            for word in found.filter(|word| !word.is_empty()) {
                *words.entry(word.to_owned()).or_insert(0) += 1;
            }
        }
    }
    table(files, bytes, &words)
}

fn table(files: usize, bytes: usize, words: &BTreeMap<String, usize>) -> String {
    let mut top: Vec<_> = words.iter().collect();
    // Stable: those that occur as often stay in the order of the alphabet.
    top.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    let top = top.iter().take(10);
    let top: String = top
        .map(|(word, n)| format!("{:>9}  {word}\n", thousands(**n)))
        .collect();
    let [files, bytes, different] = [files, bytes, words.len()].map(thousands);
    let words = thousands(words.values().sum());
    format!(
        "files      {files}\nbytes      {bytes}\nwords      {words}\ndifferent  {different}\n{top}"
    )
}

/// With a comma before every three digits.
fn thousands(n: usize) -> String {
    match n {
        0..1000 => n.to_string(),
        _ => format!("{},{:03}", thousands(n / 1000), n % 1000),
    }
}

#[test]
fn it_counts_what_std_counts() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for arguments in [&[][..], &[&*own]] {
        let ran = run(arguments);
        assert!(ran.status.success(), "{ran:?}");
        assert_eq!(String::from_utf8(ran.stdout).unwrap(), expected(&own));
    }
}

#[test]
fn a_folder_that_is_not_there_is_one_clear_line() {
    let ran = run(&[Path::new("/no/such/folder")]);
    assert_eq!(ran.status.code(), Some(1));
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(said.starts_with("word_count: /no/such/folder: "), "{said}");
    assert_eq!(said.lines().count(), 1);
}
