//! How a file is opened.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::file::File;
use crate::blocking::errand::ask;

/// How a file is to be opened: [`std::fs::OpenOptions`] for green threads. See also [`File::options`].
///
/// # Examples
/// ```
/// use greenthread::{fs::{OpenOptions, TempDir}, io::Write};
/// let folder = TempDir::new()?;
/// let path = folder.path().join("log");
/// for line in ["first\n", "second\n"] {
///     OpenOptions::new().append(true).create(true).open(&path)?.write_all(line.as_bytes())?;
/// }
/// assert_eq!(greenthread::fs::read_to_string(&path)?, "first\nsecond\n");
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions(fs::OpenOptions);

/// Defines switches that std has too.
macro_rules! switches {
    ($(#[doc = $does:literal] $name:ident: $kind:ty;)+) => { $(
        #[doc = $does]
        pub fn $name(&mut self, $name: $kind) -> &mut Self {
            self.0.$name($name);
            self
        }
    )+ };
}

impl OpenOptions {
    /// Makes a set of options with nothing switched on.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "as std's")]
    pub fn new() -> Self {
        OpenOptions(fs::OpenOptions::new())
    }

    switches! {
        #[doc = "Switches reading on or off."]
        read: bool;

        #[doc = "Switches writing on or off."]
        write: bool;

        #[doc = "Switches on or off that every write goes to the end of the file, wherever that is then."]
        append: bool;

        #[doc = "Switches on or off that the file is emptied."]
        truncate: bool;

        #[doc = "Switches on or off that the file is made if there is none."]
        create: bool;

        #[doc = "Switches on or off that the file is made, and that it is an error if there is one."]
        create_new: bool;

        #[doc = "Sets the permissions of a file that is made, before the umask: bits as in `chmod`."]
        mode: u32;

        #[doc = "Adds flags of the system's `open`, `O_NOFOLLOW` for one. `O_DIRECT` asks for aligned memory, which the pool's is not."]
        custom_flags: i32;
    }

    /// Opens the file.
    ///
    /// Parks until the pool has opened it. A cancellation while it waits for its turn takes it back; later the caller leaves at once, and what is opened is closed: a FIFO whose other
    /// end nobody opens keeps its OS thread of the pool until somebody does. On the root and on a plain OS thread the wait runs the event loop.
    ///
    /// # Errors
    /// The system's; `InvalidInput` for options that make no sense.
    pub fn open(&self, path: impl AsRef<Path>) -> io::Result<File> {
        let (options, path) = (self.0.clone(), path.as_ref().to_owned());
        ask(move || options.open(path)).map(File::from_std)
    }
}

/// Opening one.
impl File {
    /// Opens a file for reading.
    ///
    /// Parks, and is cancelled, as [`OpenOptions::open`].
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: impl AsRef<Path>) -> io::Result<File> {
        File::options().read(true).open(path)
    }

    /// Opens a file for writing; it is made, or emptied.
    ///
    /// Parks, and is cancelled, as [`OpenOptions::open`].
    ///
    /// # Errors
    /// The system's.
    pub fn create(path: impl AsRef<Path>) -> io::Result<File> {
        let mut options = File::options();
        options.write(true).create(true).truncate(true).open(path)
    }

    /// Makes a file, for reading and writing, which must not be there yet.
    ///
    /// Parks, and is cancelled, as [`OpenOptions::open`].
    ///
    /// # Errors
    /// The system's; `AlreadyExists`.
    pub fn create_new(path: impl AsRef<Path>) -> io::Result<File> {
        let mut options = File::options();
        options.read(true).write(true).create_new(true).open(path)
    }

    /// Returns options to open a file with.
    #[must_use]
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }
}

impl From<fs::OpenOptions> for OpenOptions {
    fn from(options: fs::OpenOptions) -> Self {
        OpenOptions(options)
    }
}
