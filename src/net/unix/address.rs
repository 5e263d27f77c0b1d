//! The addresses of Unix sockets: paths, and names that are no paths.

use std::ffi::OsStr;
use std::io;
use std::mem::offset_of;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr;
use std::path::Path;

use socket2::SockAddr;

/// The most bytes that a path may have; one more ends it.
const LONGEST: usize = size_of::<libc::sockaddr_un>() - offset_of!(libc::sockaddr_un, sun_path) - 1;

/// The address of a path.
pub(super) fn of_path(path: impl AsRef<Path>) -> io::Result<SocketAddr> {
    let path = path.as_ref();
    SocketAddr::from_pathname(path).map_err(|error| refused(path, &error))
}

fn refused(path: &Path, error: &io::Error) -> io::Error {
    let length = path.as_os_str().len();
    let text = if length > LONGEST {
        format!("{path:?} has {length} bytes: the path of a Unix socket has {LONGEST} at most")
    } else {
        format!("{path:?}: {error}")
    };
    io::Error::new(error.kind(), text)
}

/// The same address as `socket2` has it: only that can be connected to without blocking.
pub(super) fn raw(address: &SocketAddr) -> io::Result<SockAddr> {
    match (address.as_pathname(), abstract_name(address)) {
        (Some(path), _) => SockAddr::unix(path),
        (None, Some(name)) => SockAddr::unix(OsStr::from_bytes(&[b"\0", name].concat())),
        (None, None) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the address of an unnamed Unix socket: nobody can be reached there",
        )),
    }
}

#[cfg(target_os = "linux")]
fn abstract_name(address: &SocketAddr) -> Option<&[u8]> {
    std::os::linux::net::SocketAddrExt::as_abstract_name(address)
}

#[cfg(not(target_os = "linux"))]
fn abstract_name(_: &SocketAddr) -> Option<&[u8]> {
    None
}
