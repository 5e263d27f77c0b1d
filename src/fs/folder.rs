//! The entries of a folder, read in batches.
//!
//! A batch that a cancelled caller has left to the pool is found by the next call, so no entry is lost (L16).

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::blocking::errand::{Errand, ask, may_wait};

/// How many entries are read in one trip to the pool.
const BATCH: usize = 256;

/// Returns an iterator over the entries of a folder, in the file system's order and without `.` and `..`.
///
/// Parks until the folder is open. A cancellation is raised there. On the root and on a plain OS thread the wait runs the event loop.
///
/// # Errors
/// The system's.
///
/// # Examples
/// ```
/// use greenthread::fs;
/// let mut entries = fs::read_dir("src")?;
/// assert!(entries.any(|entry| entry.is_ok_and(|entry| entry.file_name() == "lib.rs")));
/// # std::io::Result::Ok(())
/// ```
pub fn read_dir(path: impl AsRef<Path>) -> io::Result<ReadDir> {
    let path = path.as_ref().to_owned();
    let folder = ask(move || fs::read_dir(path))?;
    Ok(ReadDir {
        batch: VecDeque::new(),
        rest: Rest::Here(folder),
    })
}

/// The entries of a folder: [`std::fs::ReadDir`] for green threads. See [`read_dir`].
///
/// `next` parks once for 256 entries. A cancellation is raised there, and loses none of them.
#[derive(Debug)]
pub struct ReadDir {
    /// Read, and not given out.
    batch: VecDeque<io::Result<DirEntry>>,

    /// What is still to be read.
    rest: Rest,
}

/// Where the folder is.
#[derive(Debug)]
enum Rest {
    /// Here, with more to come.
    Here(fs::ReadDir),

    /// In the pool, which brings it back with a batch.
    Away(Errand<(fs::ReadDir, Vec<io::Result<DirEntry>>)>),

    /// At its end.
    Over,
}

impl Iterator for ReadDir {
    type Item = io::Result<DirEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.batch.is_empty()
            && let Err(error) = self.more()
        {
            return Some(Err(error));
        }
        self.batch.pop_front()
    }
}

impl ReadDir {
    /// Has the next batch read, unless that is under way, and waits for it.
    fn more(&mut self) -> io::Result<()> {
        if matches!(self.rest, Rest::Over) {
            return Ok(());
        }
        may_wait()?;
        self.rest = match std::mem::replace(&mut self.rest, Rest::Over) {
            Rest::Here(folder) => Rest::Away(Errand::begin(move || next_batch(folder))),
            rest => rest,
        };
        if let Rest::Away(reading) = &self.rest {
            reading.wait()?;
        }
        if let Rest::Away(reading) = std::mem::replace(&mut self.rest, Rest::Over) {
            let (folder, batch) = reading.result()?;
            if batch.len() == BATCH {
                self.rest = Rest::Here(folder);
            }
            self.batch = batch.into();
        }
        Ok(())
    }
}

fn next_batch(mut folder: fs::ReadDir) -> (fs::ReadDir, Vec<io::Result<DirEntry>>) {
    let entries = folder.by_ref().take(BATCH);
    let batch = entries.map(|entry| entry.map(DirEntry::new)).collect();
    (folder, batch)
}

/// An entry of a folder: [`std::fs::DirEntry`] for green threads.
pub struct DirEntry {
    /// What std knows.
    entry: fs::DirEntry,

    /// What kind it is, if that was to be had with the entry.
    kind: Option<FileType>,
}

impl DirEntry {
    /// On an OS thread of the pool.
    fn new(entry: fs::DirEntry) -> Self {
        let kind = entry.file_type().ok();
        DirEntry { entry, kind }
    }

    /// Returns its path: that of the folder, as it was given, and its name.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.entry.path()
    }

    /// Returns its name, which need not be UTF-8.
    #[must_use]
    pub fn file_name(&self) -> OsString {
        self.entry.file_name()
    }

    /// Returns the number of its inode.
    #[must_use]
    pub fn ino(&self) -> u64 {
        std::os::unix::fs::DirEntryExt::ino(&self.entry)
    }

    /// Tells whether it is a file, a folder or a link, which is not followed.
    ///
    /// Does not block, unless that could not be had with the entry: then it parks as [`metadata`](Self::metadata) does.
    ///
    /// # Errors
    /// The system's.
    pub fn file_type(&self) -> io::Result<FileType> {
        match self.kind {
            Some(kind) => Ok(kind),
            None => self.metadata().map(|known| known.file_type()),
        }
    }

    /// Tells what the file system knows of it, of a link and not of what it points to.
    ///
    /// Parks until the pool has asked. A cancellation is raised there. On the root and on a plain OS thread the wait runs the event loop.
    ///
    /// # Errors
    /// The system's; `NotFound` when it has gone.
    pub fn metadata(&self) -> io::Result<Metadata> {
        super::symlink_metadata(self.path())
    }
}

impl fmt::Debug for DirEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DirEntry").field(&self.path()).finish()
    }
}
