//! Two connected sockets: one of ours, and what is at its other end.

use std::io::{self, Write};
use std::net;
use std::sync::Once;
use std::thread;
use std::time::Duration;

use greenthread::net::{TcpListener, TcpStream};

/// How long all tests of this program may take; they need seconds.
const LONGEST: Duration = Duration::from_secs(300);

/// Ends the program when a test hangs: what is tested here fails by never being woken.
pub(crate) fn watch_for_hangs() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        thread::spawn(|| {
            thread::sleep(LONGEST);
            eprintln!("a test has not ended after {LONGEST:?}");
            std::process::abort();
        });
    });
}

/// A listener on the loopback, and its address.
pub(crate) fn listener() -> (TcpListener, net::SocketAddr) {
    watch_for_hangs();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Both ends ours.
pub(crate) fn ours() -> (TcpStream, TcpStream) {
    let (listener, address) = listener();
    let near = TcpStream::connect(address).unwrap();
    (near, listener.accept().unwrap().0)
}

/// The far end is std's and blocks: what it does has happened when it returns.
pub(crate) fn with_std() -> (TcpStream, net::TcpStream) {
    watch_for_hangs();
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}

/// Writes until the kernel takes no more, by a clone that does not park; how much that was.
pub(crate) fn fill(stream: &TcpStream) -> usize {
    let raw = socket2::SockRef::from(stream).try_clone().unwrap();
    let (mut filled, chunk) = (0, vec![b'.'; 1 << 16]);
    loop {
        match (&raw).write(&chunk) {
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return filled,
            Err(error) => panic!("{error}"),
        }
    }
}
