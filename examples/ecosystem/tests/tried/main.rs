//! What the guide's page on libraries says of those that `libraries.rs` leaves out: tried here, so that it stays true.
//!
//! Every test runs on one OS thread. Where a library waits for another green thread of the same OS thread and both end, it parks; where it blocked, the
//! test would hang. What does block is shown within a time limit of the library's own.

mod blocking;
mod cut_off;
mod formats;
mod futures;
mod thread_locals;

use greenthread::net::{TcpListener, TcpStream};

/// Two connected sockets.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}
