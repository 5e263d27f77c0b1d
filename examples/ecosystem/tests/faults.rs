//! Crates as they are over sockets that have faults by a seed, under schedules that follow from it: `greenthread::net::Faults` and `greenthread::explore`.

use std::io::{self, ErrorKind};
use std::time::Duration;

use greenthread::explore::explore;
use greenthread::net::{Faults, TcpListener, UnixStream};
use greenthread::scope;
use greenthread_ecosystem::tls::{self, Certificate};
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket, accept, client};

const LONGEST: Duration = Duration::from_millis(50);

/// Whatever a network may do without breaking a connection.
fn slow_and_short(seed: u64) -> Faults {
    let faults = Faults::new(seed).short_reads(0.5).short_writes(0.5);
    faults.delays(0.2, LONGEST)
}

#[test]
fn tungstenite_shakes_hands_and_talks_over_short_reads_and_writes() {
    explore(50, |seed| {
        slow_and_short(seed).inject(|| {
            let (near, far) = UnixStream::pair().unwrap();
            scope(|s| {
                s.spawn(move || {
                    let mut server = accept(far).unwrap();
                    while let Ok(message) = server.read() {
                        if message.is_text() || message.is_binary() {
                            server.send(message).unwrap();
                        }
                    }
                });
                let (mut socket, _) = client("ws://localhost/", near).unwrap();
                for number in 0..5 {
                    let text = "word ".repeat(number * 50);
                    socket.send(Message::text(text.clone())).unwrap();
                    assert_eq!(socket.read().unwrap(), Message::text(text));
                }
                socket.close(None).unwrap();
                while socket.read().is_ok() {}
            });
        });
    });
}

#[test]
fn tungstenite_says_so_when_its_connection_is_reset() {
    let mut broken = 0;
    explore(50, |seed| {
        let (near, far) = UnixStream::pair().unwrap();
        let mut reads = WebSocket::from_raw_socket(near, Role::Client, None);
        let mut writes = WebSocket::from_raw_socket(far, Role::Server, None);
        let faults = slow_and_short(seed).resets(0.1);
        let outcome = faults.inject(|| {
            scope(|s| {
                let writer =
                    s.spawn(move || (0..5).try_for_each(|_| writes.send(Message::text("hello"))));
                let heard = (0..5).try_for_each(|_| {
                    let message = reads.read()?;
                    assert_eq!(message, Message::text("hello"));
                    Ok::<(), tungstenite::Error>(())
                });
                // Its end is the other's.
                drop(reads);
                writer.join().unwrap().and(heard)
            })
        });
        broken += u32::from(outcome.is_err());
    });
    assert!((1..50).contains(&broken), "{broken}");
}

#[test]
fn rustls_shakes_hands_and_talks_over_short_reads_and_writes() {
    let certificate = Certificate::for_loopback().unwrap();
    let (server, client) = (certificate.server().unwrap(), certificate.client().unwrap());
    explore(20, |seed| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        slow_and_short(seed).inject(|| {
            scope(|s| {
                let serving = s.spawn(|| {
                    let (stream, _) = listener.accept().unwrap();
                    tls::echo(&mut tls::serve(stream, &server).unwrap()).unwrap()
                });
                let text = "0123456789abcdef".repeat(100);
                tls::say(&mut tls::connect(address, &client).unwrap(), &text).unwrap();
                assert_eq!(serving.join().unwrap(), text.len());
            });
        });
    });
}

#[test]
fn rustls_takes_a_reset_for_no_end() {
    let certificate = Certificate::for_loopback().unwrap();
    let (server, client) = (certificate.server().unwrap(), certificate.client().unwrap());
    let mut broken = 0;
    explore(50, |seed| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let faults = slow_and_short(seed).resets(0.02);
        let outcome: io::Result<()> = faults.inject(|| {
            scope(|s| {
                s.spawn(|| {
                    let (stream, _) = listener.accept().unwrap();
                    drop(tls::echo(&mut tls::serve(stream, &server).unwrap()));
                });
                tls::say(&mut tls::connect(address, &client)?, &"word ".repeat(20))
            })
        });
        if let Err(error) = outcome {
            let expected = [
                ErrorKind::ConnectionReset,
                ErrorKind::BrokenPipe,
                ErrorKind::UnexpectedEof,
            ];
            assert!(expected.contains(&error.kind()), "{error:?}");
            broken += 1;
        }
    });
    assert!((1..50).contains(&broken), "{broken}");
}
