//! What blocks its OS thread, with everybody on it, and what to do about it.

use std::cell::Cell;
use std::io::{Read, Write};
use std::rc::Rc;
use std::time::Duration;

use greenthread::net::{SocketAddr, TcpListener};
use greenthread::{JoinHandle, run, sleep, spawn, spawn_blocking, yield_now};
use rayon::prelude::*;

/// How long the others have a chance to go on.
const A_WHILE: Duration = Duration::from_millis(100);

/// A green thread that counts, and could count often while we wait.
fn counter() -> (Rc<Cell<u32>>, JoinHandle<()>) {
    let count = Rc::new(Cell::new(0));
    let own = Rc::clone(&count);
    let counts = spawn(move || {
        loop {
            own.set(own.get() + 1);
            sleep(Duration::from_millis(1));
        }
    });
    yield_now();
    (count, counts)
}

#[test]
fn a_crossbeam_channel_blocks_the_os_thread() {
    run(|| {
        let (count, _counts) = counter();
        let (_sender, receiver) = crossbeam_channel::bounded::<()>(0);
        let before = count.get();
        assert!(receiver.recv_timeout(A_WHILE).is_err());
        assert_eq!(count.get(), before);
    });
}

#[test]
fn flume_blocks_the_os_thread_where_it_is_not_awaited() {
    run(|| {
        let (count, _counts) = counter();
        let (_sender, receiver) = flume::bounded::<()>(1);
        let before = count.get();
        assert!(receiver.recv_timeout(A_WHILE).is_err());
        assert_eq!(count.get(), before);
    });
}

#[test]
fn a_parking_lot_mutex_across_a_wait_point_blocks_whoever_wants_it_on_that_os_thread() {
    run(|| {
        let lock = Rc::new(parking_lot::Mutex::new(()));
        let own = Rc::clone(&lock);
        let _holder = spawn(move || {
            let _guard = own.lock();
            greenthread::park();
        });
        yield_now();
        let (count, _counts) = counter();
        let before = count.get();
        assert!(lock.try_lock_for(A_WHILE).is_none());
        assert_eq!(count.get(), before);
    });
}

#[test]
fn rayon_blocks_the_os_thread_that_asks_and_not_behind_spawn_blocking() {
    fn work() -> u64 {
        std::thread::sleep(A_WHILE);
        (0..1000_u64).into_par_iter().sum()
    }
    run(|| {
        let (count, _counts) = counter();
        let before = count.get();
        let sum: u64 = rayon::scope(|_| work());
        assert_eq!((sum, count.get()), (499_500, before));
        assert_eq!(spawn_blocking(work).join().unwrap(), sum);
        assert!(count.get() > before);
    });
}

/// A server of one answer, on a green thread of this OS thread.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        }
    }));
    address
}

#[test]
fn an_http_client_with_sockets_of_its_own_blocks_the_os_thread_and_not_behind_spawn_blocking() {
    run(|| {
        let address = format!("http://{}/", server());
        let blocked = minreq::get(&address).with_timeout(1).send();
        assert!(blocked.is_err(), "the server is on this OS thread");
        let asked = spawn_blocking(move || minreq::get(&address).send());
        let answer = asked.join().unwrap().unwrap();
        assert_eq!(answer.as_str().unwrap(), "hello");
    });
}
