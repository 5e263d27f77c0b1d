//! Datagrams between processes of one machine.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;

use super::address::of_path;
use crate::net::socket::{Socket, every_socket, timeout_methods};
use crate::sched::wait::Operation;

static RECV: Operation = Operation::new("UnixDatagram::recv");
static RECV_FROM: Operation = Operation::new("UnixDatagram::recv_from");
static SEND: Operation = Operation::new("UnixDatagram::send");
static SEND_TO: Operation = Operation::new("UnixDatagram::send_to");

/// A socket for datagrams on one machine: [`std::os::unix::net::UnixDatagram`] for green threads.
///
/// Any number of green threads, on any OS threads, may send and receive on it at once; each datagram goes to one of them. None is lost or changes its place. Dropping
/// it closes it; the file of its path stays.
///
/// A receive parks until a datagram is there, and a send until the receiver has room for it. A cancellation is raised only where a call parks, so before a datagram was taken or
/// sent. On the root and on a plain OS thread the wait runs the event loop.
///
/// # Examples
/// ```
/// use greenthread::net::UnixDatagram;
/// let (here, there) = UnixDatagram::pair()?;
/// here.send(b"one")?;
/// here.send(b"two")?;
/// let mut buffer = [0; 16];
/// assert_eq!(there.recv(&mut buffer)?, 3);
/// assert_eq!(&buffer[..3], b"one");
/// # std::io::Result::Ok(())
/// ```
pub struct UnixDatagram(Socket<net::UnixDatagram>);

every_socket!(UnixDatagram, net::UnixDatagram);
timeout_methods!(UnixDatagram);

impl UnixDatagram {
    /// Binds to `path`, which makes a file there.
    ///
    /// Does not park.
    ///
    /// # Errors
    /// The system's: `AddrInUse` when the file is there. `InvalidInput` for a path that is too long (more than 107 bytes on Linux).
    pub fn bind(path: impl AsRef<Path>) -> io::Result<UnixDatagram> {
        UnixDatagram::bind_addr(&of_path(path)?)
    }

    /// As [`bind`](Self::bind), with an address: one that is no path, for example.
    ///
    /// # Errors
    /// The system's.
    pub fn bind_addr(address: &SocketAddr) -> io::Result<UnixDatagram> {
        Socket::unblock(net::UnixDatagram::bind_addr(address)?).map(UnixDatagram)
    }

    /// Makes one without an address: it can send, and receive from where it is connected to.
    ///
    /// # Errors
    /// The system's, for want of descriptors.
    pub fn unbound() -> io::Result<UnixDatagram> {
        Socket::unblock(net::UnixDatagram::unbound()?).map(UnixDatagram)
    }

    /// Makes two that are connected to each other and have no names.
    ///
    /// # Errors
    /// The system's, for want of descriptors.
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (one, other) = net::UnixDatagram::pair()?;
        let (one, other) = (Socket::unblock(one)?, Socket::unblock(other)?);
        Ok((UnixDatagram(one), UnixDatagram(other)))
    }

    /// Sets where [`send`](Self::send) sends to, and that only datagrams from there are received. Does not park.
    ///
    /// # Errors
    /// The system's: `NotFound`, `ConnectionRefused`; `InvalidInput` for a path that is too long; `NotConnected` after [`close`](Self::close).
    pub fn connect(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.connect_addr(&of_path(path)?)
    }

    /// As [`connect`](Self::connect), with an address.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn connect_addr(&self, address: &SocketAddr) -> io::Result<()> {
        self.0.ask()?.connect_addr(address)
    }

    /// Sends a datagram to who is bound to `path`.
    ///
    /// Parks while the receiver has no room; no event tells of that, so it looks again, every 50 milliseconds at the latest. A cancellation is raised there, and
    /// nothing was sent.
    ///
    /// # Errors
    /// The system's: a datagram that is too long for the send buffer (`EMSGSIZE`) is not sent, and the socket stays usable. `TimedOut` after the write timeout;
    /// `InvalidInput` for a path that is too long; `NotConnected` after [`close`](Self::close).
    pub fn send_to(&self, datagram: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        self.send_to_addr(datagram, &of_path(path)?)
    }

    /// As [`send_to`](Self::send_to), with an address.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to).
    pub fn send_to_addr(&self, datagram: &[u8], address: &SocketAddr) -> io::Result<usize> {
        let send = |socket: &net::UnixDatagram| socket.send_to_addr(datagram, address);
        self.0.send_looking_again(&SEND_TO, send)
    }

    /// Sends a datagram to where the socket is connected to.
    ///
    /// Parks until the receiver has room for it. A cancellation is raised there, and nothing was sent.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to); `ConnectionRefused` when the receiver has gone.
    pub fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.0.send(&SEND, |socket| socket.send(datagram))
    }

    /// Receives a datagram, and returns its length and who sent it. What does not fit into `buffer` is lost.
    ///
    /// Parks until there is one, for at most the read timeout. A cancellation is raised there, and no datagram was taken.
    ///
    /// # Errors
    /// The system's; `TimedOut` after the read timeout; `NotConnected` after [`close`](Self::close).
    pub fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let receive = |socket: &net::UnixDatagram| socket.recv_from(buffer);
        self.0.receive(&RECV_FROM, receive)
    }

    /// As [`recv_from`](Self::recv_from), without telling who sent it.
    ///
    /// # Errors
    /// As [`recv_from`](Self::recv_from).
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.receive(&RECV, |socket| socket.recv(buffer))
    }

    /// Ends one direction, or both, for every clone. Does not park.
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.ask()?.shutdown(how)
    }

    /// Returns the address it is connected to.
    ///
    /// # Errors
    /// `NotConnected` when it is not, and after [`close`](Self::close).
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.ask()?.peer_addr()
    }

    /// Returns the address it is bound to.
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.ask()?.local_addr()
    }
}
