//! What a socket can be asked and told; to std and back; many buffers at once.

use std::cell::Cell;
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::time::Duration;

use greenthread::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use greenthread::{spawn, yield_now};
use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};

use crate::pair;
use crate::unix::Place;

#[test]
#[apply(on_workers)]
fn options_are_kept_by_the_socket() {
    let (near, _far) = pair::with_std();
    for at_once in [true, false] {
        near.set_nodelay(at_once).unwrap();
        assert_eq!(near.nodelay().unwrap(), at_once);
    }
    near.set_ttl(42).unwrap();
    assert_eq!(near.ttl().unwrap(), 42);
    assert!(near.take_error().unwrap().is_none());
    let (listener, _) = pair::listener();
    listener.set_ttl(43).unwrap();
    assert_eq!(listener.ttl().unwrap(), 43);
    assert!(listener.take_error().unwrap().is_none());
}

#[test]
#[apply(on_workers)]
fn a_stream_goes_to_std_and_back() {
    let (near, mut far) = pair::with_std();
    // Registered, by parking once.
    let reader = spawn(move || {
        (&near).read_exact(&mut [0]).unwrap();
        near
    });
    yield_now();
    far.write_all(b"a").unwrap();
    let mut theirs = reader.join().unwrap().into_std().unwrap();
    far.write_all(b"b").unwrap();
    let mut byte = [0];
    theirs.read_exact(&mut byte).unwrap();
    assert_eq!(&byte, b"b");
    let back = TcpStream::from_std(theirs).unwrap();
    let reader = spawn(move || (&back).read_exact(&mut [0]));
    yield_now();
    assert!(!reader.is_finished(), "it parks again");
    far.write_all(b"c").unwrap();
    reader.join().unwrap().unwrap();
}

#[test]
#[apply(on_workers)]
fn a_listener_goes_to_std_and_back() {
    let (listener, address) = pair::listener();
    let theirs = listener.into_std().unwrap();
    let client = std::net::TcpStream::connect(address).unwrap();
    let (_, peer) = theirs.accept().unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
    let back = TcpListener::from_std(theirs).unwrap();
    let acceptor = spawn(move || back.accept().unwrap().1);
    yield_now();
    let client = TcpStream::connect(address).unwrap();
    assert_eq!(acceptor.join().unwrap(), client.local_addr().unwrap());
}

#[test]
#[apply(on_workers)]
fn what_std_does_not_know_is_set_through_socket2() {
    let (near, _far) = pair::with_std();
    let options = SockRef::from(&near);
    options
        .set_tcp_keepalive(&TcpKeepalive::new().with_time(Duration::from_secs(60)))
        .unwrap();
    assert!(options.keepalive().unwrap());
    options.set_linger(Some(Duration::ZERO)).unwrap();
    assert_eq!(options.linger().unwrap(), Some(Duration::ZERO));
}

#[test]
#[apply(on_workers)]
fn a_socket_of_socket2_becomes_a_listener_with_the_options_it_was_given() {
    let raw = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    raw.set_reuse_port(true).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    raw.bind(&any.into()).unwrap();
    raw.listen(7).unwrap();
    let listener = TcpListener::from_std(raw.into()).unwrap();
    let address = listener.local_addr().unwrap();
    assert!(TcpListener::bind(address).is_err());
    let _second = TcpListener::bind_reuse_port(address).unwrap();
}

#[test]
#[apply(on_workers)]
fn listeners_that_share_a_port_share_the_connections() {
    let first = TcpListener::bind_reuse_port("127.0.0.1:0").unwrap();
    let address = first.local_addr().unwrap();
    let second = TcpListener::bind_reuse_port(address).unwrap();
    let counts = Rc::new([Cell::new(0), Cell::new(0)]);
    let servers: Vec<_> = [first, second]
        .into_iter()
        .enumerate()
        .map(|(number, listener)| {
            let counts = Rc::clone(&counts);
            spawn(move || {
                for stream in listener.incoming() {
                    counts[number].set(counts[number].get() + 1);
                    (&stream.unwrap()).write_all(b"!").unwrap();
                }
            })
        })
        .collect();
    for _ in 0..64 {
        let mut client = TcpStream::connect(address).unwrap();
        client.read_exact(&mut [0]).unwrap();
    }
    // The kernel throws a die for each: one in 2^63 that all fall to one.
    assert!(counts[0].get() > 0 && counts[1].get() > 0, "{counts:?}");
    assert_eq!(counts[0].get() + counts[1].get(), 64);
    servers.iter().for_each(|server| assert!(server.cancel()));
}

#[test]
#[apply(on_workers)]
fn clones_of_a_listener_share_its_line() {
    let (listener, address) = pair::listener();
    let clone = listener.try_clone().unwrap();
    drop(listener);
    let client = TcpStream::connect(address).unwrap();
    let (_, peer) = clone.accept().unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
}

#[test]
#[apply(on_workers)]
fn many_buffers_are_moved_by_one_call() {
    let (near, far) = pair::ours();
    let parts = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
    assert_eq!((&near).write_vectored(&parts).unwrap(), 5);
    let (mut first, mut second) = ([0; 3], [0; 9]);
    let mut buffers = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
    assert_eq!((&far).read_vectored(&mut buffers).unwrap(), 5);
    assert_eq!((&first, &second[..2]), (b"abc", &b"de"[..]));
}

#[test]
#[apply(on_workers)]
fn l16_more_buffers_than_one_call_takes_leave_no_byte_unread() {
    let (near, mut far) = pair::with_std();
    let reader = spawn(move || {
        // Parks once, so that readiness is remembered from here on.
        (&near).read_exact(&mut [0]).unwrap();
        let mut bytes = vec![[0; 1]; 5000];
        let mut got = 0;
        while got < bytes.len() {
            let mut buffers: Vec<_> = bytes[got..]
                .iter_mut()
                .map(|b| IoSliceMut::new(b))
                .collect();
            got += (&near).read_vectored(&mut buffers).unwrap();
        }
        bytes.concat()
    });
    yield_now();
    let sent: Vec<u8> = (0..5000u32).map(|i| i as u8).collect();
    far.write_all(b"!").unwrap();
    far.write_all(&sent).unwrap();
    assert!(reader.join().unwrap() == sent);
}

#[test]
#[apply(on_workers)]
fn an_empty_buffer_is_filled_at_once() {
    let (near, _far) = pair::with_std();
    assert_eq!((&near).write(&[]).unwrap(), 0);
}

#[test]
#[apply(on_workers)]
fn sockets_are_send_sync_and_unwind_safe_and_lend_their_descriptor() {
    fn is<T: Send + Sync + UnwindSafe + RefUnwindSafe + std::fmt::Debug>(_: &T) {}
    let (listener, address) = pair::listener();
    let stream = TcpStream::connect(address).unwrap();
    is(&listener);
    is(&stream);
    is(&UdpSocket::bind("127.0.0.1:0").unwrap());
    is(&UnixDatagram::unbound().unwrap());
    is(&UnixStream::pair().unwrap());
    let place = Place::new();
    is(&UnixListener::bind(&place).unwrap());
    assert_eq!(stream.as_raw_fd(), stream.as_fd().as_raw_fd());
    let shown = format!("{stream:?} {listener:?}");
    assert!(shown.contains(&address.port().to_string()), "{shown}");
}
