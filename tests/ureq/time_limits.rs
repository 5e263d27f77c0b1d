//! ureq's timeouts. The clock that we wait by is virtual: it jumps when the kernel has nothing to say.

use std::io::Write;
use std::net::{self, SocketAddr};
use std::time::Duration;

use greenthread::{Runtime, time};
use socket2::{Domain, Socket, Type};
use ureq::{Error, SendBody, Timeout};

use crate::server::{POLITE, Server};
use crate::{agent, config, get};

const LIMIT: Duration = Duration::from_secs(3600);

/// Runs `f` with a server, and checks that it waited for about as long as the limit.
fn timed(f: impl FnOnce(&Server) -> Error) -> Timeout {
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    runtime.run(|| {
        let server = Server::start(POLITE);
        let before = time::now();
        let Error::Timeout(reason) = f(&server) else {
            panic!("no timeout");
        };
        let waited = time::now() - before;
        // What ureq did before the wait has gone off it, by the real clock.
        assert!(
            waited > LIMIT / 2 && waited <= LIMIT + LIMIT / 2,
            "{waited:?}"
        );
        reason
    })
}

#[test]
#[apply(on_roots)]
fn a_server_that_is_silent_costs_no_more_than_the_timeout_for_the_response() {
    let reason = timed(|server| {
        let agent = agent(config().timeout_recv_response(Some(LIMIT)).build());
        get(&agent, &server.at("/silent")).unwrap_err()
    });
    assert_eq!(reason, Timeout::RecvResponse);
}

#[test]
#[apply(on_roots)]
fn a_body_that_stops_costs_no_more_than_the_timeout_for_a_read() {
    let reason = timed(|server| {
        let agent = agent(config().timeout_per_read(Some(LIMIT)).build());
        get(&agent, &server.at("/half")).unwrap_err()
    });
    assert_eq!(reason, Timeout::PerRead);
}

#[test]
#[apply(on_roots)]
fn a_body_that_stops_costs_no_more_than_the_timeout_for_all() {
    let reason = timed(|server| {
        let agent = agent(config().timeout_global(Some(LIMIT)).build());
        get(&agent, &server.at("/half")).unwrap_err()
    });
    assert_eq!(reason, Timeout::Global);
}

#[test]
#[apply(on_roots)]
fn a_server_that_does_not_read_costs_no_more_than_the_timeout_for_sending() {
    let reason = timed(|_| {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let agent = agent(config().timeout_send_body(Some(LIMIT)).build());
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let endless = &mut std::io::repeat(0);
        let sent = agent.post(&address).send(SendBody::from_reader(endless));
        sent.unwrap_err()
    });
    assert_eq!(reason, Timeout::SendBody);
}

#[test]
#[apply(on_roots)]
fn a_host_that_does_not_answer_costs_no_more_than_the_timeout_for_connecting() {
    let reason = timed(|_| {
        let (_line, address) = full_line();
        let agent = agent(config().timeout_connect(Some(LIMIT)).build());
        get(&agent, &format!("http://{address}/")).unwrap_err()
    });
    assert_eq!(reason, Timeout::Connect);
}

/// A listener whose line is full, with those who stand in it: the kernel leaves whoever comes now without an answer.
fn full_line() -> ((Socket, Vec<greenthread::net::TcpStream>), SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let connect = || greenthread::net::TcpStream::connect_timeout(&address, Duration::from_secs(1));
    let line: Vec<_> = std::iter::from_fn(|| connect().ok()).take(100).collect();
    assert!(line.len() < 100, "the line never fills");
    ((socket, line), address)
}

#[test]
#[apply(on_roots)]
fn a_server_that_drips_a_byte_at_a_time_is_cut_off_by_the_timeout_for_all() {
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    runtime.run(|| {
        let listener = greenthread::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        drop(greenthread::spawn(move || -> std::io::Result<()> {
            let (mut stream, _) = listener.accept()?;
            stream.write_all(b"HTTP/1.1 200 OK\r\nX: ")?;
            loop {
                stream.write_all(b"y")?;
                greenthread::sleep(Duration::from_secs(1));
            }
        }));
        // Between two waits ureq goes by the real clock.
        let limit = Duration::from_millis(20);
        let agent = agent(config().timeout_global(Some(limit)).build());
        let error = get(&agent, &address).unwrap_err();
        let Error::Timeout(reason) = error else {
            panic!("{error}");
        };
        assert_eq!(reason, Timeout::Global);
    });
}
