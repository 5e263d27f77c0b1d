//! TLS by rustls on our sockets, and the program that shows it.

use std::io::{ErrorKind, Write};
use std::process::Command;
use std::time::Duration;

use greenthread::net::{TcpListener, TcpStream};
use greenthread::{Elapsed, JoinHandle, Runtime, run, spawn, timeout};
use greenthread_ecosystem::tls::{self, Certificate};

/// A server for one connection; its result is that of the echo.
fn server(certificate: &Certificate) -> (std::net::SocketAddr, JoinHandle<std::io::Result<usize>>) {
    let config = certificate.server().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = spawn(move || tls::echo(&mut tls::serve(listener.accept()?.0, &config)?));
    (address, serving)
}

#[test]
fn a_thousand_handshakes_meet_on_one_os_thread() {
    let output = Command::new(env!("CARGO_BIN_EXE_tls_echo"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaints = String::from_utf8(output.stderr).unwrap();
    let expected = "1000 handshakes at once and as many echoes, on 1 OS thread(s)";
    assert!(said.contains(expected), "{said}{complaints}");
    assert!(output.status.success(), "{complaints}");
}

#[test]
fn much_data_arrives_as_it_was_sent() {
    run(|| {
        let certificate = Certificate::for_loopback().unwrap();
        let (address, serving) = server(&certificate);
        // Several records of TLS; less than the sockets' buffers hold, since `say` does not read while it writes.
        let text = "0123456789abcdef".repeat(1 << 12);
        let mut client = tls::connect(address, &certificate.client().unwrap()).unwrap();
        tls::say(&mut client, &text).unwrap();
        assert_eq!(serving.join().unwrap().unwrap(), text.len());
    });
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused_on_both_sides() {
    run(|| {
        let (address, serving) = server(&Certificate::for_loopback().unwrap());
        let stranger = Certificate::for_loopback().unwrap().client().unwrap();
        let error = tls::say(&mut tls::connect(address, &stranger).unwrap(), "hello").unwrap_err();
        assert!(error.to_string().contains("certificate"), "{error}");
        assert!(serving.join().unwrap().is_err());
    });
}

#[test]
fn a_client_that_does_not_speak_tls_is_an_error_of_its_connection() {
    run(|| {
        let (address, serving) = server(&Certificate::for_loopback().unwrap());
        let mut client = TcpStream::connect(address).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let error = serving.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
    });
}

#[test]
fn a_peer_that_goes_without_goodbye_is_told_from_one_that_parted() {
    run(|| {
        let certificate = Certificate::for_loopback().unwrap();
        let (address, serving) = server(&certificate);
        let mut client = tls::connect(address, &certificate.client().unwrap()).unwrap();
        client.write_all(b"half a").unwrap();
        client.flush().unwrap();
        drop(client);
        let error = serving.join().unwrap().unwrap_err();
        let cut = [
            ErrorKind::UnexpectedEof,
            ErrorKind::ConnectionReset,
            ErrorKind::BrokenPipe,
        ];
        assert!(cut.contains(&error.kind()), "{error}");
    });
}

#[test]
fn a_handshake_that_is_not_answered_ends_with_a_timeout_around_it() {
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    runtime.run(|| {
        let certificate = Certificate::for_loopback().unwrap();
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap();
        let mut client = tls::connect(address, &certificate.client().unwrap()).unwrap();
        let said = timeout(Duration::from_secs(9), || tls::say(&mut client, "hello"));
        assert_eq!(said.map(|_| ()), Err(Elapsed));
    });
}
