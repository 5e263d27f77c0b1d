//! Making a connection.

use std::io::ErrorKind;
use std::net::{self, SocketAddr};
use std::time::Duration;

use greenthread::net::{TcpListener, TcpStream};
use greenthread::time;
use socket2::{Domain, Socket, Type};

use crate::pair;
use crate::support::everywhere::virtual_time;

/// An address of the loopback where nobody listens.
fn nobody() -> SocketAddr {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// A listener whose line is full: the kernel leaves whoever comes now without an answer.
pub(crate) fn full_listener() -> (impl Drop, SocketAddr) {
    struct Full(
        #[allow(dead_code, reason = "kept open")] Socket,
        Vec<TcpStream>,
    );
    impl Drop for Full {
        fn drop(&mut self) {
            self.1.clear();
        }
    }
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let mut line = Vec::new();
    // The clock is virtual: it jumps as soon as the kernel has nothing to say.
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
        line.push(stream);
        assert!(line.len() < 100, "the line never fills");
    }
    (Full(socket, line), address)
}

#[test]
#[apply(on_workers)]
fn connecting_to_nobody_is_refused() {
    let error = TcpStream::connect(nobody()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let error = TcpStream::connect_timeout(&nobody(), Duration::from_secs(60)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[test]
#[apply(on_workers)]
fn connect_tries_every_address_and_keeps_the_last_error() {
    let (_listener, address) = pair::listener();
    let stream = TcpStream::connect(&[nobody(), address][..]).unwrap();
    assert_eq!(stream.peer_addr().unwrap(), address);
    let error = TcpStream::connect(&[nobody(), nobody()][..]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let error = TcpStream::connect(&[][..]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
#[apply(on_workers)]
fn bind_tries_every_address() {
    let (_taken, address) = pair::listener();
    let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let listener = TcpListener::bind(&[address, free][..]).unwrap();
    assert_ne!(listener.local_addr().unwrap(), address);
    let error = TcpListener::bind(address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

#[test]
#[apply(on_workers)]
fn a_name_is_looked_up() {
    let (_listener, address) = pair::listener();
    let stream = TcpStream::connect(("localhost", address.port())).unwrap();
    assert!(stream.peer_addr().unwrap().ip().is_loopback());
}

#[test]
#[apply(on_roots)]
fn connect_timeout_gives_up_when_nobody_answers() {
    virtual_time(|| {
        let (_full, address) = full_listener();
        let before = time::now();
        let limit = Duration::from_secs(9);
        let error = TcpStream::connect_timeout(&address, limit).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(time::now() - before, limit);
    });
}

#[test]
#[apply(on_workers)]
fn a_connect_timeout_of_zero_is_invalid_input() {
    let error = TcpStream::connect_timeout(&nobody(), Duration::ZERO).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
