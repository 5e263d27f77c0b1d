//! hyper on green threads, as curl and wrk see it.

mod support;

use std::convert::Infallible;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use greenthread::future::{Executor, Timer, block_on};
use greenthread::net::{Server, TcpStream};
use greenthread::spawn;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn as client;
use hyper::rt::{Executor as _, Timer as _};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};

use support::{Folder, Program, installed};

/// The server, and where it listens.
fn server() -> (Program, String) {
    let mut server =
        Program::start(Command::new(env!("CARGO_BIN_EXE_http_server")).arg("127.0.0.1:0"));
    let address = server.says("listening on");
    (server, format!("http://{address}"))
}

/// What curl says; it must not fail.
fn curl(curl: &Path, arguments: &[&str]) -> String {
    let said = Command::new(curl)
        .args(["--silent", "--show-error", "--max-time", "120"])
        .args(arguments)
        .output();
    let said = said.unwrap();
    assert!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    String::from_utf8(said.stdout).unwrap()
}

#[test]
fn curl_gets_what_the_closure_answers() {
    let Some(program) = installed("curl") else {
        return;
    };
    let (_server, at) = server();
    assert_eq!(curl(&program, &[&at]), "hello\n");
    let code = ["--output", "/dev/null", "--write-out", "%{http_code}"];
    let status = |page: &str| curl(&program, &[&code[..], &[&format!("{at}{page}")]].concat());
    assert_eq!(status("/"), "200");
    assert_eq!(status("/nowhere"), "404");
    // A handler that panics fails its request alone.
    assert_eq!(status("/panic"), "500");
    assert_eq!(status("/"), "200");
}

#[test]
fn curl_keeps_its_connection() {
    let Some(program) = installed("curl") else {
        return;
    };
    let (_server, at) = server();
    let page = format!("{at}/visit");
    let said = curl(
        &program,
        &["--write-out", "%{num_connects} ", &page, &page, &page],
    );
    assert_eq!(said, "visit 1\n1 visit 2\n0 visit 3\n0 ");
}

#[test]
fn a_body_longer_than_any_buffer_is_read_as_it_comes() {
    let Some(program) = installed("curl") else {
        return;
    };
    let (_server, at) = server();
    let folder = Folder::new("body");
    let file = folder.path().join("body");
    let bytes: Vec<u8> = (0..4_000_000_u32).map(|n| b'a' + (n % 23) as u8).collect();
    std::fs::write(&file, &bytes).unwrap();
    let data = format!("@{}", file.display());
    let post = |page: &str, more: &[&str]| {
        let page = format!("{at}{page}");
        curl(&program, &[&["--data-binary", &data, &page], more].concat())
    };
    assert_eq!(post("/count", &[]), "4000000 bytes\n");
    let chunked = ["--header", "Transfer-Encoding: chunked"];
    assert_eq!(post("/count", &chunked), "4000000 bytes\n");
    assert!(post("/echo", &[]).as_bytes() == bytes);
}

#[test]
fn requests_that_wait_do_not_hold_others_up() {
    let Some(program) = installed("curl") else {
        return;
    };
    let (server, at) = server();
    let slow = format!("{at}/slow?[1-40]");
    let said = curl(&program, &["--parallel", "--parallel-max", "40", &slow]);
    assert_eq!(said, "slow\n".repeat(40));
    assert_eq!(server.os_threads(), 1);
}

#[test]
fn wrk_finds_no_error_under_load() {
    let Some(program) = installed("wrk") else {
        return;
    };
    let (server, at) = server();
    for page in ["/", "/slow"] {
        let load = Command::new(&program)
            .args(["-t1", "-c64", "-d2s", &format!("{at}{page}")])
            .output();
        let said = String::from_utf8(load.unwrap().stdout).unwrap();
        let requests = said.lines().find(|line| line.contains("requests in"));
        let count = requests.and_then(|line| line.trim().split(' ').next()?.parse::<u32>().ok());
        assert!(count.is_some_and(|count| count > 0), "{said}");
        assert!(
            !said.contains("Socket errors") && !said.contains("Non-2xx"),
            "{said}"
        );
    }
    assert_eq!(server.os_threads(), 1);
}

/// HTTP/2 has futures of its own beside its connection, on both ends: those are what hyper wants an executor for. 30 requests are under way at once.
#[test]
fn http_2_runs_its_streams_on_our_executor() {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let stopper = server.stopper();
    let serving = spawn(|| {
        server.serve(|stream, _| {
            block_on(
                http2::Builder::new(Executor)
                    .timer(Timer)
                    .serve_connection(stream, service_fn(late)),
            )
        })
    });
    let stream = TcpStream::connect(stopper.local_addr().unwrap()).unwrap();
    let (sender, connection) = block_on(client::http2::handshake(Executor, stream)).unwrap();
    Executor.execute(connection);
    let begin = Instant::now();
    let asking: Vec<_> = (1..=30_u32)
        .map(|n| {
            let request = Request::get(format!("http://host/{n}"))
                .body(String::new())
                .unwrap();
            let mut sender = sender.clone();
            let answer = async move {
                sender
                    .send_request(request)
                    .await
                    .unwrap()
                    .into_body()
                    .collect()
                    .await
                    .unwrap()
            };
            Executor.spawn(answer)
        })
        .collect();
    for (answer, n) in asking.into_iter().zip(1..) {
        assert_eq!(answer.join().unwrap().to_bytes(), format!("/{n}"));
    }
    assert!(begin.elapsed() < 30 * LATE, "one after the other");
    drop(sender);
    stopper.stop(Duration::from_secs(60));
    serving.join().unwrap().unwrap();
}

/// How long an answer takes.
const LATE: Duration = Duration::from_secs(2);

async fn late(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    Timer.sleep(LATE).await;
    Ok(Response::new(request.uri().path().into()))
}
