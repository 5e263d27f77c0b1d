//! A server of green threads on the same OS thread, which answers with what it was asked.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::rc::Rc;

use greenthread::net::{TcpListener, TcpStream};
use greenthread::{park, spawn};

use crate::support::teardown::leaves;

/// How a server treats its connections.
#[derive(Clone, Copy)]
pub(crate) struct Manners {
    /// After so many answers it closes a connection, though it never says so.
    pub(crate) patience: usize,

    /// At a path that starts so it falls silent.
    pub(crate) silent_at: &'static str,
}

/// One that stays and answers all.
pub(crate) const POLITE: Manners = Manners {
    patience: usize::MAX,
    silent_at: "/silent",
};

/// A server, until the end of the enclosing `run`.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,

    /// How many connections it has taken.
    pub(crate) taken: Rc<Cell<usize>>,
}

impl Server {
    /// Starts one on a free port.
    pub(crate) fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Rc::new(Cell::new(0));
        let count = Rc::clone(&taken);
        leaves(1);
        drop(spawn(move || {
            for stream in listener.incoming() {
                count.set(count.get() + 1);
                let stream = stream.unwrap();
                drop(spawn(move || converse(&stream, manners)));
            }
        }));
        Server { address, taken }
    }

    /// The address of a path.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// Answers each request with its path; `/half..` gets a head, and half of its body. As a proxy it
/// leads everywhere to itself.
fn converse(mut stream: &TcpStream, manners: Manners) -> io::Result<()> {
    let mut requests = BufReader::new(stream).lines();
    for _ in 0..manners.patience {
        let Some(line) = requests.next().transpose()? else {
            break;
        };
        let path = line.split(' ').nth(1).unwrap().to_owned();
        while requests
            .next()
            .transpose()?
            .is_some_and(|line| !line.is_empty())
        {}
        if line.starts_with("CONNECT ") {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            continue;
        }
        if path.starts_with(manners.silent_at) {
            leaves(1);
            park();
        }
        let length = path.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"
        )?;
        if path.starts_with("/half") {
            stream.write_all(&path.as_bytes()[..length / 2])?;
            leaves(1);
            park();
        }
        stream.write_all(path.as_bytes())?;
    }
    Ok(())
}
