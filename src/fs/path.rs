//! What is done to paths: each one trip to the pool.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::blocking::errand::{ask, lend_bytes};

/// How much of a copy is done before it looks whether anybody still wants it.
const PIECE: u64 = 64 << 20;

/// Defines functions that hand owned paths, and perhaps one value more, to their namesakes of std.
macro_rules! as_std {
    ($(#[doc = $does:literal] $name:ident($($path:ident),+ $(; $value:ident: $kind:ty)?) -> $gives:ty = $std:path;)+) => { $(
        #[doc = $does]
        ///
        #[doc = concat!("Parks until the pool has done it: [`std::fs::", stringify!($name), "`]. A cancellation while it waits for its turn takes it back; once begun it is finished, and")]
        /// the caller leaves at once. On the root and on a plain OS thread the wait runs the event loop.
        ///
        /// # Errors
        /// The system's.
        pub fn $name($($path: impl AsRef<Path>),+ $(, $value: $kind)?) -> io::Result<$gives> {
            $(let $path = $path.as_ref().to_owned();)+
            ask(move || $std($(&$path),+ $(, $value)?))
        }
    )+ };
}

as_std! {
    #[doc = "Reads a whole file."]
    read(path) -> Vec<u8> = fs::read;

    #[doc = "Reads a whole file as text; `InvalidData` when it is not UTF-8."]
    read_to_string(path) -> String = fs::read_to_string;

    #[doc = "Tells what the file system knows of a path, links followed."]
    metadata(path) -> Metadata = fs::metadata;

    #[doc = "Tells what the file system knows of a path, of a link and not of what it points to."]
    symlink_metadata(path) -> Metadata = fs::symlink_metadata;

    #[doc = "Renames a file or folder; a file of the new name is replaced, in one step."]
    rename(from, to) -> () = fs::rename;

    #[doc = "Removes a file or a link."]
    remove_file(path) -> () = fs::remove_file;

    #[doc = "Removes an empty folder."]
    remove_dir(path) -> () = fs::remove_dir;

    #[doc = "Removes a folder and everything in it."]
    remove_dir_all(path) -> () = fs::remove_dir_all;

    #[doc = "Makes a folder."]
    create_dir(path) -> () = fs::create_dir;

    #[doc = "Makes a folder and those above it that are missing."]
    create_dir_all(path) -> () = fs::create_dir_all;

    #[doc = "Gives a file a second name."]
    hard_link(original, link) -> () = fs::hard_link;

    #[doc = "Makes a symbolic link: [`std::os::unix::fs::symlink`] under std's older name."]
    soft_link(original, link) -> () = std::os::unix::fs::symlink;

    #[doc = "Returns the absolute path, links followed."]
    canonicalize(path) -> PathBuf = fs::canonicalize;

    #[doc = "Returns what a symbolic link points to."]
    read_link(path) -> PathBuf = fs::read_link;

    #[doc = "Changes who may read, write or run a file."]
    set_permissions(path; permissions: Permissions) -> () = fs::set_permissions;

    #[doc = "Tells whether a path leads anywhere; an error when that cannot be known."]
    exists(path) -> bool = fs::exists;
}

/// Tells whether a path leads anywhere; an error when that cannot be known: [`exists`] under the name that [`Path::try_exists`] has.
///
/// Parks, and is cancelled, as [`exists`].
///
/// # Errors
/// The system's.
pub fn try_exists(path: impl AsRef<Path>) -> io::Result<bool> {
    exists(path)
}

/// Makes a file with these contents, in place of what it held before.
///
/// Parks until the pool has written it. A cancellation while it waits for its turn takes it back; once begun it is finished first, and the request raised at the next
/// wait point. On the root and on a plain OS thread the wait runs the event loop. See [`write_atomic`](super::write_atomic) for a file that is whole at every moment.
///
/// # Errors
/// The system's; then a part may have been written.
pub fn write(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    lend_bytes(contents.as_ref(), move |contents| fs::write(path, contents))
}

/// Copies a file with its permissions, in place of what the other held before. Returns how many bytes that were.
///
/// Parks until the pool has done it. A cancellation is raised at once, and the pool stops after the piece at hand, at most 64 MiB; what was copied stays. On the root and on a plain
/// OS thread the wait runs the event loop.
///
/// # Errors
/// The system's; `InvalidInput` when `from` is no regular file. Then a part may have been copied.
pub fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<u64> {
    let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
    let wanted = Wanted(Arc::new(AtomicBool::new(true)));
    let still_wanted = Arc::clone(&wanted.0);
    ask(move || copy_while(&from, &to, &still_wanted))
}

/// Says, when dropped, that nobody waits any more.
struct Wanted(Arc<AtomicBool>);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// The whole of the copy: std moves each piece inside the kernel where it can.
fn copy_while(from: &Path, to: &Path, wanted: &AtomicBool) -> io::Result<u64> {
    let from = fs::File::open(from)?;
    let known = from.metadata()?;
    if !known.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "only a regular file can be copied",
        ));
    }
    let mut to = create_like(to, &known)?;
    let mut copied = 0;
    while wanted.load(Ordering::Relaxed) {
        match io::copy(&mut io::Read::take(&from, PIECE), &mut to)? {
            0 => break,
            piece => copied += piece,
        }
    }
    Ok(copied)
}

/// An empty file with the permissions of another; special ones (terminals, FIFOs) keep theirs.
fn create_like(path: &Path, known: &Metadata) -> io::Result<fs::File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let mode = known.permissions().mode();
    let mut options = fs::OpenOptions::new();
    let file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path)?;
    if file.metadata()?.is_file() {
        file.set_permissions(known.permissions())?;
    }
    Ok(file)
}
