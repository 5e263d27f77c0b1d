//! A TCP connection.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{self, Shutdown, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use super::connect::{connect, each_address};
use super::timeouts::{Timeouts, not_zero};
use crate::sched::source::{Direction, Operating, Source};
use crate::sched::wait::Operation;

/// How many buffers one system call takes, at the least: std passes no more than the system's limit.
const IOV_MAX: usize = 16;

static READ: Operation = Operation::new("TcpStream::read");
static PEEK: Operation = Operation::new("TcpStream::peek");
static WRITE: Operation = Operation::new("TcpStream::write");

/// A connection: [`std::net::TcpStream`] for green threads.
///
/// Reads and writes go through `&TcpStream` too: one green thread may read while another writes, and several may wait in one direction. Dropping it
/// closes it.
///
/// A read or write parks until something can be moved, moves what it can, and returns how much. A cancellation is raised only where it
/// parks, so before anything was moved. On the root and on a plain OS thread the wait runs the event loop.
pub struct TcpStream {
    /// The socket, non-blocking.
    source: Source<net::TcpStream>,

    /// Shared with its clones.
    timeouts: Arc<Timeouts>,
}

impl TcpStream {
    pub(super) fn new(source: Source<net::TcpStream>) -> Self {
        TcpStream {
            source,
            timeouts: Arc::default(),
        }
    }

    /// For whoever polls it.
    pub(crate) fn source(&self) -> &Source<net::TcpStream> {
        &self.source
    }

    /// Connects to `address`; with several addresses, to the first that can be reached.
    ///
    /// Parks until the connection stands or is refused. A cancellation is raised here and gives the attempt up. On the root and on a plain OS thread the
    /// wait runs the event loop. A name is looked up inline, which blocks the OS thread.
    ///
    /// # Errors
    /// Of the last address tried; `InvalidInput` when there was none.
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

    /// Closes it: everybody parked on it gets `NotConnected`, and so does every later call.
    ///
    /// Does not park. The descriptor is closed, and the peer told, as soon as the last call has left it; when it was lent by [`AsFd`] the connection is shut
    /// down then, and the descriptor closed with the value. Clones by [`try_clone`](Self::try_clone) stay open.
    pub fn close(&self) {
        self.source.close();
    }

    /// Ends one direction, or both, for every clone.
    ///
    /// Does not park. Whoever is parked in a read sees the end, in a write `BrokenPipe`.
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.source.enter()?.shutdown(how)
    }

    /// Reads without taking the bytes away: the next read or peek gives them again.
    ///
    /// Parks as a read does, with the read timeout.
    ///
    /// # Errors
    /// As a read.
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = self.timeouts.read.get();
        let peek = |stream: &net::TcpStream| stream.peek(buffer);
        // What is peeked at stays: that it was short proves nothing.
        let never = |_: &usize| false;
        self.source
            .enter()?
            .retry(&PEEK, Direction::Read, limit, never, peek)
    }

    /// Returns the address of the other end.
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.source.enter()?.peer_addr()
    }

    /// Returns the address of this end.
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.enter()?.local_addr()
    }

    /// Returns another handle on the same connection, with the same timeouts.
    ///
    /// # Errors
    /// The system's, for want of descriptors; `NotConnected` after [`close`](Self::close).
    pub fn try_clone(&self) -> io::Result<TcpStream> {
        let socket = self.source.enter()?.try_clone()?;
        Ok(TcpStream {
            source: Source::new(socket),
            timeouts: Arc::clone(&self.timeouts),
        })
    }

    /// Sets for how long a read may park before it gives `TimedOut`; `None` is for ever. Clones share it.
    ///
    /// Reads that are parked already keep the limit they began with.
    ///
    /// # Errors
    /// `InvalidInput` for zero.
    pub fn set_read_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.timeouts.read.set(limit)
    }

    /// Sets for how long a write may park before it gives `TimedOut`; `None` is for ever. Clones share it.
    ///
    /// Writes that are parked already keep the limit they began with.
    ///
    /// # Errors
    /// `InvalidInput` for zero.
    pub fn set_write_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.timeouts.write.set(limit)
    }

    /// Returns the read timeout.
    ///
    /// # Errors
    /// None; it is std's signature.
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(self.timeouts.read.get())
    }

    /// Returns the write timeout.
    ///
    /// # Errors
    /// None; it is std's signature.
    pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(self.timeouts.write.get())
    }

    /// Sets whether small writes are sent at once (`TCP_NODELAY`), not gathered until the peer has acknowledged what came before.
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn set_nodelay(&self, at_once: bool) -> io::Result<()> {
        self.source.enter()?.set_nodelay(at_once)
    }

    /// Returns whether small writes are sent at once.
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn nodelay(&self) -> io::Result<bool> {
        self.source.enter()?.nodelay()
    }

    /// Sets for how many hops packets live (`IP_TTL`).
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

    /// Takes a stream of std with its timeouts; from now on the socket does not block, for its clones too.
    ///
    /// # Errors
    /// The system's.
    pub fn from_std(stream: net::TcpStream) -> io::Result<TcpStream> {
        let (read, write) = (stream.read_timeout()?, stream.write_timeout()?);
        stream.set_nonblocking(true)?;
        let taken = TcpStream::new(Source::new(stream));
        taken.set_read_timeout(read)?;
        taken.set_write_timeout(write)?;
        Ok(taken)
    }

    /// Gives the socket to std with its timeouts; from now on it blocks, for its clones too.
    ///
    /// # Errors
    /// The system's; `NotConnected` after [`close`](Self::close).
    pub fn into_std(self) -> io::Result<net::TcpStream> {
        let stream = self
            .source
            .into_object()
            .ok_or(io::ErrorKind::NotConnected)?;
        stream.set_read_timeout(self.timeouts.read.get())?;
        stream.set_write_timeout(self.timeouts.write.get())?;
        stream.set_nonblocking(false)?;
        Ok(stream)
    }
}

/// One operation on the socket.
type Socket<'a> = Operating<'a, net::TcpStream>;

/// Whether moving `done` of `wanted` bytes shows that the kernel has no more to give or take. Nothing at all is the end, not a short read.
#[inline]
fn is_short(done: usize, wanted: usize) -> bool {
    0 < done && done < wanted
}

/// The bytes that all buffers hold; more than one call can take when there are more than `IOV_MAX` of them, and then nothing is short.
fn total(lengths: impl ExactSizeIterator<Item = usize>) -> usize {
    if lengths.len() > IOV_MAX {
        0
    } else {
        lengths.sum()
    }
}

fn read(socket: &Socket<'_>, limit: Option<Duration>, buffer: &mut [u8]) -> io::Result<usize> {
    let wanted = buffer.len();
    let read = |mut stream: &net::TcpStream| stream.read(buffer);
    let is_short = |done: &usize| is_short(*done, wanted);
    socket.retry(&READ, Direction::Read, limit, is_short, read)
}

fn read_vectored(
    socket: &Socket<'_>,
    limit: Option<Duration>,
    buffers: &mut [IoSliceMut<'_>],
) -> io::Result<usize> {
    let wanted = total(buffers.iter().map(|buffer| buffer.len()));
    let read = |mut stream: &net::TcpStream| stream.read_vectored(buffers);
    let is_short = |done: &usize| is_short(*done, wanted);
    socket.retry(&READ, Direction::Read, limit, is_short, read)
}

fn write(socket: &Socket<'_>, limit: Option<Duration>, buffer: &[u8]) -> io::Result<usize> {
    let write = |mut stream: &net::TcpStream| stream.write(buffer);
    let is_short = |done: &usize| is_short(*done, buffer.len());
    socket.retry(&WRITE, Direction::Write, limit, is_short, write)
}

fn write_vectored(
    socket: &Socket<'_>,
    limit: Option<Duration>,
    buffers: &[IoSlice<'_>],
) -> io::Result<usize> {
    let wanted = total(buffers.iter().map(|buffer| buffer.len()));
    let write = |mut stream: &net::TcpStream| stream.write_vectored(buffers);
    let is_short = |done: &usize| is_short(*done, wanted);
    socket.retry(&WRITE, Direction::Write, limit, is_short, write)
}

impl Read for &TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let socket = self.source.enter()?;
        read(&socket, self.timeouts.read.get(), buffer)
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let socket = self.source.enter()?;
        read_vectored(&socket, self.timeouts.read.get(), buffers)
    }
}

impl Write for &TcpStream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let socket = self.source.enter()?;
        write(&socket, self.timeouts.write.get(), buffer)
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let socket = self.source.enter()?;
        write_vectored(&socket, self.timeouts.write.get(), buffers)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// As through a shared reference, and a little cheaper: nobody can close the stream meanwhile.
impl Read for TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let socket = self.source.enter_alone()?;
        read(&socket, self.timeouts.read.get(), buffer)
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let socket = self.source.enter_alone()?;
        read_vectored(&socket, self.timeouts.read.get(), buffers)
    }
}

/// As through a shared reference, and a little cheaper: nobody can close the stream meanwhile.
impl Write for TcpStream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let socket = self.source.enter_alone()?;
        write(&socket, self.timeouts.write.get(), buffer)
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let socket = self.source.enter_alone()?;
        write_vectored(&socket, self.timeouts.write.get(), buffers)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for TcpStream {
    /// Lends the descriptor, which stays open until the value is dropped.
    ///
    /// # Panics
    /// When the stream was closed before.
    fn as_fd(&self) -> BorrowedFd<'_> {
        let lent = self.source.lend();
        lent.expect("as_fd on a TcpStream that was closed").as_fd()
    }
}

impl AsRawFd for TcpStream {
    /// As [`as_fd`](Self::as_fd).
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.source.enter() {
            Ok(socket) => fmt::Debug::fmt(&*socket, f),
            Err(_) => f.write_str("TcpStream { closed }"),
        }
    }
}
