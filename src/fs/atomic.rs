//! A file that is whole at every moment.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::temporary::{create_new, unused_name};
use crate::blocking::errand::lend_bytes;

/// Makes a file with these contents, in place of what it held before, in one step: whoever opens it, and whatever fails, finds the old contents or the new ones.
///
/// The new ones are written to a file of another name in the same folder, brought to the disk, and then given the name. The permissions of a file that was there stay; a link is followed to what
/// it points to. A process that is killed in the middle leaves the other file, whose name begins with `.tmp-`.
///
/// Parks until all of it is done, and on the disk. A cancellation while it waits for its turn in the pool takes it back; once begun it is finished first, and the request
/// raised at the next wait point. On the root and on a plain OS thread the wait runs the event loop.
///
/// # Errors
/// The system's; then the old contents stand, and the other file is gone again. `InvalidInput` for a path without a name.
///
/// # Examples
/// ```
/// use greenthread::fs;
/// let folder = fs::TempDir::new()?;
/// let path = folder.path().join("settings");
/// fs::write_atomic(&path, "colour = blue\n")?;
/// assert_eq!(fs::read_to_string(path)?, "colour = blue\n");
/// # std::io::Result::Ok(())
/// ```
pub fn write_atomic(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    lend_bytes(contents.as_ref(), move |contents| replace(&path, contents))
}

fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let linked = fs::canonicalize(path);
    let path = linked.as_deref().unwrap_or(path);
    let folder = folder_of(path)?;
    let (beside, file) = unused_name(folder, |path| create_new(path, 0o666))?;
    let replaced = fill(file, path, contents).and_then(|()| fs::rename(&beside, path));
    if replaced.is_err() {
        let _ = fs::remove_file(&beside);
        return replaced;
    }
    // The name is on the disk when the folder is.
    fs::File::open(folder)?.sync_all()
}

/// The folder that the name stands in.
fn folder_of(path: &Path) -> io::Result<&Path> {
    let (Some(folder), Some(_)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a path without a file's name",
        ));
    };
    let here = folder.as_os_str().is_empty();
    Ok(if here { Path::new(".") } else { folder })
}

/// Writes the new contents, with the permissions of what they replace.
fn fill(mut file: fs::File, replaced: &Path, contents: &[u8]) -> io::Result<()> {
    if let Ok(known) = fs::metadata(replaced) {
        let mode = known.permissions().mode() & 0o7777;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
    }
    file.write_all(contents)?;
    file.sync_all()
}
