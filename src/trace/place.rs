//! A socket at a path, for one program alone: what [`serve`](super::serve()) listens on.
//!
//! A socket that a program has left behind is replaced, and one at which somebody answers is not. Between that look and the making of the own one nobody else may do the same, so
//! both are done under a lock: on a file beside the path, which the system lets go of whatever becomes of its owner. Nobody waits for the lock: whoever does not get it is too
//! late, for another is about to answer there.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 16;

/// How often the lock's file may be another one when it is locked, because its owner was just done, before that is somebody who begins as well.
const ATTEMPTS: usize = 8;

/// A listener at `path` that does not block.
pub(super) fn take(path: &Path) -> io::Result<UnixListener> {
    let address = SockAddr::unix(path)?;
    let _lock = PlaceLock::take(path)?;
    clear(path, &address)?;
    listen(path, &address)
}

/// The right to make a socket at a path.
struct PlaceLock {
    /// Where the file is.
    path: PathBuf,

    /// Locked.
    _file: File,
}

impl PlaceLock {
    fn take(path: &Path) -> io::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        for _ in 0..ATTEMPTS {
            let file = open(&path)?;
            file.try_lock().map_err(|error| match error {
                fs::TryLockError::WouldBlock => begins(),
                fs::TryLockError::Error(error) => error,
            })?;
            if is_at(&file, &path)? {
                return Ok(PlaceLock { path, _file: file });
            }
        }
        Err(begins())
    }
}

impl Drop for PlaceLock {
    /// Removed while it is locked: who has opened it meanwhile sees that it is gone.
    fn drop(&mut self) {
        // It is for nothing else; one that stays does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options.custom_flags(libc::O_NOFOLLOW).open(path)
}

/// Whether it is this file that is at `path`.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn begins() -> io::Error {
    let text = "a program begins to answer there at this moment";
    io::Error::new(io::ErrorKind::AddrInUse, text)
}

/// Makes room at `path`, where there is only a socket at which nobody answers.
fn clear(path: &Path, address: &SockAddr) -> io::Result<()> {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !meta.file_type().is_socket() {
        let text = "there is a file already, which is no socket";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(address) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        // Gone meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // Somebody listens whose line is full.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(answered()),
        Err(error) => Err(error),
        Ok(()) => Err(answered()),
    }
}

fn answered() -> io::Error {
    let text = "a program answers there already";
    io::Error::new(io::ErrorKind::AddrInUse, text)
}

/// A socket for its owner alone. Nobody can connect before it listens, and then it has its mode.
fn listen(path: &Path, address: &SockAddr) -> io::Result<UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // Linux makes the file with the mode of the socket, so it never has another one.
    File::from(OwnedFd::from(socket.try_clone()?)).set_permissions(mode())?;
    socket.bind(address)?;
    let ready = demand_mode(path)
        .and_then(|()| socket.listen(BACKLOG))
        .and_then(|()| socket.set_nonblocking(true));
    if let Err(error) = ready {
        let _ = fs::remove_file(path);
        return Err(error);
    }
    Ok(OwnedFd::from(socket).into())
}

fn mode() -> Permissions {
    Permissions::from_mode(0o600)
}

/// For systems that make the file with another mode.
fn demand_mode(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path)?.permissions().mode() & 0o777 {
        0o600 => Ok(()),
        _ => fs::set_permissions(path, mode()),
    }
}
