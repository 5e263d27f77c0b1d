//! What belongs to Unix sockets alone: their addresses. The sockets themselves are in [`net`](super).

mod address;
pub(super) mod datagram;
pub(super) mod listener;
pub(super) mod stream;

pub use std::os::unix::net::SocketAddr;

pub use listener::Incoming;
