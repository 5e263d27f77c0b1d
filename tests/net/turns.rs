//! Sockets get their turn, whatever else the loop is busy with.

use std::io::{Read, Write};
use std::time::Duration;

use greenthread::channel::unbounded;
use greenthread::net::UnixStream;
use greenthread::{JoinHandle, park_timeout, run, select, spawn, yield_now};

/// Rounds of being busy, in which a socket must have had its turn.
const ROUNDS: usize = 1_000_000;

/// A green thread that is parked on a socket, which then has something for it.
fn reader() -> (JoinHandle<u8>, UnixStream) {
    let (mut near, mut far) = UnixStream::pair().unwrap();
    let reader = spawn(move || {
        let mut byte = [0];
        near.read_exact(&mut byte).unwrap();
        byte[0]
    });
    // It finds nothing and registers; what the kernel tells at once is told by the second turn.
    yield_now();
    far.write_all(&[7]).unwrap();
    (reader, far)
}

/// Is busy until the reader has ended.
fn read_while(busy: impl Fn()) {
    run(|| {
        let (reader, _far) = reader();
        let rounds = (0..ROUNDS).take_while(|_| !reader.is_finished());
        rounds.for_each(|_| busy());
        assert!(reader.is_finished());
        assert_eq!(reader.join().unwrap(), 7);
    });
}

#[test]
#[apply(on_roots)]
fn a_socket_has_its_turn_among_yields() {
    read_while(yield_now);
}

#[test]
#[apply(on_roots)]
fn a_socket_has_its_turn_among_timers_that_are_always_due() {
    read_while(|| park_timeout(Duration::from_nanos(1)));
}

#[test]
#[apply(on_roots)]
fn a_socket_has_its_turn_among_selections_that_time_out_at_once() {
    let (_to, from) = unbounded::<()>();
    read_while(|| {
        select! {
            recv(from) -> _ => unreachable!(),
            default(Duration::from_nanos(1)) => {}
        }
    });
}
