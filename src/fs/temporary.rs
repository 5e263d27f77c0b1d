//! Files and folders that go with their handles.
//!
//! Our own few lines, where a crate would do too: making a folder, or a file with `create_new`, is exclusive, so all that is needed besides is a name that nobody guesses.

use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::mem;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::file::File;
use crate::blocking::errand::{ask, see_to};

/// How many names are tried.
const TRIES: usize = 64;

/// A folder of its own, removed with everything in it when this is dropped; only its owner may enter it.
///
/// # Examples
/// ```
/// use greenthread::fs::{self, TempDir};
/// let folder = TempDir::new()?;
/// fs::write(folder.path().join("note"), "text")?;
/// let path = folder.path().to_owned();
/// drop(folder);
/// assert!(!fs::exists(path)?);
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct TempDir(PathBuf);

impl TempDir {
    /// Makes a folder in [the system's place for such](std::env::temp_dir).
    ///
    /// Parks until the pool has made it. A cancellation is raised there, and a folder that was made is removed. On the root and on a plain OS thread the wait runs the event loop.
    ///
    /// # Errors
    /// The system's.
    pub fn new() -> io::Result<TempDir> {
        TempDir::new_in(std::env::temp_dir())
    }

    /// Makes a folder in `place`.
    ///
    /// Parks, and is cancelled, as [`new`](Self::new).
    ///
    /// # Errors
    /// The system's.
    pub fn new_in(place: impl AsRef<Path>) -> io::Result<TempDir> {
        let place = place.as_ref().to_owned();
        let make = |path: &Path| fs::DirBuilder::new().mode(0o700).create(path);
        ask(move || unused_name(&place, make).map(|(path, ())| TempDir(path)))
    }

    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Lets it stay, and returns its path.
    #[must_use = "the folder stays"]
    pub fn keep(mut self) -> PathBuf {
        let path = mem::take(&mut self.0);
        mem::forget(self);
        path
    }

    /// Removes it now, and tells how that went.
    ///
    /// Parks until the pool has done it. A cancellation is raised there, and the removal finished. On the root and on a plain OS thread the wait runs the event loop.
    ///
    /// # Errors
    /// The system's.
    pub fn close(self) -> io::Result<()> {
        super::remove_dir_all(self.keep())
    }
}

impl Drop for TempDir {
    /// Parks until the pool has removed it; nothing ends that wait.
    fn drop(&mut self) {
        let path = mem::take(&mut self.0);
        see_to(move || drop(fs::remove_dir_all(path)));
    }
}

impl AsRef<Path> for TempDir {
    fn as_ref(&self) -> &Path {
        self.path()
    }
}

/// A file of its own, for reading and writing, removed when this is dropped; only its owner may open it.
///
/// # Examples
/// ```
/// use greenthread::{fs::{self, TempFile}, io::Write};
/// let file = TempFile::new()?;
/// file.file().write_all(b"text")?;
/// assert_eq!(fs::read_to_string(file.path())?, "text");
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct TempFile {
    /// Where it is.
    path: Removed,

    /// It is open.
    file: File,
}

impl TempFile {
    /// Makes a file in [the system's place for such](std::env::temp_dir).
    ///
    /// Parks until the pool has made it. A cancellation is raised there, and a file that was made is removed. On the root and on a plain OS thread the wait runs the event loop.
    ///
    /// # Errors
    /// The system's.
    pub fn new() -> io::Result<TempFile> {
        TempFile::new_in(std::env::temp_dir())
    }

    /// Makes a file in `place`.
    ///
    /// Parks, and is cancelled, as [`new`](Self::new).
    ///
    /// # Errors
    /// The system's.
    pub fn new_in(place: impl AsRef<Path>) -> io::Result<TempFile> {
        let place = place.as_ref().to_owned();
        let (path, file) = ask(move || {
            let (path, file) = unused_name(&place, |path| create_new(path, 0o600))?;
            Ok((Removed(path), file))
        })?;
        let file = File::from_std(file);
        Ok(TempFile { path, file })
    }

    /// Returns the open file, which can be read and written by reference.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path.0
    }

    /// Lets it stay, and returns its path and the open file.
    #[must_use = "the file stays"]
    pub fn keep(self) -> (PathBuf, File) {
        (self.path.keep(), self.file)
    }
}

/// The path of a file that is removed when this is dropped.
#[derive(Debug)]
struct Removed(PathBuf);

impl Removed {
    fn keep(mut self) -> PathBuf {
        let path = mem::take(&mut self.0);
        mem::forget(self);
        path
    }
}

impl Drop for Removed {
    fn drop(&mut self) {
        let path = mem::take(&mut self.0);
        see_to(move || drop(fs::remove_file(path)));
    }
}

/// Makes a file that was not there, for reading and writing.
pub(super) fn create_new(path: &Path, mode: u32) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
}

/// Makes something in `place` under a name that nobody has; what `make` made, and where.
pub(super) fn unused_name<T>(
    place: &Path,
    make: impl Fn(&Path) -> io::Result<T>,
) -> io::Result<(PathBuf, T)> {
    for _ in 0..TRIES {
        // Each state has keys of its own, which nobody guesses.
        let number = RandomState::new().build_hasher().finish();
        let path = place.join(format!(".tmp-{number:016x}"));
        match make(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|made| (path, made)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
