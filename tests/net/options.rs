//! What a socket can be asked and told; to std and back; many buffers at once.

use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::panic::{RefUnwindSafe, UnwindSafe};

use greenthread::net::{TcpListener, TcpStream};
use greenthread::{spawn, yield_now};

use crate::pair;

#[test]
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
fn clones_of_a_listener_share_its_line() {
    let (listener, address) = pair::listener();
    let clone = listener.try_clone().unwrap();
    drop(listener);
    let client = TcpStream::connect(address).unwrap();
    let (_, peer) = clone.accept().unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
}

#[test]
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
fn an_empty_buffer_is_filled_at_once() {
    let (near, _far) = pair::with_std();
    assert_eq!((&near).write(&[]).unwrap(), 0);
}

#[test]
fn sockets_are_send_sync_and_unwind_safe_and_lend_their_descriptor() {
    fn is<T: Send + Sync + UnwindSafe + RefUnwindSafe + std::fmt::Debug>(_: &T) {}
    let (listener, address) = pair::listener();
    let stream = TcpStream::connect(address).unwrap();
    is(&listener);
    is(&stream);
    assert_eq!(stream.as_raw_fd(), stream.as_fd().as_raw_fd());
    let shown = format!("{stream:?} {listener:?}");
    assert!(shown.contains(&address.port().to_string()), "{shown}");
}
