//! A TCP socket that connections come to.

use std::fmt;
use std::io;
use std::net::{self, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use super::connect::{bind, each_address};
use super::stream::TcpStream;
use crate::sched::source::{Direction, Source};
use crate::sched::wait::Operation;

static ACCEPT: Operation = Operation::new("TcpListener::accept");

/// A socket that connections come to: [`std::net::TcpListener`] for green threads.
///
/// Any number of green threads, on any OS threads, may accept from it at once. Dropping it closes it.
pub struct TcpListener {
    /// The socket, non-blocking.
    source: Source<net::TcpListener>,
}

impl TcpListener {
    /// Binds to `address` and listens; with several addresses, to the first that can be bound.
    ///
    /// Port 0 lets the system choose: see [`local_addr`](Self::local_addr). The address can be bound again right after the listener was closed (`SO_REUSEADDR`); 1024
    /// connections may wait to be accepted, or fewer where the system's own limit (`net.core.somaxconn`) is lower.
    ///
    /// Does not park. A name is looked up inline, which blocks the OS thread.
    ///
    /// # Errors
    /// Of the last address tried; `InvalidInput` when there was none.
    ///
    /// # Examples
    /// ```
    /// let listener = greenthread::net::TcpListener::bind("127.0.0.1:0")?;
    /// assert_ne!(listener.local_addr()?.port(), 0);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
        each_address(address, bind).map(|source| TcpListener { source })
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
        let accept = |listener: &net::TcpListener| listener.accept();
        let listening = self.source.enter()?;
        let (stream, peer) = listening.retry(&ACCEPT, Direction::Read, None, |_| false, accept)?;
        stream.set_nonblocking(true)?;
        Ok((TcpStream::new(Source::new(stream)), peer))
    }

    /// Returns an iterator that accepts for ever; it gives the errors of [`accept`](Self::accept), and ends when the listener was closed.
    ///
    /// Each step parks as `accept` does.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// Closes it: everybody parked in [`accept`](Self::accept) gets `NotConnected`, and so does every later call.
    ///
    /// Does not park. The descriptor is closed as soon as the last call has left it; when it was lent by [`AsFd`] it is shut down then, and closed
    /// with the value. Clones by [`try_clone`](Self::try_clone) stay open.
    pub fn close(&self) {
        self.source.close();
    }

    /// Returns the address it is bound to.
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.enter()?.local_addr()
    }

    /// Returns another handle on the same socket; connections go to either.
    ///
    /// # Errors
    /// The system's, for want of descriptors; `NotConnected` after [`close`](Self::close).
    pub fn try_clone(&self) -> io::Result<TcpListener> {
        let socket = self.source.enter()?.try_clone()?;
        Ok(TcpListener {
            source: Source::new(socket),
        })
    }

    /// Sets for how many hops packets of accepted connections live (`IP_TTL`).
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn set_ttl(&self, hops: u32) -> io::Result<()> {
        self.source.enter()?.set_ttl(hops)
    }

    /// Returns for how many hops packets live.
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn ttl(&self) -> io::Result<u32> {
        self.source.enter()?.ttl()
    }

    /// Returns the error that the socket holds, and clears it (`SO_ERROR`).
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.source.enter()?.take_error()
    }

    /// Takes a listener of std; from now on the socket does not block, for its clones too.
    ///
    /// # Errors
    /// The system's.
    pub fn from_std(listener: net::TcpListener) -> io::Result<TcpListener> {
        listener.set_nonblocking(true)?;
        Ok(TcpListener {
            source: Source::new(listener),
        })
    }

    /// Gives the socket to std; from now on it blocks, for its clones too.
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn into_std(self) -> io::Result<net::TcpListener> {
        let listener = self
            .source
            .into_object()
            .ok_or(io::ErrorKind::NotConnected)?;
        listener.set_nonblocking(false)?;
        Ok(listener)
    }
}

impl AsFd for TcpListener {
    /// Lends the descriptor, which stays open until the value is dropped.
    ///
    /// # Panics
    /// When the listener was closed before.
    fn as_fd(&self) -> BorrowedFd<'_> {
        let lent = self.source.lend();
        lent.expect("as_fd on a TcpListener that was closed")
            .as_fd()
    }
}

impl AsRawFd for TcpListener {
    /// As [`as_fd`](Self::as_fd).
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.source.enter() {
            Ok(socket) => fmt::Debug::fmt(&*socket, f),
            Err(_) => f.write_str("TcpListener { closed }"),
        }
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
