//! Making sockets: a connection that is waited for, a port that is bound.

use std::io;
use std::net::{self, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, Type};

use super::socket::Socket;
use crate::sched::wait::Operation;

static CONNECT: Operation = Operation::new("TcpStream::connect");

/// How many connections wait for `accept` before the kernel turns more away; the system may cut it down.
const BACKLOG: i32 = 1024;

/// Who may bind to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    /// This socket alone.
    Own,

    /// All that say so (`SO_REUSEPORT`).
    Shared,
}

/// Connects and waits until that is done.
pub(super) fn connect(
    address: SocketAddr,
    limit: Option<Duration>,
) -> io::Result<Socket<net::TcpStream>> {
    let socket = new_socket(address, Type::STREAM, Protocol::TCP)?;
    let under_way = match socket.connect(&address.into()) {
        Ok(()) => false,
        Err(error) if is_under_way(&error) => true,
        Err(error) => return Err(error),
    };
    let socket = Socket::new(net::TcpStream::from(socket));
    if under_way {
        socket.send_within(limit, &CONNECT, is_connected)?;
    }
    Ok(socket)
}

/// What became of a connection that was begun. An event alone proves nothing: the socket is asked.
fn is_connected(stream: &net::TcpStream) -> io::Result<()> {
    match stream.peer_addr() {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => {
            Err(stream.take_error()?.unwrap_or_else(still_under_way))
        }
        known => known.map(drop),
    }
}

fn still_under_way() -> io::Error {
    io::ErrorKind::WouldBlock.into()
}

fn is_under_way(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINPROGRESS) || error.kind() == io::ErrorKind::Interrupted
}

/// Binds a listening socket; its address can be bound again as soon as it is closed, as with std.
pub(super) fn bind(address: SocketAddr, port: Port) -> io::Result<Socket<net::TcpListener>> {
    let socket = new_socket(address, Type::STREAM, Protocol::TCP)?;
    socket.set_reuse_address(true)?;
    bind_to(&socket, address, port)?;
    socket.listen(BACKLOG)?;
    Ok(Socket::new(net::TcpListener::from(socket)))
}

/// Binds a socket for datagrams.
pub(super) fn bind_datagram(address: SocketAddr, port: Port) -> io::Result<Socket<net::UdpSocket>> {
    let socket = new_socket(address, Type::DGRAM, Protocol::UDP)?;
    bind_to(&socket, address, port)?;
    Ok(Socket::new(net::UdpSocket::from(socket)))
}

fn bind_to(socket: &socket2::Socket, address: SocketAddr, port: Port) -> io::Result<()> {
    if port == Port::Shared {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())
}

fn new_socket(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<socket2::Socket> {
    open(Domain::for_address(address), kind, Some(protocol))
}

/// A new socket that does not block.
#[cfg(target_os = "linux")]
pub(super) fn open(
    domain: Domain,
    kind: Type,
    protocol: Option<Protocol>,
) -> io::Result<socket2::Socket> {
    socket2::Socket::new(domain, kind.nonblocking(), protocol)
}

/// The same where that takes a second step.
#[cfg(not(target_os = "linux"))]
pub(super) fn open(
    domain: Domain,
    kind: Type,
    protocol: Option<Protocol>,
) -> io::Result<socket2::Socket> {
    let socket = socket2::Socket::new(domain, kind, protocol)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
