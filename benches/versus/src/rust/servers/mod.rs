//! The servers of the Rust peers. Each listens on a free port, says it as its first line, and serves until it is killed.

mod dialogue;
pub mod epoll;
pub mod hyper;
pub mod may;
pub mod ours;
pub mod tokio;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Bytes that an echo server reads at once.
const PIECE: usize = 1024;

/// Where all of them bind to.
const ANYWHERE: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// Tells the load generator where to connect.
fn say(address: SocketAddr) {
    println!("{}", address.port());
}

/// A listener of std that does not block, its address said.
fn listen() -> TcpListener {
    let listener = TcpListener::bind(ANYWHERE).expect("a free port");
    let unblocked = listener.set_nonblocking(true);
    unblocked.expect("a listener that does not block");
    say(listener.local_addr().expect("a bound listener"));
    listener
}
