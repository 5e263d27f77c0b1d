//! UDP.

use std::io;
use std::net::{self, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::address::{ToSocketAddrs, each_address};
use super::connect::{Port, bind_datagram};
use super::socket::{Socket, every_socket, timeout_methods};
use crate::sched::wait::Operation;

static RECV: Operation = Operation::new("UdpSocket::recv");
static RECV_FROM: Operation = Operation::new("UdpSocket::recv_from");
static PEEK: Operation = Operation::new("UdpSocket::peek");
static PEEK_FROM: Operation = Operation::new("UdpSocket::peek_from");
static SEND: Operation = Operation::new("UdpSocket::send");
static SEND_TO: Operation = Operation::new("UdpSocket::send_to");

/// A socket for datagrams: [`std::net::UdpSocket`] for green threads.
///
/// Any number of green threads, on any OS threads, may send and receive on it at once; each datagram goes to one of them. Dropping it closes it.
///
/// A receive parks until a datagram is there, and a send until the kernel has room for it. A cancellation is raised only where a call parks, so before a datagram was
/// taken or sent. On the root and on a plain OS thread the wait runs the event loop.
///
/// # Examples
/// ```
/// use greenthread::net::UdpSocket;
/// let (here, there) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
/// here.send_to(b"ping", there.local_addr()?)?;
/// let mut buffer = [0; 16];
/// let (length, sender) = there.recv_from(&mut buffer)?;
/// assert_eq!((&buffer[..length], sender), (&b"ping"[..], here.local_addr()?));
/// # std::io::Result::Ok(())
/// ```
pub struct UdpSocket(Socket<net::UdpSocket>);

every_socket!(UdpSocket, net::UdpSocket);
timeout_methods!(UdpSocket);

/// A socket, and what goes through it.
impl UdpSocket {
    /// Binds to `address`; with several addresses, to the first that can be bound.
    ///
    /// Port 0 lets the system choose: see [`local_addr`](Self::local_addr). Parks while a name is looked up, else not.
    ///
    /// # Errors
    /// Of the last address tried; `InvalidInput` when there was none; the resolver's.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<UdpSocket> {
        each_address(address, |address| bind_datagram(address, Port::Own)).map(UdpSocket)
    }

    /// As [`bind`](Self::bind), and others that do the same may bind to the address, too (`SO_REUSEPORT`).
    ///
    /// The kernel spreads the datagrams over them, all of one sender to the same. All must be of one user.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub fn bind_reuse_port(address: impl ToSocketAddrs) -> io::Result<UdpSocket> {
        each_address(address, |address| bind_datagram(address, Port::Shared)).map(UdpSocket)
    }

    /// Sets where [`send`](Self::send) sends to, and that only datagrams from there are received.
    ///
    /// With several addresses, the first that the system takes. Parks while a name is looked up, else not.
    ///
    /// # Errors
    /// Of the last address tried; `InvalidInput` when there was none; the resolver's; `NotConnected` after [`close`](Self::close).
    pub fn connect(&self, address: impl ToSocketAddrs) -> io::Result<()> {
        each_address(address, |address| self.0.ask()?.connect(address))
    }

    /// Sends a datagram to the first address that `address` stands for.
    ///
    /// Parks until the kernel has room for it, and while a name is looked up. A cancellation is raised there, and nothing was sent.
    ///
    /// # Errors
    /// The system's: a datagram that is too long (`EMSGSIZE`; 65,507 bytes are the most over IPv4) is not sent, and the socket stays usable. `TimedOut` after the
    /// write timeout; `NotConnected` after [`close`](Self::close).
    pub fn send_to(&self, datagram: &[u8], address: impl ToSocketAddrs) -> io::Result<usize> {
        let Some(address) = address.to_socket_addrs()?.next() else {
            let text = "there is no address to send to";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        };
        let send = |socket: &net::UdpSocket| socket.send_to(datagram, address);
        self.0.send(&SEND_TO, send)
    }

    /// Sends a datagram to where the socket is connected to.
    ///
    /// Parks until the kernel has room for it. A cancellation is raised there, and nothing was sent.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to); `ConnectionRefused` when an earlier one found nobody; the system's (`EDESTADDRREQ`) when it is not connected.
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
        let receive = |socket: &net::UdpSocket| socket.recv_from(buffer);
        self.0.receive(&RECV_FROM, receive)
    }

    /// Receives a datagram from where the socket is connected to, and returns its length. What does not fit into `buffer` is lost.
    ///
    /// Parks as [`recv_from`](Self::recv_from) does.
    ///
    /// # Errors
    /// As [`recv_from`](Self::recv_from); `ConnectionRefused` when an earlier send found nobody.
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.receive(&RECV, |socket| socket.recv(buffer))
    }

    /// As [`recv_from`](Self::recv_from), and the datagram stays: the next receive gives it again.
    ///
    /// # Errors
    /// As [`recv_from`](Self::recv_from).
    pub fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let peek = |socket: &net::UdpSocket| socket.peek_from(buffer);
        self.0.receive(&PEEK_FROM, peek)
    }

    /// As [`recv`](Self::recv), and the datagram stays: the next receive gives it again.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.receive(&PEEK, |socket| socket.peek(buffer))
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

/// Options; none of them parks. The errors are the system's, and `NotConnected` after [`close`](UdpSocket::close).
impl UdpSocket {
    /// Sets whether it may send to a broadcast address (`SO_BROADCAST`).
    pub fn set_broadcast(&self, may: bool) -> io::Result<()> {
        self.0.ask()?.set_broadcast(may)
    }

    /// Returns whether it may send to a broadcast address.
    pub fn broadcast(&self) -> io::Result<bool> {
        self.0.ask()?.broadcast()
    }

    /// Sets for how many hops datagrams live (`IP_TTL`).
    pub fn set_ttl(&self, hops: u32) -> io::Result<()> {
        self.0.ask()?.set_ttl(hops)
    }

    /// Returns for how many hops datagrams live.
    pub fn ttl(&self) -> io::Result<u32> {
        self.0.ask()?.ttl()
    }

    /// Joins a multicast group on the interface with the address `interface`; unspecified lets the system choose (`IP_ADD_MEMBERSHIP`).
    pub fn join_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.0.ask()?.join_multicast_v4(group, interface)
    }

    /// Joins a multicast group on the interface with the number `interface`; 0 lets the system choose (`IPV6_ADD_MEMBERSHIP`).
    pub fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.0.ask()?.join_multicast_v6(group, interface)
    }

    /// Leaves a group that [`join_multicast_v4`](Self::join_multicast_v4) joined.
    pub fn leave_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.0.ask()?.leave_multicast_v4(group, interface)
    }

    /// Leaves a group that [`join_multicast_v6`](Self::join_multicast_v6) joined.
    pub fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.0.ask()?.leave_multicast_v6(group, interface)
    }

    /// Sets whether this machine receives what it sends to its own groups (`IP_MULTICAST_LOOP`).
    pub fn set_multicast_loop_v4(&self, receives: bool) -> io::Result<()> {
        self.0.ask()?.set_multicast_loop_v4(receives)
    }

    /// Returns whether this machine receives what it sends to its own groups.
    pub fn multicast_loop_v4(&self) -> io::Result<bool> {
        self.0.ask()?.multicast_loop_v4()
    }

    /// Sets whether this machine receives what it sends to its own groups (`IPV6_MULTICAST_LOOP`).
    pub fn set_multicast_loop_v6(&self, receives: bool) -> io::Result<()> {
        self.0.ask()?.set_multicast_loop_v6(receives)
    }

    /// Returns whether this machine receives what it sends to its own groups.
    pub fn multicast_loop_v6(&self) -> io::Result<bool> {
        self.0.ask()?.multicast_loop_v6()
    }

    /// Sets for how many hops multicast datagrams live; 1, this network, unless said otherwise (`IP_MULTICAST_TTL`).
    pub fn set_multicast_ttl_v4(&self, hops: u32) -> io::Result<()> {
        self.0.ask()?.set_multicast_ttl_v4(hops)
    }

    /// Returns for how many hops multicast datagrams live.
    pub fn multicast_ttl_v4(&self) -> io::Result<u32> {
        self.0.ask()?.multicast_ttl_v4()
    }
}
