//! Sockets that are used from several OS threads: each has a reactor of its own (O3).

use std::io::{Read, Write};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use greenthread::net::TcpStream;
use greenthread::{spawn, yield_now};

use crate::{child, descriptors, pair};

/// Reads one byte on a green thread of this OS thread, parking before `far` sends it.
fn park_for_a_byte(near: &Arc<TcpStream>, far: &mut std::net::TcpStream) {
    let reading = Arc::clone(near);
    let reader = spawn(move || (&*reading).read_exact(&mut [0]));
    yield_now();
    assert!(!reader.is_finished());
    far.write_all(b"x").unwrap();
    reader.join().unwrap().unwrap();
}

#[test]
#[apply(on_workers)]
fn a_stream_moves_to_the_reactor_of_the_os_thread_that_uses_it() {
    let (near, mut far) = pair::with_std();
    let near = Arc::new(near);
    park_for_a_byte(&near, &mut far);
    let there = Arc::clone(&near);
    let mut far = thread::spawn(move || {
        park_for_a_byte(&there, &mut far);
        park_for_a_byte(&there, &mut far);
        far
    })
    .join()
    .unwrap();
    // The reactor that it was registered with has gone meanwhile.
    park_for_a_byte(&near, &mut far);
}

#[test]
#[apply(on_workers)]
fn the_end_of_an_os_thread_sends_those_parked_through_its_reactor_to_another() {
    let (near, mut far) = pair::with_std();
    let near = Arc::new(near);
    let (tell, told) = mpsc::channel();
    let (leave, left) = mpsc::channel();
    let there = Arc::clone(&near);
    let other = thread::spawn(move || {
        let reader = spawn(move || (&*there).read(&mut [0]).unwrap());
        yield_now();
        tell.send(()).unwrap();
        left.recv().unwrap();
        reader
    });
    told.recv().unwrap();
    let reading = Arc::clone(&near);
    let reader = spawn(move || {
        let mut byte = [0];
        (&*reading).read_exact(&mut byte).unwrap();
        byte[0]
    });
    yield_now();
    assert!(!reader.is_finished());
    leave.send(()).unwrap();
    let abandoned = other.join().unwrap();
    assert!(abandoned.join().unwrap_err().is_abandoned());
    far.write_all(b"m").unwrap();
    assert_eq!(reader.join().unwrap(), b'm');
}

#[test]
#[apply(on_workers)]
fn o3_a_stream_stays_with_its_reactor_while_somebody_is_parked_through_it() {
    let (near, mut far) = pair::with_std();
    let near = Arc::new(near);
    let reading = Arc::clone(&near);
    let reader = spawn(move || (&*reading).read(&mut [0]).unwrap());
    yield_now();
    let (tell, told) = mpsc::channel();
    let (go_on, gone_on) = mpsc::channel::<()>();
    let other = thread::spawn(move || {
        let reader = spawn(move || (&*near).read(&mut [0]).unwrap());
        yield_now();
        tell.send(()).unwrap();
        // Blocks this OS thread: were the stream its reactor's now, nobody would look.
        gone_on.recv().unwrap();
        reader.join().unwrap()
    });
    told.recv().unwrap();
    far.write_all(b"a").unwrap();
    assert_eq!(reader.join().unwrap(), 1);
    far.write_all(b"b").unwrap();
    go_on.send(()).unwrap();
    assert_eq!(other.join().unwrap(), 1);
}

#[test]
#[apply(on_workers)]
fn os_threads_that_come_and_go_accept_from_one_listener() {
    const THREADS: usize = 4;
    const EACH: usize = 25;
    let (listener, address) = pair::listener();
    let listener = Arc::new(listener);
    let acceptors: Vec<_> = (0..THREADS)
        .map(|i| {
            let listener = Arc::clone(&listener);
            // The first of them goes early.
            let count = if i == 0 { 1 } else { EACH };
            thread::spawn(move || {
                for _ in 0..count {
                    let (mut stream, _) = listener.accept().unwrap();
                    stream.write_all(b"!").unwrap();
                }
            })
        })
        .collect();
    for _ in 0..(THREADS - 1) * EACH + 1 {
        let mut client = TcpStream::connect(address).unwrap();
        client.read_exact(&mut [0]).unwrap();
    }
    for acceptor in acceptors {
        acceptor.join().unwrap();
    }
}

#[test]
#[apply(on_workers)]
fn l17_a_close_that_races_a_read_on_another_os_thread_is_not_overlooked() {
    const ROUNDS: u32 = 3000;
    let begun = AtomicU32::new(0);
    let (hand_over, handed_over) = mpsc::sync_channel::<Arc<TcpStream>>(1);
    thread::scope(|s| {
        let begun = &begun;
        s.spawn(move || {
            for (near, round) in handed_over.into_iter().zip(1..) {
                while begun.load(Ordering::Acquire) < round {
                    thread::yield_now();
                }
                // Anywhere between the reader's first instruction and its sleep.
                (0..round % 300 * 10).for_each(|_| std::hint::spin_loop());
                near.close();
            }
        });
        for round in 1..=ROUNDS {
            let (near, _far) = pair::with_std();
            let near = Arc::new(near);
            hand_over.send(Arc::clone(&near)).unwrap();
            begun.store(round, Ordering::Release);
            let error = (&*near).read(&mut [0]).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::NotConnected);
        }
        drop(hand_over);
    });
}

#[test]
#[apply(on_workers)]
fn two_os_threads_read_and_write_one_stream_at_once() {
    let sent: Vec<u8> = (0..4 << 20).map(|i: u32| ((i * 3) >> 2) as u8).collect();
    let (near, far) = pair::with_std();
    let near = Arc::new(near);
    let echo = thread::spawn(move || {
        std::io::copy(&mut &far, &mut &far).unwrap();
        far.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let (writing, expected) = (Arc::clone(&near), sent.clone());
    let writer = thread::spawn(move || {
        (&*writing).write_all(&sent).unwrap();
        writing.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let mut received = Vec::new();
    (&*near).read_to_end(&mut received).unwrap();
    assert!(received == expected);
    writer.join().unwrap();
    echo.join().unwrap();
}

#[test]
#[apply(once)]
fn an_os_thread_takes_the_descriptors_of_its_reactor_along() {
    if !child::is_alone("os_threads::an_os_thread_takes_the_descriptors_of_its_reactor_along") {
        return;
    }
    let use_a_socket = || {
        let (near, mut far) = pair::with_std();
        park_for_a_byte(&Arc::new(near), &mut far);
    };
    let before = descriptors::open().len();
    for _ in 0..5 {
        thread::spawn(use_a_socket).join().unwrap();
    }
    assert_eq!(descriptors::open().len(), before);
}
