//! The folder that receives the pictures: a file has its final name only once it is complete.
//!
//! Files are written with std, which blocks the OS thread for the moment it takes; pictures are small. File IO that
//! parks the green thread only, on the pool of blocking threads, comes with `greenthread::fs`.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A folder, and the names that are taken in it.
///
/// All downloaders share it without a lock: they live on one OS thread, and nothing here waits halfway.
#[derive(Debug)]
pub(crate) struct Folder {
    /// Where it is.
    path: PathBuf,

    /// The names given away by this run, in lower case: some file systems do not tell `A.png` from `a.png`.
    taken: RefCell<HashSet<String>>,

    /// How many files this run has begun.
    begun: Cell<usize>,
}

/// A file that is being written under a temporary name, and is removed when dropped.
#[derive(Debug)]
pub(crate) struct PartFile<'a> {
    /// The folder it is in.
    folder: &'a Folder,

    /// Its temporary name.
    path: PathBuf,

    /// The open file.
    file: File,
}

impl Folder {
    /// Opens the folder at `path`, made if need be, or a fresh one for the temporary files of the system.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, String> {
        let path = match path {
            Some(path) => fs::create_dir_all(path)
                .map(|()| path.to_owned())
                .map_err(|e| format!("cannot make the folder {}: {e}", path.display()))?,
            None => fresh(&std::env::temp_dir())
                .map_err(|e| format!("cannot make a temporary folder: {e}"))?,
        };
        Ok(Folder {
            path,
            taken: RefCell::default(),
            begun: Cell::new(0),
        })
    }

    /// Where the folder is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a file under a temporary name in this folder.
    pub(crate) fn begin(&self) -> io::Result<PartFile<'_>> {
        let number = self.begun.replace(self.begun.get() + 1);
        let path = self
            .path
            .join(format!(".gallery-{}-{number}.part", std::process::id()));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok(PartFile {
            folder: self,
            path,
            file,
        })
    }

    /// Takes `name`, or `name-2`, `name-3` .. when it is taken; files of earlier runs keep theirs.
    fn take(&self, name: &str) -> PathBuf {
        let mut taken = self.taken.borrow_mut();
        let mut candidates =
            std::iter::once(name.to_owned()).chain((2..).map(|n| numbered(name, n)));
        let free = candidates.find(|candidate| {
            let path = self.path.join(candidate);
            fs::symlink_metadata(path).is_err() && taken.insert(candidate.to_ascii_lowercase())
        });
        self.path.join(free.expect("numbers do not run out"))
    }
}

impl PartFile<'_> {
    /// Gives the complete file its final name, as close to `name` as is free.
    pub(crate) fn keep(self, name: &str) -> io::Result<()> {
        fs::rename(&self.path, self.folder.take(name))
    }
}

impl Write for PartFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for PartFile<'_> {
    fn drop(&mut self) {
        // After `keep` there is nothing left under this name, and that is fine too.
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes a folder that was not there before.
fn fresh(parent: &Path) -> io::Result<PathBuf> {
    let mut number = 0;
    loop {
        let path = parent.join(format!("gallery-{}-{number}", std::process::id()));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// `cat.png` becomes `cat-2.png`.
fn numbered(name: &str, number: usize) -> String {
    match name.rsplit_once('.') {
        Some((stem, ending)) => format!("{stem}-{number}.{ending}"),
        None => format!("{name}-{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fresh folder that is removed with everything in it.
    struct Fresh(Folder);

    impl Fresh {
        fn new() -> Self {
            Fresh(Folder::open(None).unwrap())
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(self.0.path()).unwrap();
            let mut names: Vec<String> = entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Fresh {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(self.0.path());
        }
    }

    #[test]
    fn a_kept_file_has_its_name_and_a_dropped_one_is_gone() {
        let fresh = Fresh::new();
        let mut kept = fresh.0.begin().unwrap();
        let dropped = fresh.0.begin().unwrap();
        kept.write_all(b"picture").unwrap();
        assert!(fresh.names().iter().all(|name| name.ends_with(".part")));
        kept.keep("cat.png").unwrap();
        drop(dropped);
        assert_eq!(fresh.names(), ["cat.png"]);
        assert_eq!(
            fs::read(fresh.0.path().join("cat.png")).unwrap(),
            b"picture"
        );
    }

    #[test]
    fn names_do_not_collide_whatever_their_case() {
        let fresh = Fresh::new();
        for name in ["cat.png", "cat.png", "CAT.png", "cat-2.png", "cat", "cat"] {
            fresh.0.begin().unwrap().keep(name).unwrap();
        }
        let names = [
            "CAT-3.png",
            "cat",
            "cat-2",
            "cat-2-2.png",
            "cat-2.png",
            "cat.png",
        ];
        assert_eq!(fresh.names(), names);
    }

    #[test]
    fn a_file_of_an_earlier_run_is_not_replaced() {
        let fresh = Fresh::new();
        fs::write(fresh.0.path().join("cat.png"), "old").unwrap();
        fresh.0.begin().unwrap().keep("cat.png").unwrap();
        assert_eq!(fresh.names(), ["cat-2.png", "cat.png"]);
        assert_eq!(fs::read(fresh.0.path().join("cat.png")).unwrap(), b"old");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let line = Folder::open(Some(Path::new("/dev/null/pictures"))).unwrap_err();
        assert!(line.contains("/dev/null/pictures"), "{line}");
    }
}
