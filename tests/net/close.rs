//! `close`: whoever is parked gets an error, and so does whoever comes later.

use std::io::{self, ErrorKind, Read, Write};
use std::net;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Arc;

use greenthread::net::{Shutdown, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use greenthread::{spawn, yield_now};

use crate::pair;
use crate::unix::Place;

fn kind<T: std::fmt::Debug>(result: io::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

/// Whether the far end sees the end now, without waiting for it.
fn sees_end(far: &mut net::TcpStream) -> bool {
    far.set_nonblocking(true).unwrap();
    match far.read(&mut [0]) {
        Ok(n) => n == 0,
        Err(error) if error.kind() == ErrorKind::WouldBlock => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
#[apply(on_workers)]
fn l17_close_wakes_everybody_in_accept_and_later_calls_get_the_same() {
    let (listener, address) = pair::listener();
    let listener = Rc::new(listener);
    let acceptors: Vec<_> = (0..3)
        .map(|_| {
            let listener = Rc::clone(&listener);
            spawn(move || kind(listener.accept()))
        })
        .collect();
    yield_now();
    listener.close();
    for acceptor in acceptors {
        assert_eq!(acceptor.join().unwrap(), ErrorKind::NotConnected);
    }
    assert_eq!(kind(listener.accept()), ErrorKind::NotConnected);
    assert_eq!(kind(listener.local_addr()), ErrorKind::NotConnected);
    let refused = net::TcpStream::connect(address);
    assert_eq!(kind(refused), ErrorKind::ConnectionRefused);
    // The address is free again, although the value is still there.
    assert!(greenthread::net::TcpListener::bind(address).is_ok());
}

#[test]
#[apply(on_workers)]
fn incoming_ends_when_the_listener_is_closed() {
    let (listener, address) = pair::listener();
    let listener = Rc::new(listener);
    let accepting = Rc::clone(&listener);
    let server = spawn(move || {
        let greet = |stream: io::Result<TcpStream>| stream.unwrap().write_all(b"!").unwrap();
        accepting.incoming().map(greet).count()
    });
    for _ in 0..3 {
        let mut client = TcpStream::connect(address).unwrap();
        client.read_exact(&mut [0]).unwrap();
    }
    listener.close();
    assert_eq!(server.join().unwrap(), 3);
}

#[test]
#[apply(on_workers)]
fn l17_close_wakes_everybody_in_read_and_the_peer_sees_the_end() {
    let (near, mut far) = pair::with_std();
    let near = Rc::new(near);
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let near = Rc::clone(&near);
            spawn(move || kind((&*near).read(&mut [0; 8])))
        })
        .collect();
    yield_now();
    near.close();
    for reader in readers {
        assert_eq!(reader.join().unwrap(), ErrorKind::NotConnected);
    }
    assert_eq!(far.read(&mut [0]).unwrap(), 0);
    assert_eq!(kind((&*near).read(&mut [0])), ErrorKind::NotConnected);
    assert_eq!(kind((&*near).write(b"x")), ErrorKind::NotConnected);
    assert_eq!(kind(near.peek(&mut [0])), ErrorKind::NotConnected);
    assert_eq!(kind(near.peer_addr()), ErrorKind::NotConnected);
    assert_eq!(kind(near.shutdown(Shutdown::Both)), ErrorKind::NotConnected);
    assert_eq!(kind(near.try_clone()), ErrorKind::NotConnected);
    let near = Rc::into_inner(near).unwrap();
    assert_eq!(format!("{near:?}"), "TcpStream { closed }");
    assert_eq!(kind(near.into_std()), ErrorKind::NotConnected);
}

#[test]
#[apply(on_workers)]
fn l17_close_wakes_a_writer() {
    let (near, _far) = pair::with_std();
    let near = Rc::new(near);
    let writing = Rc::clone(&near);
    let writer = spawn(move || kind((&*writing).write_all(&vec![0; 64 << 20])));
    yield_now();
    assert!(!writer.is_finished());
    near.close();
    assert_eq!(writer.join().unwrap(), ErrorKind::NotConnected);
}

#[test]
#[apply(on_workers)]
fn l17_the_descriptor_is_closed_when_the_last_operation_has_left() {
    let (near, mut far) = pair::with_std();
    let near = Rc::new(near);
    let reading = Rc::clone(&near);
    let reader = spawn(move || kind((&*reading).read(&mut [0])));
    yield_now();
    near.close();
    assert!(!sees_end(&mut far), "the reader has not left yet");
    reader.join().unwrap();
    assert!(sees_end(&mut far));
}

#[test]
#[apply(on_workers)]
fn close_from_another_os_thread_wakes_a_reader_here() {
    let (near, _far) = pair::with_std();
    let near = Arc::new(near);
    let reading = Arc::clone(&near);
    let reader = spawn(move || kind((&*reading).read(&mut [0])));
    yield_now();
    let other = std::thread::spawn(move || near.close());
    assert_eq!(reader.join().unwrap(), ErrorKind::NotConnected);
    other.join().unwrap();
}

#[test]
#[apply(on_workers)]
fn close_from_another_os_thread_wakes_a_receiver_here() {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
    let receiving = Arc::clone(&socket);
    let receiver = spawn(move || kind(receiving.recv(&mut [0])));
    yield_now();
    let other = std::thread::spawn(move || socket.close());
    assert_eq!(receiver.join().unwrap(), ErrorKind::NotConnected);
    other.join().unwrap();
}

#[test]
#[apply(on_workers)]
fn a_descriptor_that_was_lent_stays_open_until_the_value_goes() {
    let (near, mut far) = pair::with_std();
    let lent = near.as_fd();
    near.close();
    assert!(sees_end(&mut far));
    assert!(lent.try_clone_to_owned().is_ok());
    assert_eq!(kind((&near).read(&mut [0])), ErrorKind::NotConnected);
    // It may be lent again: it is still there.
    assert!(near.as_fd().try_clone_to_owned().is_ok());
}

#[test]
#[apply(on_workers)]
fn lending_the_descriptor_of_a_closed_stream_panics() {
    let (near, _far) = pair::with_std();
    near.close();
    let text = crate::support::panic_text(|| near.as_fd().try_clone_to_owned());
    assert!(text.contains("closed"), "{text}");
}

/// Closes `socket` while somebody is parked in `call`, and calls once more.
fn close_while_parked<S: 'static>(
    socket: S,
    call: fn(&S) -> io::Result<()>,
    close: fn(&S),
) -> [ErrorKind; 3] {
    let socket = Rc::new(socket);
    let parked: Vec<_> = (0..2)
        .map(|_| {
            let socket = Rc::clone(&socket);
            spawn(move || kind(call(&socket)))
        })
        .collect();
    yield_now();
    assert!(parked.iter().all(|one| !one.is_finished()), "they park");
    close(&socket);
    let mut kinds: Vec<_> = parked.into_iter().map(|one| one.join().unwrap()).collect();
    kinds.push(kind(call(&socket)));
    kinds.try_into().unwrap()
}

#[test]
#[apply(on_workers)]
fn l17_close_wakes_everybody_on_every_kind_of_socket_and_later_calls_get_the_same() {
    pair::watch_for_hangs();
    let gone = [ErrorKind::NotConnected; 3];
    let udp = || UdpSocket::bind("127.0.0.1:0").unwrap();
    let receive = |socket: &UdpSocket| socket.recv(&mut [0]).map(drop);
    assert_eq!(close_while_parked(udp(), receive, UdpSocket::close), gone);
    let peek = |socket: &UdpSocket| socket.peek_from(&mut [0]).map(drop);
    assert_eq!(close_while_parked(udp(), peek, UdpSocket::close), gone);

    let place = Place::new();
    let listener = UnixListener::bind(&place).unwrap();
    let accept = |listener: &UnixListener| listener.accept().map(drop);
    let kinds = close_while_parked(listener, accept, UnixListener::close);
    assert_eq!(kinds, gone);

    let (near, _far) = UnixStream::pair().unwrap();
    let read = |mut stream: &UnixStream| stream.read(&mut [0]).map(drop);
    assert_eq!(close_while_parked(near, read, UnixStream::close), gone);
    let (near, _far) = UnixStream::pair().unwrap();
    let write = |mut stream: &UnixStream| stream.write_all(&vec![0; 64 << 20]);
    assert_eq!(close_while_parked(near, write, UnixStream::close), gone);

    let (near, _far) = UnixDatagram::pair().unwrap();
    let receive = |socket: &UnixDatagram| socket.recv_from(&mut [0]).map(drop);
    let kinds = close_while_parked(near, receive, UnixDatagram::close);
    assert_eq!(kinds, gone);
    let (near, _far) = UnixDatagram::pair().unwrap();
    let send = |socket: &UnixDatagram| loop {
        socket.send(b"until there is no room")?;
    };
    assert_eq!(close_while_parked(near, send, UnixDatagram::close), gone);
}

#[test]
#[apply(on_workers)]
fn a_closed_socket_of_any_kind_refuses_every_call() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    socket.close();
    let gone = ErrorKind::NotConnected;
    assert_eq!(kind(socket.send_to(b"x", address)), gone);
    assert_eq!(kind(socket.connect(address)), gone);
    assert_eq!(kind(socket.set_broadcast(true)), gone);
    assert_eq!(kind(socket.take_error()), gone);
    assert_eq!(kind(socket.try_clone()), gone);
    assert_eq!(format!("{socket:?}"), "UdpSocket { closed }");
    assert_eq!(kind(socket.into_std()), gone);
    assert!(UdpSocket::bind(address).is_ok(), "the port is free again");

    let socket = UnixDatagram::unbound().unwrap();
    socket.close();
    assert_eq!(kind(socket.send_to(b"x", "/nowhere")), gone);
    assert_eq!(kind(socket.local_addr()), gone);
    assert_eq!(
        kind(std::os::unix::net::UnixDatagram::try_from(socket)),
        gone
    );
}

#[test]
#[apply(on_workers)]
fn close_ends_the_wait_for_a_full_receiver() {
    let place = Place::new();
    let _receiver = UnixDatagram::bind(&place).unwrap();
    let sender = Rc::new(UnixDatagram::unbound().unwrap());
    let (sending, path) = (Rc::clone(&sender), place.as_ref().to_owned());
    let parked = spawn(move || {
        let send = || sending.send_to(b"until there is no room", &path);
        kind(std::iter::repeat_with(send).find(Result::is_err).unwrap())
    });
    yield_now();
    assert!(!parked.is_finished(), "it parks");
    sender.close();
    assert_eq!(parked.join().unwrap(), ErrorKind::NotConnected);
}

#[test]
#[apply(on_workers)]
fn a_clone_stays_open_when_the_original_is_closed() {
    let (near, mut far) = pair::with_std();
    let clone = near.try_clone().unwrap();
    near.close();
    far.write_all(b"x").unwrap();
    assert_eq!((&clone).read(&mut [0; 8]).unwrap(), 1);
    assert!(!sees_end(&mut far));
}
