//! TCP, UDP and Unix sockets with the names and shapes of [`std::net`] and [`std::os::unix::net`]; what would block the OS thread parks the green thread instead.
//! Besides, a [`Server`], and [`lookup_host`].
//!
//! ```
//! use std::io::{Read, Write};
//! use greenthread::{net::{TcpListener, TcpStream}, spawn};
//!
//! # fn main() -> std::io::Result<()> {
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let server = spawn(move || {
//!     let (mut stream, _) = listener.accept()?; // parks until somebody connects
//!     let mut word = [0; 5];
//!     stream.read_exact(&mut word)?; // parks until the bytes are there
//!     stream.write_all(&word)
//! });
//! let mut client = TcpStream::connect(address)?;
//! client.write_all(b"hello")?;
//! let mut echoed = String::new();
//! client.read_to_string(&mut echoed)?;
//! assert_eq!(echoed, "hello");
//! server.join().unwrap()
//! # }
//! ```
//!
//! # What differs from std
//! - A call that would block parks the green thread, on the root and on a plain OS thread it runs the event loop. It tries first: a call that can
//!   finish at once neither parks nor lets others go first.
//! - A cancellation or an outer [`timeout`](crate::timeout) is raised only where a call parks; what the call had moved until then is moved, and the socket stays
//!   usable. A call never parks after it has moved something, so `read` and `write` lose nothing; `read_exact` and `write_all` lose count, as they do on any error.
//!   While a cancellation unwinds, a call that would park fails at once.
//! - A read or write timeout gives [`ErrorKind::TimedOut`](std::io::ErrorKind::TimedOut) on every system; its grain is one millisecond.
//! - `close(&self)` ends the use of a socket from anywhere: whoever is parked on it gets [`ErrorKind::NotConnected`](std::io::ErrorKind::NotConnected), and so does every later call.
//! - Any number of green threads, on any OS threads, may wait on one socket in one direction. The socket is waited for by the reactor of the OS thread
//!   that was the first to park on it, and it moves to that of another when nobody is parked on it: an OS thread that lends its sockets
//!   to others should not block outside of greenthread meanwhile.
//! - A name (rather than an address) is looked up on the pool of [`spawn_blocking`](crate::spawn_blocking), and only the green thread waits. For that, [`ToSocketAddrs`] is a trait of
//!   this crate with std's forms.
//! - There is no `set_nonblocking`: every socket parks; a read or write timeout bounds that.
//! - Clones made by `try_clone` and what [`from_std`](TcpStream::from_std) took share one socket with their originals, and that a socket does not block is a property of the socket:
//!   [`into_std`](TcpStream::into_std) on one clone makes the others block their OS threads.
//! - Closing a socket with `SO_LINGER` set to a time (which has to be done through its descriptor) blocks the OS thread for as long.
//!
//! # Options
//! Those of std have std's names. All others are set through the `socket2` crate, which takes every socket of this module by reference; and a socket
//! that `socket2` made, with options that must be there before it is bound, is taken by `from_std`:
//!
//! ```
//! use greenthread::net::{SocketAddr, TcpListener, TcpStream};
//! use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
//! use std::time::Duration;
//!
//! # fn main() -> std::io::Result<()> {
//! let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
//! socket.set_recv_buffer_size(1 << 16)?; // before it listens: for the connections, too
//! socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
//! socket.listen(128)?;
//! let listener = TcpListener::from_std(socket.into())?;
//!
//! let stream = TcpStream::connect(listener.local_addr()?)?;
//! let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(60));
//! SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
//! assert!(SockRef::from(&stream).keepalive()?);
//! # Ok(())
//! # }
//! ```
//!
//! [`TcpListener::bind_reuse_port`] and [`UdpSocket::bind_reuse_port`] need no `socket2`.

mod address;
mod connect;
pub(crate) mod faulty;
mod listener;
mod reset;
mod seats;
mod server;
mod server_on_workers;
mod socket;
mod stream;
mod stream_io;
pub(crate) mod timeouts;
mod udp;
pub mod unix;
mod visitors;

pub use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6};

pub use crate::sched::faults::Faults;
pub use address::{ToSocketAddrs, lookup_host};
pub use listener::{Incoming, TcpListener};
pub use server::{Server, Stopper};
pub use server_on_workers::ServerOnWorkers;
pub use stream::TcpStream;
pub use udp::UdpSocket;
pub use unix::datagram::UnixDatagram;
pub use unix::listener::UnixListener;
pub use unix::stream::UnixStream;
