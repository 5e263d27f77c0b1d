//! What is sent comes back.

use std::io::{Read, Write};

use greenthread::net::{Shutdown, TcpListener, TcpStream};
use greenthread::spawn;

#[test]
fn a_word_is_echoed_between_green_threads() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = spawn(move || {
        let (stream, peer) = listener.accept().unwrap();
        let copied = std::io::copy(&mut &stream, &mut &stream).unwrap();
        (copied, peer)
    });
    let client = spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"hello").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut echoed = String::new();
        stream.read_to_string(&mut echoed).unwrap();
        (echoed, stream.local_addr().unwrap())
    });
    let (echoed, address) = client.join().unwrap();
    assert_eq!(echoed, "hello");
    assert_eq!(server.join().unwrap(), (5, address));
}
