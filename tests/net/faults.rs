//! Peers that behave badly. The clock is virtual: it jumps when the kernel has nothing to say.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;
use std::time::Duration;

use greenthread::net::{Server, Shutdown, TcpListener, TcpStream, UdpSocket, UnixStream};
use greenthread::{Elapsed, scope, sleep, spawn, time, timeout, yield_now};

use crate::pair;
use crate::support::everywhere::virtual_time;

const SECOND: Duration = Duration::from_secs(1);

/// Says a byte each second for so many seconds, then nothing for ever.
fn drip(mut stream: impl Write, seconds: usize) {
    for _ in 0..seconds {
        sleep(SECOND);
        stream.write_all(b".").unwrap();
    }
}

/// Reads what a peer says that is slow: `near` and `far` are the two ends.
fn read_from_a_slow_peer<S>(near: &S, far: &S)
where
    for<'a> &'a S: Read + Write,
{
    scope(|s| {
        let dripping = s.spawn(|| drip(far, 20));
        let begun = time::now();
        // The read timeout is for each read, not for all of them.
        (&mut { near }).read_exact(&mut [0; 10]).unwrap();
        assert_eq!(time::now() - begun, 10 * SECOND);
        let read = || (&mut { near }).read_exact(&mut [0; 100]).unwrap();
        assert_eq!(timeout(5 * SECOND + SECOND / 2, read), Err(Elapsed));
        // The bytes that came meanwhile are gone with the buffer, and no other.
        let mut rest = [0; 5];
        (&mut { near }).read_exact(&mut rest).unwrap();
        assert_eq!(&rest, b".....");
        dripping.join().unwrap();
        let error = (&mut { near }).read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let expected = 20 * SECOND + 3 * SECOND / 2;
        assert_eq!(time::now() - begun, expected);
    });
}

#[test]
#[apply(on_roots)]
fn a_peer_that_says_a_byte_a_second_is_in_time_for_each_read_and_too_late_for_all() {
    virtual_time(|| {
        let (near, far) = pair::ours();
        near.set_read_timeout(Some(3 * SECOND / 2)).unwrap();
        read_from_a_slow_peer(&near, &far);
        let (near, far) = UnixStream::pair().unwrap();
        near.set_read_timeout(Some(3 * SECOND / 2)).unwrap();
        read_from_a_slow_peer(&near, &far);
    });
}

#[test]
#[apply(on_roots)]
fn a_client_that_never_reads_holds_a_handler_no_longer_than_its_write_timeout() {
    virtual_time(|| {
        let server = Server::bind("127.0.0.1:0").unwrap().limit(1);
        let stopper = server.stopper();
        let address = stopper.local_addr().unwrap();
        let error = Rc::new(Cell::new(None));
        let seen = Rc::clone(&error);
        let serving = spawn(move || {
            server.serve(move |stream, _| {
                stream.set_write_timeout(Some(SECOND)).unwrap();
                let sent = (&stream).write_all(&vec![0; 64 << 20]);
                seen.set(Some(sent.unwrap_err().kind()));
            })
        });
        let _never_reads = TcpStream::connect(address).unwrap();
        let mut honest = TcpStream::connect(address).unwrap();
        let begun = time::now();
        honest.read_exact(&mut [0]).unwrap();
        assert_eq!(time::now() - begun, SECOND);
        assert_eq!(error.get(), Some(ErrorKind::TimedOut));
        stopper.stop(Duration::ZERO);
        serving.join().unwrap().unwrap();
    });
}

#[test]
#[apply(on_workers)]
fn a_connection_whose_peer_resets_before_it_is_accepted_harms_nobody() {
    let (listener, address) = pair::listener();
    let gone = TcpStream::connect(address).unwrap();
    let options = socket2::SockRef::from(&gone);
    options.set_linger(Some(Duration::ZERO)).unwrap();
    drop(gone);
    let _there = TcpStream::connect(address).unwrap();
    // Linux hands the dead one out, too: it is an error of its first read.
    let dead = listener.accept().unwrap().0;
    assert!((&dead).read(&mut [0]).is_err());
    listener.accept().unwrap();
}

#[test]
#[apply(on_workers)]
fn an_address_in_use_is_an_error_of_every_kind_of_socket() {
    let (_listener, address) = pair::listener();
    let taken = |error: io::Error| assert_eq!(error.kind(), ErrorKind::AddrInUse);
    taken(TcpListener::bind(address).unwrap_err());
    taken(TcpListener::bind_reuse_port(address).unwrap_err());
    taken(Server::bind(address).unwrap_err());
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    taken(UdpSocket::bind(socket.local_addr().unwrap()).unwrap_err());
}

#[test]
#[apply(on_workers)]
fn a_peer_that_ends_its_half_and_reads_on_gets_all_that_is_written() {
    let (near, far) = pair::ours();
    let sent: Vec<u8> = (0..4 << 20).map(|i: u32| (i >> 7) as u8).collect();
    let received = scope(|s| {
        far.shutdown(Shutdown::Write).unwrap();
        s.spawn(|| {
            assert_eq!((&near).read(&mut [0; 8]).unwrap(), 0);
            (&near).write_all(&sent).unwrap();
            near.shutdown(Shutdown::Write).unwrap();
        });
        yield_now();
        let mut received = Vec::new();
        (&far).read_to_end(&mut received).unwrap();
        received
    });
    assert!(received == sent);
}
