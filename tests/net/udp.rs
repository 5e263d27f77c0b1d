//! UDP.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use greenthread::net::UdpSocket;
use greenthread::{Elapsed, scope, sleep, spawn, time, timeout, yield_now};
use socket2::SockRef;

use crate::pair;
use crate::support::everywhere::virtual_time;

const LIMIT: Duration = Duration::from_secs(5);

fn bound() -> (UdpSocket, SocketAddr) {
    pair::watch_for_hangs();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Two that are connected to each other.
fn connected() -> (UdpSocket, UdpSocket) {
    let ((near, near_address), (far, far_address)) = (bound(), bound());
    near.connect(far_address).unwrap();
    far.connect(near_address).unwrap();
    (near, far)
}

fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = [0; 1024];
    let length = socket.recv(&mut buffer).unwrap();
    buffer[..length].to_vec()
}

#[test]
#[apply(on_workers)]
fn datagrams_go_both_ways_and_tell_who_sent_them() {
    let ((near, near_address), (far, far_address)) = (bound(), bound());
    let echo = spawn(move || {
        let mut buffer = [0; 64];
        let (length, sender) = far.recv_from(&mut buffer).unwrap();
        far.send_to(&buffer[..length], sender).unwrap();
        sender
    });
    yield_now();
    assert!(!echo.is_finished(), "it parks");
    assert_eq!(near.send_to(b"ping", far_address).unwrap(), 4);
    let mut buffer = [0; 64];
    assert_eq!(near.recv_from(&mut buffer).unwrap(), (4, far_address));
    assert_eq!(&buffer[..4], b"ping");
    assert_eq!(echo.join().unwrap(), near_address);
}

#[test]
#[apply(on_workers)]
fn l16_two_datagrams_that_came_together_are_both_received() {
    let (near, far) = connected();
    let receiver = spawn(move || [(); 2].map(|()| receive(&near)));
    yield_now();
    // One event for both; the first is shorter than the buffer.
    far.send(b"one").unwrap();
    far.send(b"two").unwrap();
    assert_eq!(receiver.join().unwrap(), [b"one", b"two"]);
}

#[test]
#[apply(on_workers)]
fn l16_a_cancelled_receive_takes_no_datagram_with_it() {
    let (near, far) = connected();
    let near = Rc::new(near);
    let receiving = Rc::clone(&near);
    let receiver = spawn(move || receive(&receiving));
    yield_now();
    far.send(b"kept").unwrap();
    receiver.cancel();
    assert!(receiver.join().unwrap_err().is_cancelled());
    assert_eq!(receive(&near), b"kept");
}

#[test]
#[apply(on_workers)]
fn a_connected_socket_hears_its_peer_alone() {
    let (near, far) = connected();
    let (stranger, _) = bound();
    let address = near.local_addr().unwrap();
    stranger.send_to(b"not you", address).unwrap();
    far.send(b"you").unwrap();
    assert_eq!(receive(&near), b"you");
    assert_eq!(near.peer_addr().unwrap(), far.local_addr().unwrap());
    assert_eq!(
        stranger.peer_addr().unwrap_err().kind(),
        ErrorKind::NotConnected
    );
}

#[test]
#[apply(on_workers)]
fn a_datagram_that_nobody_wanted_is_an_error_of_a_later_call() {
    let (near, far) = connected();
    drop(far);
    near.send(b"anybody?").unwrap();
    let error = near.recv(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[test]
#[apply(on_workers)]
fn a_datagram_that_is_too_long_is_an_error_and_the_socket_stays_usable() {
    let (near, far) = connected();
    let error = near.send(&vec![0; 65_508]).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EMSGSIZE));
    let address = far.local_addr().unwrap();
    let error = near.send_to(&vec![0; 1 << 20], address).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EMSGSIZE));
    near.send(b"short").unwrap();
    assert_eq!(receive(&far), b"short");
}

#[test]
#[apply(on_workers)]
fn what_does_not_fit_into_the_buffer_is_lost_and_the_next_datagram_is_whole() {
    let (near, far) = connected();
    far.send(b"abcdef").unwrap();
    far.send(b"next").unwrap();
    let mut buffer = [0; 3];
    assert_eq!(near.recv(&mut buffer).unwrap(), 3);
    assert_eq!(&buffer, b"abc");
    assert_eq!(receive(&near), b"next");
}

#[test]
#[apply(on_workers)]
fn an_empty_datagram_is_one() {
    let (near, far) = connected();
    far.send(b"").unwrap();
    far.send(b"x").unwrap();
    assert_eq!(receive(&near), b"");
    assert_eq!(receive(&near), b"x");
}

#[test]
#[apply(on_workers)]
fn peek_leaves_the_datagram_and_parks_for_it() {
    let (near, far) = connected();
    let address = far.local_addr().unwrap();
    let peeker = spawn(move || {
        let mut buffer = [0; 8];
        let peeked = near.peek(&mut buffer).unwrap();
        let from = near.peek_from(&mut buffer).unwrap();
        (peeked, from, receive(&near))
    });
    yield_now();
    far.send(b"abc").unwrap();
    let expected = (3, (3, address), b"abc".to_vec());
    assert_eq!(peeker.join().unwrap(), expected);
}

#[test]
#[apply(on_workers)]
fn receivers_of_one_socket_are_served_in_the_order_in_which_they_came() {
    let (near, far) = connected();
    let near = Rc::new(near);
    let receivers: Vec<_> = (0..3)
        .map(|_| {
            let near = Rc::clone(&near);
            spawn(move || receive(&near))
        })
        .collect();
    yield_now();
    for text in ["1", "2", "3"] {
        far.send(text.as_bytes()).unwrap();
    }
    let got: Vec<_> = receivers.into_iter().map(|r| r.join().unwrap()).collect();
    assert_eq!(got.concat(), b"123");
}

#[test]
#[apply(on_workers)]
fn another_os_thread_receives_through_the_same_socket() {
    let (near, far) = connected();
    let near = Arc::new(near);
    let there = Arc::clone(&near);
    let other = std::thread::spawn(move || receive(&there));
    far.send(b"one").unwrap();
    assert_eq!(other.join().unwrap(), b"one");
    far.send(b"two").unwrap();
    assert_eq!(receive(&near), b"two");
}

#[test]
#[apply(on_roots)]
fn a_read_timeout_gives_timed_out_and_the_socket_stays_usable() {
    virtual_time(|| {
        let (near, far) = connected();
        near.set_read_timeout(Some(LIMIT)).unwrap();
        let before = time::now();
        let calls: [fn(&UdpSocket) -> std::io::Result<usize>; 4] = [
            |socket| socket.recv(&mut [0; 8]),
            |socket| socket.peek(&mut [0; 8]),
            |socket| socket.recv_from(&mut [0; 8]).map(|(length, _)| length),
            |socket| socket.peek_from(&mut [0; 8]).map(|(length, _)| length),
        ];
        for call in calls {
            assert_eq!(call(&near).unwrap_err().kind(), ErrorKind::TimedOut);
        }
        assert_eq!(time::now() - before, LIMIT * 4);
        far.send(b"late").unwrap();
        assert_eq!(receive(&near), b"late");
    });
}

#[test]
#[apply(on_roots)]
fn l16_a_timeout_around_a_receive_leaves_the_socket_usable() {
    virtual_time(|| {
        let (near, far) = connected();
        assert_eq!(timeout(LIMIT, || receive(&near)), Err(Elapsed));
        far.send(b"late").unwrap();
        assert_eq!(timeout(LIMIT, || receive(&near)), Ok(b"late".to_vec()));
    });
}

#[test]
#[apply(on_roots)]
fn l16_a_datagram_that_came_before_the_timeout_was_seen_is_received() {
    virtual_time(|| {
        let (near, far) = connected();
        near.set_read_timeout(Some(LIMIT)).unwrap();
        let received = RefCell::new(Vec::new());
        scope(|s| {
            s.spawn(|| {
                sleep(LIMIT);
                far.send(b"just in time").unwrap();
            });
            s.spawn(|| *received.borrow_mut() = receive(&near));
        });
        assert_eq!(received.take(), b"just in time");
    });
}

#[test]
#[apply(on_workers)]
fn an_address_in_use_is_an_error() {
    let (_taken, address) = bound();
    let error = UdpSocket::bind(address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
    assert!(UdpSocket::bind(&[address, free][..]).is_ok());
}

#[test]
#[apply(on_workers)]
fn sending_to_no_address_is_invalid_input() {
    let (near, _) = bound();
    let error = near.send_to(b"x", &[][..]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let error = near.connect(&[][..]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let error = near.send(b"x").unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EDESTADDRREQ));
}

#[test]
#[apply(on_workers)]
fn sockets_that_share_a_port_are_all_bound_to_it() {
    pair::watch_for_hangs();
    let first = UdpSocket::bind_reuse_port("127.0.0.1:0").unwrap();
    let address = first.local_addr().unwrap();
    let second = UdpSocket::bind_reuse_port(address).unwrap();
    assert_eq!(second.local_addr().unwrap(), address);
    let error = UdpSocket::bind(address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

#[test]
#[apply(on_workers)]
fn broadcasting_must_be_allowed_first() {
    let (near, near_address) = bound();
    let everybody = (Ipv4Addr::new(127, 255, 255, 255), near_address.port());
    assert!(!near.broadcast().unwrap());
    let error = near.send_to(b"all", everybody).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    near.set_broadcast(true).unwrap();
    assert!(near.broadcast().unwrap());
    near.send_to(b"all", everybody).unwrap();
}

#[test]
#[apply(on_workers)]
fn a_multicast_group_is_joined_heard_and_left() {
    let group = Ipv4Addr::new(239, 77, 12, 41);
    let (near, near_address) = bound();
    pair::watch_for_hangs();
    let member = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let port = member.local_addr().unwrap().port();
    member
        .join_multicast_v4(&group, &Ipv4Addr::LOCALHOST)
        .unwrap();
    let options = SockRef::from(&near);
    options.set_multicast_if_v4(&Ipv4Addr::LOCALHOST).unwrap();
    near.send_to(b"members", (group, port)).unwrap();
    let mut buffer = [0; 16];
    let (length, sender) = member.recv_from(&mut buffer).unwrap();
    assert_eq!((&buffer[..length], sender), (&b"members"[..], near_address));
    member
        .leave_multicast_v4(&group, &Ipv4Addr::LOCALHOST)
        .unwrap();
    let again = member.leave_multicast_v4(&group, &Ipv4Addr::LOCALHOST);
    assert!(again.is_err(), "left already");
}

#[test]
#[apply(on_workers)]
fn options_are_kept_by_the_socket() {
    let (near, _) = bound();
    near.set_ttl(42).unwrap();
    assert_eq!(near.ttl().unwrap(), 42);
    near.set_multicast_ttl_v4(7).unwrap();
    assert_eq!(near.multicast_ttl_v4().unwrap(), 7);
    for receives in [false, true] {
        near.set_multicast_loop_v4(receives).unwrap();
        assert_eq!(near.multicast_loop_v4().unwrap(), receives);
    }
    assert!(near.take_error().unwrap().is_none());
}

#[test]
#[apply(on_workers)]
fn options_of_the_sixth_version_are_kept_by_the_socket() {
    let Ok(near) = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)) else {
        return eprintln!("no IPv6 on this machine: not tested");
    };
    for receives in [false, true] {
        near.set_multicast_loop_v6(receives).unwrap();
        assert_eq!(near.multicast_loop_v6().unwrap(), receives);
    }
    let group = Ipv6Addr::new(0xff11, 0, 0, 0, 0, 0, 0x4d, 0x29);
    let unknown = near.leave_multicast_v6(&group, 1);
    assert!(unknown.is_err(), "never joined");
    if near.join_multicast_v6(&group, 1).is_ok() {
        near.leave_multicast_v6(&group, 1).unwrap();
    }
}

#[test]
#[apply(on_workers)]
fn it_goes_to_std_and_back_with_its_timeouts() {
    let (near, far) = connected();
    near.set_read_timeout(Some(LIMIT)).unwrap();
    let receiver = spawn(move || {
        receive(&near);
        near
    });
    yield_now();
    far.send(b"registered").unwrap();
    let theirs = receiver.join().unwrap().into_std().unwrap();
    assert_eq!(theirs.read_timeout().unwrap(), Some(LIMIT));
    far.send(b"blocks").unwrap();
    assert_eq!(theirs.recv(&mut [0; 16]).unwrap(), 6);
    let back = UdpSocket::try_from(theirs).unwrap();
    assert_eq!(back.read_timeout().unwrap(), Some(LIMIT));
    assert_eq!(back.write_timeout().unwrap(), None);
    far.send(b"parks").unwrap();
    assert_eq!(receive(&back.try_clone().unwrap()), b"parks");
}
