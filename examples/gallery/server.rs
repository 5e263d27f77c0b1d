//! The embedded server: green threads of the same OS thread, one for each connection.
//!
//! It is slow with some pictures, has lost one, and cuts one short, so that a run without arguments shows everything.

use crate::failure::Failure;
use crate::head::{MOST_FIELDS, read_head};
use crate::pictures;
use greenthread::net::{TcpListener, TcpStream};
use std::io::{self, BufReader, Write};
use std::net::SocketAddr;
use std::time::Duration;

/// Every so many pictures, one is slow ..
const SLOW_EVERY: usize = 20;

/// .. by a pause of this length in its middle.
const PAUSE: Duration = Duration::from_millis(150);

/// The picture that is missing.
const MISSING: usize = 66;

/// The picture that is cut short.
const CUT: usize = 133;

/// Starts serving on a free port of the loopback; it goes on until the enclosing `run` ends it.
pub(crate) fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    drop(greenthread::spawn(move || serve(&listener)));
    Ok(address)
}

/// Whether `server` failed the picture at `address` in this way on purpose.
pub(crate) fn planned(server: SocketAddr, address: &str, failure: &Failure) -> bool {
    let number = match failure {
        Failure::Status { code: 404, .. } => MISSING,
        Failure::CutShort { .. } => CUT,
        _ => return false,
    };
    address == address_of(server, number)
}

/// The full address of a picture.
pub(crate) fn address_of(server: SocketAddr, number: usize) -> String {
    format!("http://{server}{}", pictures::path(number))
}

/// Accepts connections for ever.
fn serve(listener: &TcpListener) {
    for stream in listener.incoming() {
        match stream {
            // Whatever goes wrong with one client is the client's business.
            Ok(stream) => drop(greenthread::spawn(move || converse(&stream))),
            // Out of descriptors, most likely: some come back as downloads end.
            Err(_) => greenthread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Answers the requests of one connection until the client has no more.
fn converse(mut stream: &TcpStream) -> Result<(), Failure> {
    stream.set_nodelay(true).map_err(Failure::network)?;
    let mut requests = BufReader::new(stream);
    while let Some(head) = read_head(&mut requests)? {
        let number = requested(&head).filter(|&number| number != MISSING);
        let answer = match number {
            Some(number) => answer("200 OK", "image/png", &pictures::png(number)),
            None => answer("404 Not Found", "text/plain", b"no such picture\n"),
        };
        let (first_half, second_half) = answer.split_at(answer.len() / 2);
        stream.write_all(first_half).map_err(Failure::network)?;
        match number {
            Some(CUT) => break,
            Some(slow) if slow % SLOW_EVERY == 0 => greenthread::sleep(PAUSE),
            _ => {}
        }
        stream.write_all(second_half).map_err(Failure::network)?;
    }
    Ok(())
}

/// The number of the picture that a request asks for, if it is a GET for one.
fn requested(head: &[u8]) -> Option<usize> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    request.parse(head).ok()?;
    let path = request.path.filter(|_| request.method == Some("GET"))?;
    pictures::number(path)
}

/// Head and body of an answer.
fn answer(status: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}
