//! [`std::fs`] over the blocking pool: what would block the OS thread parks the green thread instead.
//!
//! ```
//! use greenthread::fs::{self, File};
//! use greenthread::io::{Read, Seek, SeekFrom, Write};
//!
//! let folder = fs::TempDir::new()?;
//! let path = folder.path().join("note.txt");
//! let mut file = File::options().read(true).write(true).create_new(true).open(&path)?;
//! file.write_all(b"line 1\nline 2\n")?;
//! file.seek(SeekFrom::Start(7))?;
//! let mut rest = String::new();
//! file.read_to_string(&mut rest)?;
//! assert_eq!(rest, "line 2\n");
//! fs::write_atomic(&path, "all new")?;
//! assert_eq!(fs::read_to_string(&path)?, "all new");
//! # std::io::Result::Ok(())
//! ```
//!
//! No system lets a program wait for a disk as it waits for a socket, so the work is handed to [the pool](crate::spawn_blocking). On an OS thread of a pool it is done in place.
//!
//! # When it parks, and what a trip costs
//! - Reading a [`File`] first takes what the page cache holds, without the pool, where the system has a call for that (`RWF_NOWAIT`, on Linux with ext4, xfs and btrfs). What is not there, and
//!   everything else, is a trip to the pool and back: some ten microseconds, whatever its size. So move much at once: [`io::copy`](crate::io::copy) does, [`copy`], [`read`] and [`write()`] are
//!   one trip, and a [`BufWriter`](std::io::BufWriter) should have more than its usual 8 KiB. Only `seek` from the start or the present position never parks.
//! - Nothing is buffered here: when a write returns, the kernel has the bytes and every reader sees them, as with std.
//! - On the root and on a plain OS thread the wait runs the event loop.
//!
//! # What cancellation does
//! A cancellation or an outer [`timeout`](crate::timeout) is raised before the work is handed over and while it waits for its turn in the pool: then nothing has been done. Once begun, work is
//! never cut off in the middle, because the system cannot:
//!
//! - **Writes to a [`File`], [`write()`] and [`write_atomic`]** lend the caller's memory to the pool. They are finished first, their result is returned, and the request is raised at
//!   the next wait point.
//! - **Reads of a [`File`]** go into a buffer of the pool's. The caller leaves at once, and its position in the file has not moved: the next read gives the same bytes. Entries of [`read_dir`] are kept for
//!   the next call likewise.
//! - **Everything else** (opening, renaming, removing ..) is left at once, finished by the pool, and its result dropped: what was opened is closed. [`copy`] stops after the piece at
//!   hand, at most 64 MiB.
//!
//! So opening a FIFO that nobody has opened at the other end can be cancelled; its OS thread of the pool stays blocked until somebody does, and counts among the pool's. While a
//! cancellation unwinds, a call that would park fails at once; [`TempDir`] removes its folder all the same.

mod atomic;
mod file;
mod folder;
mod options;
mod path;
mod temporary;

pub use std::fs::{FileTimes, FileType, Metadata, Permissions};

pub use atomic::write_atomic;
pub use file::File;
pub use folder::{DirEntry, ReadDir, read_dir};
pub use options::OpenOptions;
pub use path::{
    canonicalize, copy, create_dir, create_dir_all, exists, hard_link, metadata, read, read_link,
    read_to_string, remove_dir, remove_dir_all, remove_file, rename, set_permissions, soft_link,
    symlink_metadata, try_exists, write,
};
pub use temporary::{TempDir, TempFile};
