//! The downloader's side of HTTP: one kept connection, one request at a time.

use crate::address::Address;
use crate::body::read_body;
use crate::failure::Failure;
use crate::head::{Framing, Head, read_head};
use crate::secure::Secure;
use greenthread::net::TcpStream;
use std::io::{self, BufReader, Write};
use std::time::Duration;

/// An answer other than the picture is skipped up to this size; beyond, a new connection costs less.
const SMALL_BODY: u64 = 64 << 10;

/// What a server may cost one download.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The longest wait for a connection, and for each read and write.
    pub(crate) timeout: Duration,

    /// The most bytes of a picture.
    pub(crate) bytes: u64,
}

/// Fetches pictures, and keeps the connection it used last for the next one from the same host.
pub(crate) struct Client {
    /// What a server may cost.
    limits: Limits,

    /// Fetches what is to come over TLS.
    secure: Secure,

    /// The connection used last, if it can serve another request.
    kept: Option<Connection>,
}

/// A connection to a host.
struct Connection {
    /// The host and port it leads to.
    authority: String,

    /// What the server sends; writing goes past the buffer.
    reader: BufReader<TcpStream>,
}

impl Client {
    /// A client without a connection.
    pub(crate) fn new(limits: Limits, secure: Secure) -> Self {
        Client {
            limits,
            secure,
            kept: None,
        }
    }

    /// Writes the picture at `address` to `sink`, and returns its size.
    pub(crate) fn fetch(
        &mut self,
        address: &Address,
        sink: &mut impl Write,
    ) -> Result<u64, Failure> {
        if address.is_secure() {
            return self.secure.fetch(address, self.limits.bytes, sink);
        }
        let (mut connection, head) = self.ask(address)?;
        let outcome = match head.status {
            200 => connection.take_body(head.framing, self.limits.bytes, sink),
            _ => Err(refusal(&head)),
        };
        if head.keeps_alive && connection.is_over(&outcome, head.framing) {
            self.kept = Some(connection);
        }
        outcome
    }

    /// Sends the request over the kept connection, or over a fresh one, and reads the head of the answer.
    fn ask(&mut self, address: &Address) -> Result<(Connection, Head), Failure> {
        if let Some(mut kept) = self.kept.take().filter(|kept| kept.leads_to(address)) {
            match kept.ask(address) {
                // It was idle for too long and the server closed it: that says nothing about the picture.
                Err(failure) if failure.is_stale() => {}
                answer => return answer.map(|head| (kept, head)),
            }
        }
        let mut fresh = Connection::open(address, self.limits.timeout)?;
        let head = fresh.ask(address)?;
        Ok((fresh, head))
    }
}

impl Connection {
    /// Connects to the address's host.
    fn open(address: &Address, limit: Duration) -> Result<Self, Failure> {
        let stream = connect(address, limit).map_err(Failure::Connect)?;
        Ok(Connection {
            authority: address.authority(),
            reader: BufReader::new(stream),
        })
    }

    /// Whether a request for this address may go over this connection.
    fn leads_to(&self, address: &Address) -> bool {
        self.authority == address.authority()
    }

    /// Sends the request and reads the head of the answer.
    fn ask(&mut self, address: &Address) -> Result<Head, Failure> {
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nAccept: image/*, */*;q=0.1\r\nAccept-Encoding: identity\r\n\
             User-Agent: greenthread-gallery\r\n\r\n",
            address.target(),
            self.authority,
        );
        // One write, so that the request travels as one packet.
        self.reader
            .get_mut()
            .write_all(request.as_bytes())
            .map_err(Failure::network)?;
        self.final_head()
    }

    /// Reads the head of the answer proper, past those that only say that it is coming (RFC 9110, 15.2).
    fn final_head(&mut self) -> Result<Head, Failure> {
        for _ in 0..10 {
            let bytes = read_head(&mut self.reader)?.ok_or(Failure::NoAnswer)?;
            let head = Head::parse(&bytes)?;
            if !(100..200).contains(&head.status) {
                return Ok(head);
            }
        }
        Err(Failure::Malformed("it announces an answer again and again"))
    }

    /// Copies the body to `sink`, and returns its size.
    fn take_body(
        &mut self,
        framing: Framing,
        limit: u64,
        sink: &mut impl Write,
    ) -> Result<u64, Failure> {
        read_body(&mut self.reader, framing, limit, sink)
    }

    /// Whether the answer has been read to its end, so that another may follow.
    fn is_over(&mut self, outcome: &Result<u64, Failure>, framing: Framing) -> bool {
        let read = match outcome {
            Ok(_) => true,
            // What a refusal says is not wanted, but stands before the next answer.
            Err(Failure::Status { .. }) => {
                self.take_body(framing, SMALL_BODY, &mut io::sink()).is_ok()
            }
            Err(_) => false,
        };
        // Bytes beyond the answer belong to no request of ours.
        read && self.reader.buffer().is_empty()
    }
}

/// Connects within `limit`, and lets no read or write take longer.
fn connect(address: &Address, limit: Duration) -> io::Result<TcpStream> {
    let stream = greenthread::timeout(limit, || TcpStream::connect(address.endpoint()))??;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    Ok(stream)
}

/// Why this answer is not the picture.
fn refusal(head: &Head) -> Failure {
    let redirects = (300..400).contains(&head.status);
    Failure::Status {
        code: head.status,
        words: head.words.clone(),
        location: head.location.clone().filter(|_| redirects),
    }
}
