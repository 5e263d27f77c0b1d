//! The load generator: one OS thread, many connections, each with so many requests under way.
//!
//! It never sleeps, so that no server pays for waking it, and it must be quicker than the quickest server: if both were equally quick, then who is ahead by a hair
//! would decide how often the server sleeps, and that costs more than what is measured. So it reads small answers in bundles: with one answer under way, which is so
//! small that it comes in one piece, an edge-triggered event is an answer.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::epoll::Epoll;
use crate::row::{Load, Protocol};

/// What an echo server is asked.
const LINE: [u8; 64] = [b'.'; 64];

/// What an HTTP server is asked.
const GET: &[u8] =
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: versus\r\nAccept: */*\r\n\r\n";

/// Answers up to so many bytes come in one piece.
const SMALL: usize = 512;

/// So many small answers are read at once.
const BUNDLE: usize = 8;

/// Connections that are made before the first of them is heard of: fewer than any server's backlog.
const AT_ONCE: usize = 64;

/// When requests are no longer sent, whatever their number.
const LONGEST: Duration = Duration::from_millis(1000);

/// When answers are no longer awaited.
const LOST: Duration = Duration::from_secs(20);

/// Connections to one server.
#[derive(Debug)]
pub struct Clients {
    /// Tells of answers; a token is a place in `clients`.
    epoll: Epoll,

    /// Each connection.
    clients: Vec<Client>,

    /// What is sent at once.
    request: Vec<u8>,

    /// Bytes of the answers to that.
    answer: usize,

    /// How many requests that is.
    depth: usize,

    /// Where answers are read to.
    buffer: Vec<u8>,
}

/// One connection.
#[derive(Debug)]
struct Client {
    /// Does not block.
    stream: TcpStream,

    /// When the last request was sent.
    since: Instant,

    /// Bytes that are still to be read: of the answer under way, or of small ones that came before.
    owed: usize,
}

/// What became of the requests.
#[derive(Debug)]
pub struct Report {
    /// How many were answered.
    pub requests: u64,

    /// From the first request to the last answer.
    pub elapsed: Duration,

    /// From request to answer, ascending; for each bundle of requests one.
    pub latencies: Vec<Duration>,
}

impl Report {
    /// The latency that this part of the requests keeps to, in microseconds.
    pub fn latency(&self, part: f64) -> f64 {
        let last = self.latencies.len() - 1;
        self.latencies[(last as f64 * part).round() as usize].as_nanos() as f64 / 1000.0
    }

    /// Requests in a second.
    pub fn throughput(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }
}

impl Clients {
    /// Connects as many as the load asks for, and has each answered once.
    pub fn connect(address: SocketAddr, load: &Load) -> io::Result<Self> {
        let one = match load.protocol {
            Protocol::Echo => &LINE[..],
            Protocol::Http => GET,
        };
        let mut clients = Clients {
            epoll: Epoll::new()?,
            clients: Vec::with_capacity(load.connections),
            request: one.repeat(load.depth),
            answer: answer_length(address, load.protocol, one)? * load.depth,
            depth: load.depth,
            buffer: vec![0; 1 << 16],
        };
        while clients.clients.len() < load.connections {
            let more = AT_ONCE.min(load.connections - clients.clients.len());
            clients.add(address, more)?;
        }
        Ok(clients)
    }

    fn add(&mut self, address: SocketAddr, more: usize) -> io::Result<()> {
        let first = self.clients.len();
        for place in first..first + more {
            let stream = connect(address)?;
            stream.set_nonblocking(true)?;
            self.epoll.add(&stream, place as u64)?;
            self.clients.push(Client {
                stream,
                since: Instant::now(),
                owed: 0,
            });
        }
        self.drive_from(first, more).map(drop)
    }

    /// Has so many requests answered, or as many as can be in a second.
    pub fn drive(&mut self, requests: u64) -> io::Result<Report> {
        self.drive_from(0, requests as usize / self.depth)
    }

    /// Has so many bundles of requests answered, by the clients from `first` on.
    fn drive_from(&mut self, first: usize, mut bundles: usize) -> io::Result<Report> {
        bundles = bundles.max(self.clients.len() - first);
        let mut latencies = Vec::with_capacity(bundles);
        let begin = Instant::now();
        for place in first..self.clients.len() {
            self.send(place, Instant::now())?;
        }
        let mut sent = self.clients.len() - first;
        while latencies.len() < bundles {
            let count = self.epoll.wait(0)?;
            for event in 0..count {
                let place = self.epoll.token(event) as usize;
                let now = Instant::now();
                if !self.hears(place)? {
                    continue;
                }
                latencies.push(now - self.clients[place].since);
                if sent < bundles {
                    self.send(place, now)?;
                    sent += 1;
                }
            }
            let spent = begin.elapsed();
            if spent > LONGEST {
                bundles = sent;
            }
            if spent > LOST {
                return Err(io::Error::other("answers are missing"));
            }
        }
        let elapsed = begin.elapsed();
        (first..self.clients.len()).try_for_each(|place| self.drain(place))?;
        latencies.sort_unstable();
        Ok(Report {
            requests: (bundles * self.depth) as u64,
            elapsed,
            latencies,
        })
    }

    fn send(&mut self, place: usize, now: Instant) -> io::Result<()> {
        let client = &mut self.clients[place];
        client.since = now;
        if self.answer > SMALL {
            client.owed = self.answer;
        }
        match (&client.stream).write(&self.request)? {
            count if count == self.request.len() => Ok(()),
            _ => Err(io::Error::other("the server does not read")),
        }
    }

    /// Whether the answer is there, after an event.
    fn hears(&mut self, place: usize) -> io::Result<bool> {
        if self.answer > SMALL {
            self.read(place)?;
            return Ok(self.clients[place].owed == 0);
        }
        self.clients[place].owed += self.answer;
        if self.clients[place].owed >= BUNDLE * self.answer {
            self.drain(place)?;
        }
        Ok(true)
    }

    /// Reads what is owed, all of which has come.
    fn drain(&mut self, place: usize) -> io::Result<()> {
        while self.clients[place].owed > 0 {
            if self.read(place)? == 0 {
                return Err(io::Error::other("an answer came in pieces"));
            }
        }
        Ok(())
    }

    /// Reads once, for as much as is owed at the most.
    fn read(&mut self, place: usize) -> io::Result<usize> {
        let client = &mut self.clients[place];
        let room = client.owed.min(self.buffer.len());
        match (&client.stream).read(&mut self.buffer[..room]) {
            Ok(0) if room > 0 => Err(io::Error::other("the server hung up")),
            Ok(count) => {
                client.owed -= count;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) => Err(error),
        }
    }
}

/// A connection that is reset when it is dropped: ten thousand of them waiting for their end would use up the ports.
fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
    Ok(stream)
}

/// Asks once, on a connection of its own.
fn answer_length(address: SocketAddr, protocol: Protocol, request: &[u8]) -> io::Result<usize> {
    if let Protocol::Echo = protocol {
        return Ok(request.len());
    }
    let mut stream = connect(address)?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece)?;
        answer.extend_from_slice(&piece[..count]);
        match whole_length(&answer) {
            Some(length) if answer.len() == length => return Ok(length),
            _ if count == 0 => return Err(io::Error::other("no HTTP answer")),
            _ => {}
        }
    }
}

/// Bytes of head and body, once the head is there.
fn whole_length(answer: &[u8]) -> Option<usize> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(answer).ok()? else {
        return None;
    };
    let is_length = |header: &&httparse::Header| header.name.eq_ignore_ascii_case("content-length");
    let length = response.headers.iter().find(is_length)?;
    let body: usize = std::str::from_utf8(length.value).ok()?.parse().ok()?;
    Some(head + body)
}
