//! A small server of std's threads and sockets, so that the gallery is not only tested against itself.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A server of std's sockets that closes a connection after `patience` answers, though it never says so.
pub(crate) fn serve(patience: usize, answer: fn(&str) -> String) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    thread::spawn(move || {
        for stream in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
            let stream = stream.unwrap();
            thread::spawn(move || converse(&stream, patience, answer));
        }
    });
    (address, connections)
}

/// Answers the requests of one connection; an answer that says neither length nor chunks ends it.
fn converse(mut stream: &TcpStream, patience: usize, answer: fn(&str) -> String) {
    let mut requests = BufReader::new(stream).lines().map_while(Result::ok);
    for _ in 0..patience {
        let Some(request) = requests.next() else {
            return;
        };
        let path = request.split(' ').nth(1).unwrap().to_owned();
        while requests.next().is_some_and(|line| !line.is_empty()) {}
        let text = answer(&path);
        if stream.write_all(text.as_bytes()).is_err()
            || !text.contains("-Length:") && !text.contains("-Encoding:")
        {
            return;
        }
    }
}

/// An answer that declares its length.
pub(crate) fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A port of the loopback on which nobody listens.
pub(crate) fn refused() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}
