//! Sockets between processes of one machine.

use std::fs;
use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::path::{Path, PathBuf};
use std::process;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use greenthread::net::unix::SocketAddr;
use greenthread::net::{Shutdown, UnixDatagram, UnixListener, UnixStream};
use greenthread::{Elapsed, JoinHandle, spawn, time, timeout, yield_now};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use crate::pair;
use crate::support::everywhere::virtual_time;

const LIMIT: Duration = Duration::from_secs(5);

/// A path that nobody else has, gone with the value.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        pair::watch_for_hangs();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut folder = std::env::temp_dir();
        // A socket's path is short.
        if folder.as_os_str().len() > 60 {
            folder = "/tmp".into();
        }
        let name = format!("greenthread-{}-{number}.sock", process::id());
        Place(folder.join(name))
    }
}

impl AsRef<Path> for Place {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn kind<T>(result: std::io::Result<T>) -> ErrorKind {
    result.map(drop).unwrap_err().kind()
}

/// The far end blocks: what it does has happened when it returns.
fn with_std() -> (UnixStream, std::os::unix::net::UnixStream) {
    pair::watch_for_hangs();
    let (near, far) = UnixStream::pair().unwrap();
    (near, far.into_std().unwrap())
}

fn receive(socket: &UnixDatagram) -> Vec<u8> {
    let mut buffer = [0; 1024];
    let length = socket.recv(&mut buffer).unwrap();
    buffer[..length].to_vec()
}

#[test]
#[apply(on_workers)]
fn a_connection_through_a_path_carries_bytes_both_ways() {
    let place = Place::new();
    let listener = UnixListener::bind(&place).unwrap();
    let server = spawn(move || {
        let (mut stream, peer) = listener.accept().unwrap();
        assert!(peer.is_unnamed());
        let mut word = [0; 4];
        stream.read_exact(&mut word).unwrap();
        stream.write_all(&word).unwrap();
        listener.local_addr().unwrap()
    });
    yield_now();
    let stream = UnixStream::connect(&place).unwrap();
    (&stream).write_all(b"ping").unwrap();
    let mut word = String::new();
    (&stream).read_to_string(&mut word).unwrap();
    assert_eq!(word, "ping");
    let address = server.join().unwrap();
    assert_eq!(address.as_pathname(), Some(place.as_ref()));
    assert_eq!(
        stream.peer_addr().unwrap().as_pathname(),
        Some(place.as_ref())
    );
    assert!(stream.local_addr().unwrap().is_unnamed());
}

#[test]
#[apply(once)]
fn a_name_that_is_no_path_is_an_address_too() {
    let name = format!("greenthread {} \0 abstract", process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    let stream = UnixStream::connect_addr(&address).unwrap();
    listener.accept().unwrap();
    let peer = stream.peer_addr().unwrap();
    assert_eq!(peer.as_abstract_name(), Some(name.as_bytes()));
    let receiver_name = format!("{name} 2");
    let address = SocketAddr::from_abstract_name(&receiver_name).unwrap();
    let receiver = UnixDatagram::bind_addr(&address).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    sender.send_to_addr(b"one", &address).unwrap();
    sender.connect_addr(&address).unwrap();
    sender.send(b"two").unwrap();
    assert_eq!([receive(&receiver), receive(&receiver)], [b"one", b"two"]);
}

#[test]
#[apply(on_workers)]
fn a_path_that_is_too_long_is_invalid_input_that_names_it_and_the_limit() {
    let path = format!("/tmp/{}", "x".repeat(200));
    let errors = [
        UnixListener::bind(&path).unwrap_err(),
        UnixStream::connect(&path).unwrap_err(),
        UnixDatagram::bind(&path).unwrap_err(),
        UnixDatagram::unbound().unwrap().connect(&path).unwrap_err(),
        UnixDatagram::unbound()
            .unwrap()
            .send_to(b"x", &path)
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let text = error.to_string();
        assert!(text.contains(&path) && text.contains("205") && text.contains("107"));
    }
    assert_eq!(kind(UnixStream::connect("a\0b")), ErrorKind::InvalidInput);
}

#[test]
#[apply(on_workers)]
fn a_path_in_use_is_an_error_although_nobody_listens_any_more() {
    let place = Place::new();
    let listener = UnixListener::bind(&place).unwrap();
    assert_eq!(kind(UnixListener::bind(&place)), ErrorKind::AddrInUse);
    drop(listener);
    assert_eq!(kind(UnixListener::bind(&place)), ErrorKind::AddrInUse);
    assert_eq!(kind(UnixDatagram::bind(&place)), ErrorKind::AddrInUse);
    assert_eq!(
        kind(UnixStream::connect(&place)),
        ErrorKind::ConnectionRefused
    );
    fs::remove_file(&place).unwrap();
    assert_eq!(kind(UnixStream::connect(&place)), ErrorKind::NotFound);
    assert!(UnixListener::bind(&place).is_ok());
}

#[test]
#[apply(on_workers)]
fn incoming_accepts_until_the_listener_is_closed() {
    let place = Place::new();
    let listener = Rc::new(UnixListener::bind(&place).unwrap());
    let accepting = Rc::clone(&listener);
    let server = spawn(move || accepting.incoming().map(Result::unwrap).count());
    for _ in 0..3 {
        let mut stream = UnixStream::connect(&place).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    }
    listener.close();
    assert_eq!(server.join().unwrap(), 3);
}

/// A listener with a line of one, and one who stands in it.
fn full_listener(place: &Place) -> (UnixListener, UnixStream) {
    let raw = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    raw.bind(&SockAddr::unix(place).unwrap()).unwrap();
    raw.listen(0).unwrap();
    let raw = std::os::fd::OwnedFd::from(raw);
    let listener = UnixListener::from_std(raw.into()).unwrap();
    (listener, UnixStream::connect(place).unwrap())
}

#[test]
#[apply(on_workers)]
fn a_connect_to_a_full_line_parks_until_there_is_room() {
    let place = Place::new();
    let (listener, _in_line) = full_listener(&place);
    let path = place.as_ref().to_owned();
    let connecting: JoinHandle<_> = spawn(move || UnixStream::connect(path));
    yield_now();
    yield_now();
    assert!(!connecting.is_finished());
    listener.accept().unwrap();
    let stream = connecting.join().unwrap().unwrap();
    assert!(stream.peer_addr().is_ok());
    listener.accept().unwrap();
}

#[test]
#[apply(on_roots)]
fn a_connect_to_a_full_line_can_be_cut_short() {
    virtual_time(|| {
        let place = Place::new();
        let (_listener, _in_line) = full_listener(&place);
        let before = time::now();
        let connect = || UnixStream::connect(&place).map(drop);
        assert!(timeout(LIMIT, connect).is_err());
        assert_eq!(time::now() - before, LIMIT);
    });
}

#[test]
#[apply(on_workers)]
fn an_end_is_seen_and_the_other_half_goes_on() {
    let (near, mut far) = with_std();
    far.write_all(b"last").unwrap();
    far.shutdown(Shutdown::Write).unwrap();
    let mut heard = String::new();
    (&near).read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "last");
    (&near).write_all(b"still here").unwrap();
    near.shutdown(Shutdown::Both).unwrap();
    heard.clear();
    far.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "still here");
    assert_eq!(kind((&near).write(b"x")), ErrorKind::BrokenPipe);
}

#[test]
#[apply(on_workers)]
fn l16_an_end_that_came_with_the_last_bytes_of_a_unix_stream_is_seen() {
    let (near, mut far) = with_std();
    let reader = spawn(move || {
        let mut got = Vec::new();
        (&near).read_to_end(&mut got).map(|_| got)
    });
    yield_now();
    far.write_all(b"last").unwrap();
    drop(far);
    assert_eq!(reader.join().unwrap().unwrap(), b"last");
}

#[test]
#[apply(on_workers)]
fn many_buffers_are_moved_by_one_call() {
    let (near, far) = UnixStream::pair().unwrap();
    let parts = [IoSlice::new(b"ab"), IoSlice::new(b"cde")];
    assert_eq!((&near).write_vectored(&parts).unwrap(), 5);
    let (mut first, mut second) = ([0; 3], [0; 9]);
    let mut buffers = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
    assert_eq!((&far).read_vectored(&mut buffers).unwrap(), 5);
    assert_eq!((&first, &second[..2]), (b"abc", &b"de"[..]));
}

#[test]
#[apply(on_workers)]
fn l16_a_cancelled_read_of_a_unix_stream_takes_nothing_with_it() {
    let (near, mut far) = with_std();
    let near = Rc::new(near);
    let reading = Rc::clone(&near);
    let reader = spawn(move || (&*reading).read(&mut [0; 8]));
    yield_now();
    far.write_all(b"all").unwrap();
    reader.cancel();
    assert!(reader.join().unwrap_err().is_cancelled());
    let mut got = [0; 3];
    (&*near).read_exact(&mut got).unwrap();
    assert_eq!(&got, b"all");
}

#[test]
#[apply(on_workers)]
fn l16_a_cancelled_accept_of_a_unix_listener_loses_no_connection() {
    let place = Place::new();
    let listener = Rc::new(UnixListener::bind(&place).unwrap());
    let accepting = Rc::clone(&listener);
    let acceptor = spawn(move || accepting.accept().map(drop));
    yield_now();
    let client = std::os::unix::net::UnixStream::connect(&place).unwrap();
    acceptor.cancel();
    assert!(acceptor.join().unwrap_err().is_cancelled());
    let (stream, _) = listener.accept().unwrap();
    (&client).write_all(b"x").unwrap();
    (&stream).read_exact(&mut [0]).unwrap();
}

#[test]
#[apply(on_workers)]
fn l16_two_connections_that_came_together_are_both_accepted() {
    let place = Place::new();
    let listener = UnixListener::bind(&place).unwrap();
    let acceptor = spawn(move || [(); 2].map(|()| listener.accept().unwrap()));
    yield_now();
    let _clients = [(); 2].map(|()| std::os::unix::net::UnixStream::connect(&place).unwrap());
    acceptor.join().unwrap();
}

#[test]
#[apply(on_workers)]
fn several_wait_on_one_stream_in_both_directions_and_on_several_os_threads() {
    let (near, far) = UnixStream::pair().unwrap();
    let near = Arc::new(near);
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let near = Arc::clone(&near);
            std::thread::spawn(move || {
                let read = || {
                    let near = Arc::clone(&near);
                    spawn(move || (&*near).read_exact(&mut [0; 1000]).unwrap())
                };
                for reader in [read(), read()] {
                    reader.join().unwrap();
                }
            })
        })
        .collect();
    (&far).write_all(&[7; 6000]).unwrap();
    readers.into_iter().for_each(|r| r.join().unwrap());
    far.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    (&*near).write_all(b"all read").unwrap();
    (&far).read_exact(&mut [0; 8]).unwrap();
}

#[test]
#[apply(on_roots)]
fn timeouts_of_a_unix_stream_give_timed_out_and_go_to_std_and_back() {
    virtual_time(|| {
        let (near, _far) = with_std();
        near.set_read_timeout(Some(LIMIT)).unwrap();
        near.set_write_timeout(Some(LIMIT)).unwrap();
        let before = time::now();
        assert_eq!(kind((&near).read(&mut [0])), ErrorKind::TimedOut);
        assert_eq!(
            kind((&near).write_all(&vec![0; 16 << 20])),
            ErrorKind::TimedOut
        );
        assert_eq!(time::now() - before, LIMIT * 2);
        let theirs = near.into_std().unwrap();
        assert_eq!(theirs.read_timeout().unwrap(), Some(LIMIT));
        let back = UnixStream::from_std(theirs).unwrap();
        assert_eq!(back.write_timeout().unwrap(), Some(LIMIT));
    });
}

#[test]
#[apply(on_workers)]
fn l16_two_datagrams_that_came_together_through_a_pair_are_both_received() {
    pair::watch_for_hangs();
    let (near, far) = UnixDatagram::pair().unwrap();
    let receiver = spawn(move || [(); 2].map(|()| receive(&near)));
    yield_now();
    far.send(b"one").unwrap();
    far.send(b"two").unwrap();
    assert_eq!(receiver.join().unwrap(), [b"one", b"two"]);
}

#[test]
#[apply(on_workers)]
fn datagrams_tell_who_sent_them() {
    let (here, there) = (Place::new(), Place::new());
    let near = UnixDatagram::bind(&here).unwrap();
    let far = UnixDatagram::bind(&there).unwrap();
    assert_eq!(far.send_to(b"hello", &here).unwrap(), 5);
    let (length, sender) = near.recv_from(&mut [0; 16]).unwrap();
    assert_eq!((length, sender.as_pathname()), (5, Some(there.as_ref())));
    let local = near.local_addr().unwrap();
    assert_eq!(local.as_pathname(), Some(here.as_ref()));
    assert_eq!(kind(near.peer_addr()), ErrorKind::NotConnected);
    near.connect(&there).unwrap();
    assert!(near.peer_addr().is_ok());
    near.shutdown(Shutdown::Both).unwrap();
    assert_eq!(kind(near.send(b"x")), ErrorKind::BrokenPipe);
}

#[test]
#[apply(on_workers)]
fn a_datagram_that_is_longer_than_the_send_buffer_is_an_error() {
    let (near, far) = UnixDatagram::pair().unwrap();
    SockRef::from(&near).set_send_buffer_size(4096).unwrap();
    let error = near.send(&vec![0; 1 << 20]).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EMSGSIZE));
    near.send(b"short").unwrap();
    assert_eq!(receive(&far), b"short");
}

/// Sends until the receiver at `place` has no room; how many that were.
fn fill(place: &Place) -> usize {
    let raw = std::os::unix::net::UnixDatagram::unbound().unwrap();
    raw.set_nonblocking(true).unwrap();
    let mut sent = 0;
    while raw.send_to(b"fills", place).is_ok() {
        sent += 1;
    }
    sent
}

/// Sends when the receiver has no room, and makes room.
fn send_to_full(send: impl FnOnce(&UnixDatagram, &Path) + 'static) {
    let place = Place::new();
    let receiver = UnixDatagram::bind(&place).unwrap();
    let sent = fill(&place);
    let path = place.as_ref().to_owned();
    let sender = spawn(move || send(&UnixDatagram::unbound().unwrap(), &path));
    yield_now();
    yield_now();
    assert!(!sender.is_finished(), "it parks");
    for _ in 0..sent {
        assert_eq!(receive(&receiver), b"fills");
    }
    assert_eq!(receive(&receiver), b"more");
    sender.join().unwrap();
}

#[test]
#[apply(on_workers)]
fn a_datagram_to_a_full_receiver_parks_until_there_is_room() {
    send_to_full(|sender, path| assert_eq!(sender.send_to(b"more", path).unwrap(), 4));
}

#[test]
#[apply(on_workers)]
fn a_datagram_of_a_connected_socket_to_a_full_receiver_parks_until_there_is_room() {
    send_to_full(|sender, path| {
        sender.connect(path).unwrap();
        assert_eq!(sender.send(b"more").unwrap(), 4);
    });
}

#[test]
#[apply(on_workers)]
fn a_full_receiver_does_not_hold_up_datagrams_to_another() {
    let (full, free) = (Place::new(), Place::new());
    let _full = UnixDatagram::bind(&full).unwrap();
    let receiver = UnixDatagram::bind(&free).unwrap();
    fill(&full);
    let sender = Rc::new(UnixDatagram::unbound().unwrap());
    let (sending, path) = (Rc::clone(&sender), full.as_ref().to_owned());
    let parked = spawn(move || sending.send_to(b"never", path));
    yield_now();
    let other = spawn(|| ());
    sender.send_to(b"at once", &free).unwrap();
    assert!(!other.is_finished(), "it did not park");
    assert_eq!(receive(&receiver), b"at once");
    parked.cancel();
    assert!(parked.join().unwrap_err().is_cancelled());
}

#[test]
#[apply(on_roots)]
fn a_write_timeout_ends_the_wait_for_a_full_receiver() {
    virtual_time(|| {
        let place = Place::new();
        let _receiver = UnixDatagram::bind(&place).unwrap();
        fill(&place);
        let sender = UnixDatagram::unbound().unwrap();
        let before = time::now();
        let send = || sender.send_to(b"more", &place);
        assert_eq!(timeout(LIMIT, || send().unwrap()), Err(Elapsed));
        sender.set_write_timeout(Some(LIMIT)).unwrap();
        assert_eq!(kind(send()), ErrorKind::TimedOut);
        sender.connect(&place).unwrap();
        assert_eq!(kind(sender.send(b"more")), ErrorKind::TimedOut);
        assert_eq!(time::now() - before, LIMIT * 3);
    });
}

#[test]
#[apply(on_roots)]
fn a_read_timeout_of_a_datagram_socket_gives_timed_out() {
    virtual_time(|| {
        let (near, far) = UnixDatagram::pair().unwrap();
        near.set_read_timeout(Some(LIMIT)).unwrap();
        assert_eq!(kind(near.recv(&mut [0])), ErrorKind::TimedOut);
        assert_eq!(kind(near.recv_from(&mut [0])), ErrorKind::TimedOut);
        far.send(b"late").unwrap();
        assert_eq!(receive(&near), b"late");
    });
}

#[test]
#[apply(on_workers)]
fn they_go_to_std_and_back() {
    let place = Place::new();
    let listener = UnixListener::bind(&place).unwrap();
    let theirs = listener.into_std().unwrap();
    let listener = UnixListener::from_std(theirs).unwrap();
    let acceptor = spawn(move || listener.try_clone().unwrap().accept().map(drop));
    yield_now();
    assert!(!acceptor.is_finished(), "it parks");
    let _stream = UnixStream::connect(&place).unwrap();
    acceptor.join().unwrap().unwrap();
    let (near, far) = UnixDatagram::pair().unwrap();
    near.set_read_timeout(Some(LIMIT)).unwrap();
    let theirs = near.into_std().unwrap();
    assert_eq!(theirs.read_timeout().unwrap(), Some(LIMIT));
    far.send(b"blocks").unwrap();
    assert_eq!(theirs.recv(&mut [0; 8]).unwrap(), 6);
    let back = UnixDatagram::from_std(theirs).unwrap();
    assert_eq!(back.read_timeout().unwrap(), Some(LIMIT));
    assert!(back.take_error().unwrap().is_none());
}
