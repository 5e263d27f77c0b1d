//! A connection between processes of one machine.

use std::io;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;

use socket2::{Domain, SockRef, Type};

use super::address::{of_path, raw};
use crate::net::connect::open;
use crate::net::socket::{Socket, every_socket, timeout_methods};
use crate::net::stream_io::{Names, stream_io};
use crate::sched::wait::Operation;

static NAMES: Names = Names {
    read: Operation::new("UnixStream::read"),
    write: Operation::new("UnixStream::write"),
};

static CONNECT: Operation = Operation::new("UnixStream::connect");

/// A connection between processes of one machine: [`std::os::unix::net::UnixStream`] for green threads.
///
/// Reads and writes go through `&UnixStream` too: one green thread may read while another writes, and several may wait in one direction. Dropping it
/// closes it.
///
/// A read or write parks until something can be moved, moves what it can, and returns how much. A cancellation is raised only where it
/// parks, so before anything was moved. On the root and on a plain OS thread the wait runs the event loop.
///
/// # Examples
/// ```
/// use std::io::{Read, Write};
/// use greenthread::{net::UnixStream, scope};
/// let (mut here, mut there) = UnixStream::pair()?;
/// let mut word = [0; 5];
/// scope(|s| {
///     s.spawn(|| there.read_exact(&mut word).unwrap()); // parks until the bytes are there
///     s.spawn(|| here.write_all(b"hello").unwrap());
/// });
/// assert_eq!(&word, b"hello");
/// # std::io::Result::Ok(())
/// ```
pub struct UnixStream(Socket<net::UnixStream>);

every_socket!(UnixStream, net::UnixStream);
timeout_methods!(UnixStream);
stream_io!(UnixStream, NAMES);

impl UnixStream {
    pub(super) fn new(socket: Socket<net::UnixStream>) -> Self {
        UnixStream(socket)
    }

    /// For whoever polls it.
    #[cfg(any(feature = "futures-io", feature = "hyper", feature = "tokio"))]
    pub(crate) fn source(&self) -> &crate::sched::source::Source<net::UnixStream> {
        self.0.source()
    }

    /// Connects to who listens at `path`.
    ///
    /// Parks while the listener's line is full; no event tells of its end, so it looks again, every 50 milliseconds at the latest. A cancellation is raised there. On the
    /// root and on a plain OS thread the wait runs the event loop.
    ///
    /// # Errors
    /// The system's: `NotFound`, `ConnectionRefused` when nobody listens there. `InvalidInput` for a path that is too long (more than 107 bytes on Linux).
    pub fn connect(path: impl AsRef<Path>) -> io::Result<UnixStream> {
        UnixStream::connect_addr(&of_path(path)?)
    }

    /// As [`connect`](Self::connect), with an address: one that is no path, for example.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn connect_addr(address: &SocketAddr) -> io::Result<UnixStream> {
        let address = raw(address)?;
        let socket = OwnedFd::from(open(Domain::UNIX, Type::STREAM, None)?);
        let socket = Socket::new(net::UnixStream::from(socket));
        let connect = |socket: &net::UnixStream| SockRef::from(socket).connect(&address);
        socket.send_looking_again(&CONNECT, connect)?;
        Ok(UnixStream(socket))
    }

    /// Makes two that are connected to each other and have no names.
    ///
    /// # Errors
    /// The system's, for want of descriptors.
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (one, other) = net::UnixStream::pair()?;
        let (one, other) = (Socket::unblock(one)?, Socket::unblock(other)?);
        Ok((UnixStream(one), UnixStream(other)))
    }

    /// Ends one direction, or both, for every clone.
    ///
    /// Does not park. Whoever is parked in a read sees the end, in a write `BrokenPipe`.
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.ask()?.shutdown(how)
    }

    /// Returns the address of the other end.
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.ask()?.peer_addr()
    }

    /// Returns the address of this end.
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.ask()?.local_addr()
    }
}
