//! The kept programs: small ones for faults that there were, in `corpus`. They are run first.

use std::{fs, io};

use crate::crew::try_file;

/// Where they are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus");

/// What came of them.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// How many there are.
    pub(crate) programs: usize,

    /// With how many something is wrong.
    pub(crate) wrong: usize,
}

/// Runs them all, each in a process of its own.
pub(crate) fn run() -> io::Result<Kept> {
    let files = fs::read_dir(FOLDER)?.map(|entry| Ok(entry?.path()));
    let mut files = files.collect::<io::Result<Vec<_>>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "ron"));
    files.sort();
    let mut kept = Kept {
        programs: files.len(),
        wrong: 0,
    };
    for path in files {
        let path = path.to_string_lossy();
        if let Some(trouble) = try_file(&path)? {
            println!("{path}: {trouble:?}");
            kept.wrong += 1;
        }
    }
    Ok(kept)
}
