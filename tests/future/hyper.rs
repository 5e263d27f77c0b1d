//! What hyper wants of a runtime.

use std::cell::Cell;
use std::future::poll_fn;
use std::io::{Read as _, Write as _};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use greenthread::future::{Executor, Timer, block_on};
use greenthread::net::{TcpListener, TcpStream};
use greenthread::{spawn, time, yield_now};
use hyper::rt::{Executor as _, Read, ReadBuf, Timer as _, Write};

use crate::virtually;

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (one, listener.accept().unwrap().0)
}

#[test]
#[apply(on_workers)]
fn a_read_waits_and_fills() {
    let (mut one, mut other) = pair();
    let reader = spawn(move || {
        let mut memory = [0; 8];
        let mut buffer = ReadBuf::new(&mut memory);
        let read = |context: &mut std::task::Context<'_>| {
            Pin::new(&mut other).poll_read(context, buffer.unfilled())
        };
        block_on(poll_fn(read)).unwrap();
        buffer.filled().to_vec()
    });
    yield_now();
    one.write_all(b"abc").unwrap();
    assert_eq!(reader.join().unwrap(), b"abc");
}

#[test]
#[apply(on_workers)]
fn writes_arrive_and_shutdown_ends_them() {
    let (mut one, mut other) = pair();
    block_on(async {
        poll_fn(|context| Pin::new(&mut one).poll_write(context, b"abc"))
            .await
            .unwrap();
        poll_fn(|context| Pin::new(&mut one).poll_flush(context))
            .await
            .unwrap();
        poll_fn(|context| Pin::new(&mut one).poll_shutdown(context))
            .await
            .unwrap();
    });
    let mut text = String::new();
    other.read_to_string(&mut text).unwrap();
    assert_eq!(text, "abc");
}

#[test]
#[apply(on_workers)]
fn the_executor_needs_no_send() {
    let done = Rc::new(Cell::new(false));
    let own = Rc::clone(&done);
    Executor.execute(async move { own.set(true) });
    yield_now();
    assert!(done.get());
}

#[test]
#[apply(on_roots)]
fn the_timer_follows_virtual_time_and_is_reset() {
    virtually(|| {
        let before = Timer.now();
        let mut sleep = Timer.sleep(Duration::from_secs(1));
        block_on(sleep.as_mut());
        assert_eq!(time::now() - before, Duration::from_secs(1));
        Timer.reset(&mut sleep, before + Duration::from_secs(5));
        block_on(sleep);
        assert_eq!(Timer.now() - before, Duration::from_secs(5));
    });
}
