//! What is left of a library's value when a green thread is cut off in the middle of a call: a deadline unwinds through it.

use std::io::{BufRead, BufReader, Read, Write};
use std::time::Duration;

use greenthread::{Elapsed, Runtime, timeout};
use greenthread_ecosystem::tls::{self, Certificate};
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

use crate::pair;

const LIMIT: Duration = Duration::from_secs(5);

/// The clock jumps as soon as nobody can go on.
fn virtual_time() -> Runtime {
    Runtime::builder().virtual_time().build().unwrap()
}

#[test]
fn a_buffered_reader_goes_on_after_a_read_that_was_cut_off() {
    virtual_time().run(|| {
        let (near, mut far) = pair();
        let mut lines = BufReader::new(near);
        let mut line = String::new();
        far.write_all(b"half a ").unwrap();
        // `fill_buf` keeps what came; `read_line` would have moved it into the text, and the text is not cut back.
        assert_eq!(lines.fill_buf().unwrap(), b"half a ");
        lines.consume(7);
        assert_eq!(
            timeout(LIMIT, || lines.fill_buf().map(drop)).map(drop),
            Err(Elapsed)
        );
        far.write_all(b"line\n").unwrap();
        lines.read_line(&mut line).unwrap();
        assert_eq!(line, "line\n");
    });
}

#[test]
fn rustls_goes_on_after_a_read_that_was_cut_off() {
    virtual_time().run(|| {
        let certificate = Certificate::for_loopback().unwrap();
        let (server, client) = (certificate.server().unwrap(), certificate.client().unwrap());
        let listener = greenthread::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serving = greenthread::spawn(move || {
            let mut tls = tls::serve(listener.accept().unwrap().0, &server).unwrap();
            tls::echo(&mut tls).unwrap()
        });
        let mut tls = tls::connect(address, &client).unwrap();
        for _ in 0..3 {
            assert_eq!(
                timeout(LIMIT, || tls.read(&mut [0; 8]).map(drop)).map(drop),
                Err(Elapsed)
            );
        }
        tls::say(&mut tls, "hello").unwrap();
        assert_eq!(serving.join().unwrap(), 5);
    });
}

#[test]
fn tungstenite_goes_on_after_a_read_that_timed_out_by_the_sockets_own_limit() {
    virtual_time().run(|| {
        let (near, far) = pair();
        near.set_read_timeout(Some(LIMIT)).unwrap();
        let mut reads = WebSocket::from_raw_socket(near, Role::Client, None);
        let mut writes = WebSocket::from_raw_socket(far, Role::Server, None);
        reads.read().unwrap_err();
        writes.send(Message::text("hello")).unwrap();
        assert_eq!(reads.read().unwrap(), Message::text("hello"));
    });
}

/// It has made room in its buffer, and does not take it back. When this fails, the page in the guide can be friendlier.
#[test]
fn tungstenite_is_lost_after_a_read_that_was_cut_off() {
    virtual_time().run(|| {
        let (near, far) = pair();
        let mut reads = WebSocket::from_raw_socket(near, Role::Client, None);
        let mut writes = WebSocket::from_raw_socket(far, Role::Server, None);
        assert_eq!(
            timeout(LIMIT, || reads.read().map(drop)).map(drop),
            Err(Elapsed)
        );
        writes.send(Message::text("hello")).unwrap();
        let read = timeout(LIMIT, || reads.read());
        assert!(!matches!(read, Ok(Ok(Message::Text(_)))), "{read:?}");
    });
}
