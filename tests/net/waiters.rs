//! Several who wait on one socket, in one direction and in both.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::rc::Rc;

use greenthread::net::{Shutdown, TcpStream};
use greenthread::{JoinHandle, scope, spawn, yield_now};

use crate::pair;

fn read_one(stream: &Rc<TcpStream>) -> JoinHandle<u8> {
    let stream = Rc::clone(stream);
    spawn(move || {
        let mut byte = [0];
        (&*stream).read_exact(&mut byte).unwrap();
        byte[0]
    })
}

#[test]
#[apply(on_workers)]
fn readers_of_one_stream_are_served_in_the_order_in_which_they_came() {
    let (near, mut far) = pair::with_std();
    let near = Rc::new(near);
    let readers: Vec<_> = (0..4).map(|_| read_one(&near)).collect();
    yield_now();
    far.write_all(b"abcd").unwrap();
    let got: Vec<u8> = readers.into_iter().map(|r| r.join().unwrap()).collect();
    assert_eq!(got, b"abcd");
}

#[test]
#[apply(on_workers)]
fn a_reader_woken_in_vain_keeps_its_place_in_front() {
    let (near, mut far) = pair::with_std();
    let near = Rc::new(near);
    let log = Rc::new(RefCell::new(Vec::new()));
    let reader = |name: char| {
        let (near, log) = (Rc::clone(&near), Rc::clone(&log));
        spawn(move || {
            let mut byte = [0];
            (&*near).read_exact(&mut byte).unwrap();
            log.borrow_mut().push((name, byte[0]));
        })
    };
    let (first, second) = (reader('1'), reader('2'));
    yield_now();
    far.write_all(b"a").unwrap();
    first.join().unwrap();
    let third = reader('3');
    yield_now();
    far.write_all(b"bc").unwrap();
    second.join().unwrap();
    third.join().unwrap();
    assert_eq!(*log.borrow(), [('1', b'a'), ('2', b'b'), ('3', b'c')]);
}

#[test]
#[apply(on_workers)]
fn d7_calls_that_can_finish_at_once_let_nobody_go_first() {
    let (near, mut far) = pair::with_std();
    let other = spawn(|| ());
    for _ in 0..3 {
        far.write_all(b"there").unwrap();
        assert_eq!((&near).read(&mut [0; 64]).unwrap(), 5);
        (&near).write_all(b"ok").unwrap();
    }
    assert!(!other.is_finished());
}

#[test]
#[apply(on_workers)]
fn several_may_accept_at_once_and_each_gets_a_connection() {
    let (listener, address) = pair::listener();
    let listener = Rc::new(listener);
    let acceptors: Vec<_> = (0..3)
        .map(|_| {
            let listener = Rc::clone(&listener);
            spawn(move || listener.accept().unwrap().1)
        })
        .collect();
    yield_now();
    let clients: Vec<_> = (0..3)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let mut peers: Vec<_> = acceptors.into_iter().map(|a| a.join().unwrap()).collect();
    let mut locals: Vec<_> = clients.iter().map(|c| c.local_addr().unwrap()).collect();
    peers.sort_unstable();
    locals.sort_unstable();
    assert_eq!(peers, locals);
}

#[test]
#[apply(on_workers)]
fn l17_two_green_threads_read_and_write_one_socket_at_once() {
    let sent: Vec<u8> = (0..4 << 20).map(|i: u32| ((i * 31) >> 3) as u8).collect();
    let (near, far) = pair::ours();
    let received = scope(|s| {
        s.spawn(|| std::io::copy(&mut &far, &mut &far).map(|_| far.shutdown(Shutdown::Write)));
        s.spawn(|| {
            (&near).write_all(&sent).unwrap();
            near.shutdown(Shutdown::Write).unwrap();
        });
        let mut received = Vec::new();
        (&near).read_to_end(&mut received).unwrap();
        received
    });
    assert!(received == sent, "{} of {}", received.len(), sent.len());
}

#[test]
#[apply(on_workers)]
fn several_writers_of_one_stream_all_get_through() {
    let (near, far) = pair::ours();
    let filled = pair::fill(&near);
    let received = scope(|s| {
        for name in [b'a', b'b', b'c'] {
            let near = &near;
            s.spawn(move || (&*near).write_all(&vec![name; 1 << 20]).unwrap());
        }
        yield_now();
        let mut received = vec![0; filled + (3 << 20)];
        (&far).read_exact(&mut received).unwrap();
        received
    });
    for name in [b'a', b'b', b'c'] {
        let count = received.iter().filter(|byte| **byte == name).count();
        assert_eq!(count, 1 << 20);
    }
}
