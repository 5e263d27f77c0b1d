//! An HTTP/1.1 server by hand, in sixty lines and its imports: httparse reads the heads, green threads do the rest.
//!
//! ```text
//! cargo run --release --manifest-path examples/ecosystem/Cargo.toml --bin http_by_hand -- 127.0.0.1:8080
//! curl http://127.0.0.1:8080/hello
//! ```
//!
//! It keeps connections, answers requests that came together (pipelined) with one write, refuses what it does not understand with the right status
//! (RFC 9112), and bounds what a client may cost: bytes and fields of a head, and each wait. It takes no bodies: a request with one is refused.

use std::io::{self, Read, Write};
use std::time::Duration;

use greenthread::net::{Server, Shutdown, TcpStream};
use httparse::{EMPTY_HEADER, Error, Header, Request, Status};

const LONGEST_HEAD: usize = 16 << 10;
const PATIENCE: Option<Duration> = Some(Duration::from_secs(30));

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1);
    let server = Server::bind(address.as_deref().unwrap_or("127.0.0.1:8080"))?;
    println!("listening on {}", server.stopper().local_addr()?);
    server.serve(|stream, _| converse(&stream))
}

/// Answers the requests of one connection.
fn converse(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(PATIENCE)?;
    stream.set_write_timeout(PATIENCE)?;
    let (mut came, mut answers, mut piece) = (Vec::new(), String::new(), [0; 8192]);
    while answer_all(&mut came, &mut answers) {
        stream.write_all(answers.as_bytes())?;
        answers.clear();
        match stream.read(&mut piece)? {
            0 => return Ok(()),
            read => came.extend_from_slice(&piece[..read]),
        }
    }
    stream.write_all(answers.as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    // To close on what still comes would reset the connection, and the answer be lost on its way.
    io::copy(&mut stream.take(1 << 20), &mut io::sink()).map(drop)
}

/// Answers each request that is whole; false when the connection ends with the last answer.
fn answer_all(came: &mut Vec<u8>, answers: &mut String) -> bool {
    let mut stays = true;
    while stays {
        let mut fields = [EMPTY_HEADER; 64];
        let mut request = Request::new(&mut fields);
        let (length, status) = match request.parse(came) {
            Ok(Status::Complete(length)) => (length, status_of(&request)),
            Ok(_) if came.len() < LONGEST_HEAD => return true,
            Ok(_) | Err(Error::TooManyHeaders) => (0, "431 Request Header Fields Too Large"),
            Err(Error::Version) => (0, "505 HTTP Version Not Supported"),
            Err(_) => (0, "400 Bad Request"),
        };
        let wants_to_stay = others(&request, "connection", b"keep-alive") == 0;
        stays = status == "200 OK" && request.version == Some(1) && wants_to_stay;
        let connection = if stays { "keep-alive" } else { "close" };
        let body = format!("{status}: {}\n", request.path.unwrap_or("?"));
        let head = format!("Connection: {connection}\r\nContent-Length: {}", body.len());
        let shown = body.len() * usize::from(request.method != Some("HEAD"));
        *answers += &format!("HTTP/1.1 {status}\r\n{head}\r\n\r\n{}", &body[..shown]);
        came.drain(..length);
    }
    false
}

/// What a head that is well formed is answered with.
fn status_of(request: &Request) -> &'static str {
    match request.method {
        _ if request.version == Some(1) && others(request, "host", b"") != 1 => "400 Bad Request",
        _ if others(request, "transfer-encoding", b"") > 0 => "501 Not Implemented",
        _ if others(request, "content-length", b"0") > 0 => "413 Content Too Large",
        Some("GET" | "HEAD") => "200 OK",
        _ => "501 Not Implemented",
    }
}

/// How many fields of this name have another value than the usual one.
fn others(request: &Request, name: &str, usual: &[u8]) -> usize {
    let named = |field: &&Header| field.name.eq_ignore_ascii_case(name);
    let other = |field: &&Header| !field.value.eq_ignore_ascii_case(usual);
    request.headers.iter().filter(named).filter(other).count()
}
