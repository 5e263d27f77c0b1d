//! A Unix socket that connections come to.

use std::io;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;

use super::address::of_path;
use super::stream::UnixStream;
use crate::net::socket::{Socket, every_socket};
use crate::sched::wait::Operation;

static ACCEPT: Operation = Operation::new("UnixListener::accept");

/// A Unix socket that connections come to: [`std::os::unix::net::UnixListener`] for green threads.
///
/// Any number of green threads, on any OS threads, may accept from it at once. Dropping it closes it; the file of its path stays.
///
/// # Examples
/// ```
/// use greenthread::net::{UnixListener, UnixStream, unix::SocketAddr};
/// use std::os::linux::net::SocketAddrExt;
/// let name = format!("an example in process {}", std::process::id());
/// let address = SocketAddr::from_abstract_name(name)?; // or a path, with `bind` and `connect`
/// let listener = UnixListener::bind_addr(&address)?;
/// let stream = UnixStream::connect_addr(&address)?;
/// let (accepted, _) = listener.accept()?;
/// assert_eq!(accepted.local_addr()?.as_abstract_name(), stream.peer_addr()?.as_abstract_name());
/// # std::io::Result::Ok(())
/// ```
pub struct UnixListener(Socket<net::UnixListener>);

every_socket!(UnixListener, net::UnixListener);

impl UnixListener {
    /// Binds to `path`, which makes a file there, and listens.
    ///
    /// Does not park.
    ///
    /// # Errors
    /// The system's: `AddrInUse` when the file is there, even if nobody listens any more. `InvalidInput` for a path that is too long (more than 107 bytes on Linux).
    pub fn bind(path: impl AsRef<Path>) -> io::Result<UnixListener> {
        UnixListener::bind_addr(&of_path(path)?)
    }

    /// As [`bind`](Self::bind), with an address: one that is no path, for example.
    ///
    /// # Errors
    /// The system's.
    pub fn bind_addr(address: &SocketAddr) -> io::Result<UnixListener> {
        let listener = net::UnixListener::bind_addr(address)?;
        Socket::unblock(listener).map(UnixListener)
    }

    /// Takes a connection, and returns it with the address it comes from, most often an unnamed one.
    ///
    /// Parks until there is one. A cancellation is raised here; no connection is lost by it. On the root and on a plain OS thread the wait runs the
    /// event loop.
    ///
    /// # Errors
    /// As [`TcpListener::accept`](crate::net::TcpListener::accept): none but `NotConnected` ends the listener.
    pub fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (stream, peer) = self.0.receive(&ACCEPT, net::UnixListener::accept)?;
        // One system call; `unblock` asks first, and makes two.
        stream.set_nonblocking(true)?;
        Ok((UnixStream::new(Socket::new(stream)), peer))
    }

    /// Returns an iterator that accepts for ever; it gives the errors of [`accept`](Self::accept), and ends when the listener was closed.
    ///
    /// Each step parks as `accept` does.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// Returns the address it is bound to.
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.ask()?.local_addr()
    }
}

impl<'a> IntoIterator for &'a UnixListener {
    type Item = io::Result<UnixStream>;
    type IntoIter = Incoming<'a>;

    fn into_iter(self) -> Incoming<'a> {
        self.incoming()
    }
}

/// Accepts for ever: what [`UnixListener::incoming`] returns.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// Accepted from.
    listener: &'a UnixListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<UnixStream>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.listener.accept() {
            Ok((stream, _)) => Some(Ok(stream)),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => None,
            Err(error) => Some(Err(error)),
        }
    }
}
