//! Accepting when no descriptor is left: an error, not an end.

use std::fs::File;
use std::net::SocketAddr;

use greenthread::net::TcpListener;
use greenthread::{spawn, yield_now};
use socket2::{Domain, Socket, Type};

use crate::{child, descriptors, pair};

/// Opens files until no descriptor is left: two at least, whether or not the process was born with gaps among its descriptors.
pub(crate) fn exhaust() -> Vec<File> {
    let null = || File::open("/dev/null");
    let mut files = vec![null().unwrap(), null().unwrap()];
    descriptors::allow_no_more();
    files.extend(std::iter::repeat_with(null).map_while(Result::ok));
    assert_eq!(
        null().unwrap_err().raw_os_error(),
        Some(libc::EMFILE),
        "the limit did not hold"
    );
    files
}

fn fails_for_want_of_descriptors(listener: &TcpListener) -> bool {
    let error = listener.accept().map(drop).unwrap_err();
    error.raw_os_error() == Some(libc::EMFILE)
}

#[test]
#[apply(once)]
fn accept_without_descriptors_is_an_error_that_the_server_survives() {
    if !child::is_alone("accept::accept_without_descriptors_is_an_error_that_the_server_survives") {
        return;
    }
    let (listener, address) = pair::listener();
    let client = std::net::TcpStream::connect(address).unwrap();
    let mut files = exhaust();
    for _ in 0..3 {
        assert!(fails_for_want_of_descriptors(&listener));
    }
    files.truncate(files.len().saturating_sub(1));
    drop(files.pop());
    let (_, peer) = listener.accept().unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
}

#[test]
#[apply(once)]
fn a_connection_that_met_no_descriptors_is_accepted_later_without_a_new_event() {
    if !child::is_alone(
        "accept::a_connection_that_met_no_descriptors_is_accepted_later_without_a_new_event",
    ) {
        return;
    }
    let (listener, address): (_, SocketAddr) = pair::listener();
    let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let spare = File::open("/dev/null").unwrap();
    let server = spawn(move || {
        // Parked here until the connection comes, and no other ever does.
        assert!(fails_for_want_of_descriptors(&listener));
        assert!(fails_for_want_of_descriptors(&listener));
        drop(spare);
        listener.accept().unwrap().1
    });
    yield_now();
    let _files = exhaust();
    client.connect(&address.into()).unwrap();
    let peer = server.join().unwrap();
    assert_eq!(peer, client.local_addr().unwrap().as_socket().unwrap());
}
