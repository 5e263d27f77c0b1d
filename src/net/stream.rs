//! A TCP connection.

use std::io;
use std::net::{self, Shutdown, SocketAddr};
use std::time::Duration;

use super::address::{ToSocketAddrs, each_address};
use super::connect::connect;
use super::socket::{Socket, every_socket, timeout_methods};
use super::stream_io::{Names, stream_io};
use super::timeouts::not_zero;
use crate::sched::wait::Operation;

static NAMES: Names = Names {
    read: Operation::new("TcpStream::read"),
    write: Operation::new("TcpStream::write"),
};

static PEEK: Operation = Operation::new("TcpStream::peek");

/// A connection: [`std::net::TcpStream`] for green threads.
///
/// Reads and writes go through `&TcpStream` too: one green thread may read while another writes, and several may wait in one direction. Dropping it
/// closes it.
///
/// A read or write parks until something can be moved, moves what it can, and returns how much. A cancellation is raised only where it
/// parks, so before anything was moved. On the root and on a plain OS thread the wait runs the event loop.
pub struct TcpStream(Socket<net::TcpStream>);

every_socket!(TcpStream, net::TcpStream);
timeout_methods!(TcpStream);
stream_io!(TcpStream, NAMES);

impl TcpStream {
    pub(super) fn new(socket: Socket<net::TcpStream>) -> Self {
        TcpStream(socket)
    }

    /// For whoever polls it.
    #[cfg(any(feature = "futures-io", feature = "hyper", feature = "tokio"))]
    pub(crate) fn source(&self) -> &crate::sched::source::Source<net::TcpStream> {
        self.0.source()
    }

    /// Connects to `address`; with several addresses, to the first that can be reached.
    ///
    /// Parks while a name is looked up, and until the connection stands or is refused. A cancellation is raised here and gives the attempt up; a
    /// [`timeout`](crate::timeout()) around it bounds the whole, the lookup and every address. On the root and on a plain OS thread the wait runs the event loop.
    ///
    /// # Errors
    /// Of the last address tried; `InvalidInput` when there was none; the resolver's, with the name.
    ///
    /// # Examples
    /// ```
    /// use greenthread::net::{TcpListener, TcpStream};
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let stream = TcpStream::connect(listener.local_addr()?)?;
    /// let (accepted, peer) = listener.accept()?;
    /// assert_eq!(stream.local_addr()?, peer);
    /// assert_eq!(stream.peer_addr()?, accepted.local_addr()?);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn connect(address: impl ToSocketAddrs) -> io::Result<TcpStream> {
        each_address(address, |address| connect(address, None)).map(TcpStream::new)
    }

    /// Connects to one address, for at most `limit`.
    ///
    /// Parks as [`connect`](Self::connect) does.
    ///
    /// # Errors
    /// `TimedOut` when the limit has passed; `InvalidInput` when it is zero.
    pub fn connect_timeout(address: &SocketAddr, limit: Duration) -> io::Result<TcpStream> {
        connect(*address, Some(not_zero(limit)?)).map(TcpStream::new)
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

    /// Reads without taking the bytes away: the next read or peek gives them again.
    ///
    /// Parks as a read does, with the read timeout.
    ///
    /// # Errors
    /// As a read.
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.receive(&PEEK, |stream| stream.peek(buffer))
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

    /// Sets whether small writes are sent at once (`TCP_NODELAY`), not gathered until the peer has acknowledged what came before.
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn set_nodelay(&self, at_once: bool) -> io::Result<()> {
        self.0.ask()?.set_nodelay(at_once)
    }

    /// Returns whether small writes are sent at once.
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn nodelay(&self) -> io::Result<bool> {
        self.0.ask()?.nodelay()
    }

    /// Sets for how many hops packets live (`IP_TTL`).
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn set_ttl(&self, hops: u32) -> io::Result<()> {
        self.0.ask()?.set_ttl(hops)
    }

    /// Returns for how many hops packets live.
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn ttl(&self) -> io::Result<u32> {
        self.0.ask()?.ttl()
    }
}
