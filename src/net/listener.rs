//! A TCP socket that connections come to.

use std::io;
use std::net::{self, SocketAddr};

use super::address::{ToSocketAddrs, each_address};
use super::connect::{Port, bind};
use super::socket::{Socket, every_socket};
use super::stream::TcpStream;
use crate::sched::wait::Operation;

static ACCEPT: Operation = Operation::new("TcpListener::accept");

/// A socket that connections come to: [`std::net::TcpListener`] for green threads.
///
/// Any number of green threads, on any OS threads, may accept from it at once. Dropping it closes it.
pub struct TcpListener(Socket<net::TcpListener>);

every_socket!(TcpListener, net::TcpListener);

impl TcpListener {
    /// Binds to `address` and listens; with several addresses, to the first that can be bound.
    ///
    /// Port 0 lets the system choose: see [`local_addr`](Self::local_addr). The address can be bound again right after the listener was closed (`SO_REUSEADDR`); 1024
    /// connections may wait to be accepted, or fewer where the system's own limit (`net.core.somaxconn`) is lower.
    ///
    /// Parks while a name is looked up, else not.
    ///
    /// # Errors
    /// Of the last address tried; `InvalidInput` when there was none; the resolver's.
    ///
    /// # Examples
    /// ```
    /// let listener = greenthread::net::TcpListener::bind("127.0.0.1:0")?;
    /// assert_ne!(listener.local_addr()?.port(), 0);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
        each_address(address, |address| bind(address, Port::Own)).map(TcpListener)
    }

    /// As [`bind`](Self::bind), and others that do the same may bind to the address, too (`SO_REUSEPORT`).
    ///
    /// The kernel spreads the connections over them. So each OS thread, or each process, can have a listener of its own. All must be of one user.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    ///
    /// # Examples
    /// ```
    /// use greenthread::net::TcpListener;
    /// let first = TcpListener::bind_reuse_port("127.0.0.1:0")?;
    /// let second = TcpListener::bind_reuse_port(first.local_addr()?)?;
    /// assert_eq!(first.local_addr()?, second.local_addr()?);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn bind_reuse_port(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
        each_address(address, |address| bind(address, Port::Shared)).map(TcpListener)
    }

    /// Takes a connection, and returns it with the address it comes from.
    ///
    /// Parks until there is one. A cancellation is raised here; no connection is lost by it. On the root and on a plain OS thread the wait runs the
    /// event loop.
    ///
    /// # Errors
    /// None of these ends the listener; call it again.
    /// - No descriptors or memory left (`EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM`): the connection stays in line, and so does the listener's readiness: the next call tries again
    ///   at once, it does not park. Close something, or sleep a little, before that.
    /// - `ConnectionAborted`: the peer was gone before we came, on systems that say so; as in std it is not retried here.
    /// - `NotConnected`: [`close`](Self::close) was called, before or meanwhile.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = self.0.receive(&ACCEPT, net::TcpListener::accept)?;
        // One system call; `unblock` asks first, and makes two.
        stream.set_nonblocking(true)?;
        Ok((TcpStream::new(Socket::new(stream)), peer))
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

    /// Sets for how many hops packets of accepted connections live (`IP_TTL`).
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

impl<'a> IntoIterator for &'a TcpListener {
    type Item = io::Result<TcpStream>;
    type IntoIter = Incoming<'a>;

    fn into_iter(self) -> Incoming<'a> {
        self.incoming()
    }
}

/// Accepts for ever: what [`TcpListener::incoming`] returns.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// Accepted from.
    listener: &'a TcpListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.listener.accept() {
            Ok((stream, _)) => Some(Ok(stream)),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => None,
            Err(error) => Some(Err(error)),
        }
    }
}
