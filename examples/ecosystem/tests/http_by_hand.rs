//! The HTTP server by hand: raw requests, pipelined ones and wrong ones among them, and `curl`.

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Command;

use support::{Program, installed};

/// The server, and where it listens.
fn start() -> (Program, SocketAddr) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_http_by_hand"));
    let mut server = Program::start(command.arg("127.0.0.1:0"));
    let address = server.says("listening on").parse().unwrap();
    (server, address)
}

/// Sends `request` and no more, and returns all that comes until the end.
fn ask(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: test\r\n{more}\r\n")
}

/// An answer that lets the connection stay.
fn ok(path: &str) -> String {
    let body = format!("200 OK: {path}\n");
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: {length}\r\n\r\n{body}")
}

#[test]
fn it_has_sixty_lines_and_its_imports() {
    let source = include_str!("../src/bin/http_by_hand.rs");
    let lines = source.lines().map(str::trim);
    let counted = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
    let code = counted.filter(|line| !line.starts_with("use ") && !line.starts_with("const "));
    assert!(code.count() <= 60);
}

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let (_server, address) = start();
    let mut stream = TcpStream::connect(address).unwrap();
    for path in ["/a", "/b?c=d", "/e"] {
        let request = get(path, "Connection: Keep-Alive\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = vec![0; ok(path).len()];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(String::from_utf8(answer).unwrap(), ok(path));
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let (_server, address) = start();
    let paths: Vec<String> = (0..200).map(|number| format!("/{number}")).collect();
    let requests: String = paths.iter().map(|path| get(path, "")).collect();
    let answers: String = paths.iter().map(|path| ok(path)).collect();
    assert_eq!(ask(address, requests.as_bytes()), answers);
}

#[test]
fn a_request_may_come_a_byte_at_a_time() {
    let (_server, address) = start();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in get("/slow", "X: y\r\n").bytes() {
        stream.write_all(&[byte]).unwrap();
    }
    let mut answer = vec![0; ok("/slow").len()];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(String::from_utf8(answer).unwrap(), ok("/slow"));
}

#[test]
fn head_is_told_the_length_and_gets_no_body() {
    let (_server, address) = start();
    let answer = ask(address, b"HEAD /x HTTP/1.1\r\nHost: test\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("Content-Length: 11\r\n\r\n"), "{answer}");
}

#[test]
fn a_connection_ends_where_the_client_or_its_version_wants_it() {
    let (_server, address) = start();
    let last = get("/last", "Connection: close\r\n") + &get("/never", "");
    let answer = ask(address, last.as_bytes());
    assert!(answer.contains("Connection: close\r\n"), "{answer}");
    assert!(
        answer.contains("/last") && !answer.contains("/never"),
        "{answer}"
    );
    let old = "GET /old HTTP/1.0\r\n\r\n".to_owned() + &get("/never", "");
    let answer = ask(address, old.as_bytes());
    assert!(
        answer.contains("Connection: close\r\n") && !answer.contains("/never"),
        "{answer}"
    );
}

#[test]
fn a_bad_request_gets_its_status_and_ends_the_connection_after_the_good_ones_before_it() {
    let (_server, address) = start();
    let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(20_000));
    let many = get("/", &"X: y\r\n".repeat(70));
    for (request, status) in [
        ("nonsense\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", "400"),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505"),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
            "413",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "501",
        ),
        ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "501"),
        (&endless, "431"),
        (&many, "431"),
    ] {
        let both = get("/good", "") + request;
        let answer = ask(address, both.as_bytes());
        let rest = answer
            .strip_prefix(&ok("/good"))
            .unwrap_or_else(|| panic!("{request}: {answer}"));
        assert!(
            rest.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request}: {rest}"
        );
        assert!(rest.contains("Connection: close\r\n"), "{request}: {rest}");
    }
}

#[test]
fn a_refused_client_that_goes_on_sending_still_reads_why() {
    let (_server, address) = start();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"nonsense\r\n\r\n").unwrap();
    for _ in 0..50 {
        stream.write_all(&[b'x'; 8192]).unwrap();
    }
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[test]
fn curl_gets_two_pages_over_one_connection() {
    let Some(curl) = installed("curl") else {
        return;
    };
    let (_server, address) = start();
    let url = |path: &str| format!("http://{}{path}", address);
    let output = Command::new(curl)
        .args(["--silent", "--show-error", "--fail", "--noproxy", "*"])
        .args(["--write-out", "connections: %{num_connects}\n"])
        .args([url("/one"), url("/two")])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let expected = "200 OK: /one\nconnections: 1\n200 OK: /two\nconnections: 0\n";
    assert_eq!(
        said,
        expected,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
