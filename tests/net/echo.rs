//! What is sent comes back.

use std::io::{Read, Write};

use greenthread::net::{Shutdown, TcpListener, TcpStream};
use greenthread::spawn;

#[test]
#[apply(on_workers)]
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

/// More than stand in line between two looks at the sockets.
const IN_LINE: usize = 300;

#[test]
#[apply(on_roots)]
fn a_socket_is_served_while_a_long_line_yields_without_end() {
    greenthread::run(|| {
        for _ in 0..IN_LINE {
            drop(greenthread::spawn(|| {
                loop {
                    greenthread::yield_now();
                }
            }));
        }
        let (mut near, mut far) = crate::pair::ours();
        let echoing = greenthread::spawn(move || {
            let mut byte = [0];
            far.read_exact(&mut byte).unwrap();
            far.write_all(&byte).unwrap();
        });
        near.write_all(b"!").unwrap();
        let mut byte = [0];
        near.read_exact(&mut byte).unwrap();
        echoing.join().unwrap();
        assert_eq!(&byte, b"!");
    });
}
