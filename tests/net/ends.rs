//! How a stream ends, and what must not be overlooked before it does (L16).

use std::io::{ErrorKind, Read, Write};
use std::net;
use std::rc::Rc;
use std::time::Duration;

use greenthread::net::{Shutdown, TcpStream};
use greenthread::{JoinHandle, current, park, spawn, yield_now};
use socket2::SockRef;

use crate::pair;

/// Reads in large pieces until the end, and tells what each read gave.
fn read_pieces(stream: TcpStream) -> JoinHandle<Vec<Vec<u8>>> {
    spawn(move || {
        let mut pieces = Vec::new();
        loop {
            let mut buffer = [0; 1024];
            match (&stream).read(&mut buffer).unwrap() {
                0 => return pieces,
                n => pieces.push(buffer[..n].to_vec()),
            }
        }
    })
}

/// Closes with a reset instead of an end.
fn reset(far: net::TcpStream) {
    SockRef::from(&far)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(far);
}

#[test]
#[apply(on_workers)]
fn l16_bytes_after_an_urgent_one_are_read() {
    for is_parked_first in [false, true] {
        let (near, far) = pair::with_std();
        let reader = read_pieces(near);
        if is_parked_first {
            yield_now();
        }
        (&far).write_all(b"abc").unwrap();
        SockRef::from(&far).send_out_of_band(b"!").unwrap();
        (&far).write_all(b"def").unwrap();
        drop(far);
        assert_eq!(reader.join().unwrap().concat(), b"abcdef");
    }
}

#[test]
#[apply(on_workers)]
fn l16_bytes_after_an_urgent_one_are_read_when_the_stream_stays_open() {
    let (near, far) = pair::with_std();
    let root = current();
    let reader = spawn(move || {
        let (mut got, mut buffer) = (Vec::new(), [0; 1024]);
        while got.len() < 9 {
            let n = (&near).read(&mut buffer).unwrap();
            got.extend_from_slice(&buffer[..n]);
            root.unpark();
        }
        got
    });
    yield_now();
    (&far).write_all(b"abc").unwrap();
    park();
    (&far).write_all(b"def").unwrap();
    SockRef::from(&far).send_out_of_band(b"!").unwrap();
    (&far).write_all(b"ghi").unwrap();
    assert_eq!(reader.join().unwrap(), b"abcdefghi");
}

#[test]
#[apply(on_workers)]
fn l16_an_end_that_came_with_the_last_bytes_is_seen() {
    let (near, mut far) = pair::with_std();
    let reader = read_pieces(near);
    yield_now();
    far.write_all(b"last").unwrap();
    drop(far);
    assert_eq!(reader.join().unwrap(), [b"last"]);
}

#[test]
#[apply(on_workers)]
fn l16_an_end_is_seen_by_a_stream_that_was_registered_for_writing() {
    let (near, mut far) = pair::with_std();
    let filled = pair::fill(&near);
    let writer = spawn(move || {
        (&near).write_all(b"x").unwrap();
        near
    });
    yield_now();
    far.read_exact(&mut vec![0; filled]).unwrap();
    let near = writer.join().unwrap();
    // What is left unread would make the end a reset.
    far.read_exact(&mut [0]).unwrap();
    far.write_all(b"last").unwrap();
    drop(far);
    assert_eq!(read_pieces(near).join().unwrap(), [b"last"]);
}

#[test]
#[apply(on_workers)]
fn an_end_stays_the_end() {
    let (near, far) = pair::with_std();
    drop(far);
    for _ in 0..3 {
        assert_eq!((&near).read(&mut [0; 8]).unwrap(), 0);
    }
}

#[test]
#[apply(on_workers)]
fn after_the_peer_has_ended_its_half_ours_goes_on() {
    let (near, mut far) = pair::with_std();
    far.shutdown(Shutdown::Write).unwrap();
    assert_eq!((&near).read(&mut [0; 8]).unwrap(), 0);
    (&near).write_all(b"still here").unwrap();
    near.shutdown(Shutdown::Write).unwrap();
    let mut heard = String::new();
    far.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "still here");
}

#[test]
#[apply(on_workers)]
fn shutting_down_the_reading_half_ends_a_parked_read() {
    let (near, _far) = pair::with_std();
    let near = Rc::new(near);
    let reading = Rc::clone(&near);
    let reader = spawn(move || (&*reading).read(&mut [0; 8]).unwrap());
    yield_now();
    near.shutdown(Shutdown::Read).unwrap();
    assert_eq!(reader.join().unwrap(), 0);
}

#[test]
#[apply(on_workers)]
fn a_peer_that_resets_ends_a_parked_read_with_an_error() {
    let (near, far) = pair::with_std();
    let reader = spawn(move || (&near).read(&mut [0; 8]).unwrap_err().kind());
    yield_now();
    reset(far);
    assert_eq!(reader.join().unwrap(), ErrorKind::ConnectionReset);
}

#[test]
#[apply(on_workers)]
fn a_peer_that_resets_in_the_middle_of_a_message_is_an_error_after_its_bytes() {
    let (near, mut far) = pair::with_std();
    let root = current();
    let reader = spawn(move || {
        let mut message = [0; 8];
        (&near).read_exact(&mut message[..4]).unwrap();
        root.unpark();
        let error = (&near).read_exact(&mut message[4..]).unwrap_err();
        (message[..4].to_vec(), error.kind())
    });
    yield_now();
    far.write_all(b"half").unwrap();
    // A reset discards what has not been read.
    park();
    reset(far);
    let (bytes, kind) = reader.join().unwrap();
    assert_eq!(bytes, b"half");
    assert_eq!(kind, ErrorKind::ConnectionReset);
}

#[test]
#[apply(on_workers)]
fn a_peer_that_resets_ends_a_parked_write_with_an_error_and_so_do_later_ones() {
    let (near, far) = pair::with_std();
    let writer = spawn(move || {
        let first = (&near).write_all(&vec![0; 64 << 20]).unwrap_err().kind();
        (first, (&near).write(b"x").unwrap_err().kind())
    });
    yield_now();
    assert!(!writer.is_finished());
    reset(far);
    let (first, second) = writer.join().unwrap();
    assert!(
        matches!(first, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
        "{first:?}"
    );
    assert_eq!(second, ErrorKind::BrokenPipe);
}

#[test]
#[apply(on_workers)]
fn peek_leaves_the_bytes_and_parks_for_them() {
    let (near, mut far) = pair::with_std();
    let peeker = spawn(move || {
        let (mut first, mut second) = ([0; 8], [0; 8]);
        let peeked = near.peek(&mut first).unwrap();
        let again = near.peek(&mut second).unwrap();
        let read = (&near).read(&mut second).unwrap();
        (peeked, again, read, first == second)
    });
    yield_now();
    far.write_all(b"abc").unwrap();
    assert_eq!(peeker.join().unwrap(), (3, 3, 3, true));
}
