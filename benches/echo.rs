//! Echo over the loopback, beside a hand-written loop over mio (the floor) in the same run.
//!
//! Each server has an OS thread of its own; the clients are std's, on the bench's thread. A round is one request of 64 bytes on each connection: all
//! are sent, then all answers are read, the last one first: so the clients sleep about once a round, and what waking them costs the server does not hang
//! on who is faster by a hair. Two measures a round: the wall time, and the CPU time of the server's OS thread, which is the one that the budget
//! in `README.md` speaks of. Divide by the number of connections for one request.

#![allow(
    missing_docs,
    reason = "criterion's macros write undocumented functions"
)]
#![expect(unsafe_code, reason = "reads the CPU clock of another OS thread")]

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

const CONNECTIONS: [usize; 2] = [1, 64];

const REQUEST: [u8; 64] = [b'.'; 64];

/// The CPU clock of one OS thread.
#[derive(Clone, Copy)]
struct CpuClock(libc::clockid_t);

impl CpuClock {
    fn of_this_thread() -> Self {
        let mut clock = 0;
        // SAFETY: it needs nothing.
        let this = unsafe { libc::pthread_self() };
        // SAFETY: this OS thread is alive, and it writes to the one integer that it is given.
        let failed = unsafe { libc::pthread_getcpuclockid(this, &raw mut clock) };
        assert_eq!(failed, 0);
        CpuClock(clock)
    }

    fn read(self) -> Duration {
        let mut spent = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: it writes to the one struct that it is given.
        let failed = unsafe { libc::clock_gettime(self.0, &raw mut spent) };
        assert_eq!(failed, 0, "{}", io::Error::last_os_error());
        Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32)
    }
}

/// A running server with its clients connected.
struct Bench {
    server: CpuClock,
    clients: Vec<TcpStream>,
}

impl Bench {
    /// Starts `serve` on an OS thread; it serves so many connections until all have ended.
    fn start(connections: usize, serve: fn(usize, &dyn Fn(SocketAddr))) -> Self {
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let clock = CpuClock::of_this_thread();
            serve(connections, &|address| tell.send((clock, address)).unwrap());
        });
        let (server, address) = told.recv().unwrap();
        let connect = |_| {
            let stream = TcpStream::connect(address).unwrap();
            stream.set_nodelay(true).unwrap();
            stream
        };
        let clients = (0..connections).map(connect).collect();
        Bench { server, clients }
    }

    fn round(&mut self) {
        for client in &mut self.clients {
            client.write_all(&REQUEST).unwrap();
        }
        for client in self.clients.iter_mut().rev() {
            client.read_exact(&mut [0; REQUEST.len()]).unwrap();
        }
    }

    fn wall(&mut self, rounds: u64) -> Duration {
        let begun = Instant::now();
        (0..rounds).for_each(|_| self.round());
        begun.elapsed()
    }

    fn server_cpu(&mut self, rounds: u64) -> Duration {
        let before = self.server.read();
        (0..rounds).for_each(|_| self.round());
        self.server.read() - before
    }
}

/// One green thread a connection.
fn greenthread(connections: usize, ready: &dyn Fn(SocketAddr)) {
    let listener = greenthread::net::TcpListener::bind("127.0.0.1:0").unwrap();
    ready(listener.local_addr().unwrap());
    let echo = |mut stream: greenthread::net::TcpStream| {
        let mut buffer = [0; 1024];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(n) => stream.write_all(&buffer[..n]).unwrap(),
            }
        }
    };
    let serving: Vec<_> = (0..connections)
        .map(|_| listener.accept().unwrap().0)
        .map(|stream| greenthread::spawn(move || echo(stream)))
        .collect();
    for served in serving {
        served.join().unwrap();
    }
}

/// What one would write by hand: edge-triggered, a short read ends a connection's turn.
fn floor(connections: usize, ready: &dyn Fn(SocketAddr)) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    ready(listener.local_addr().unwrap());
    let mut poll = Poll::new().unwrap();
    let interests = Interest::READABLE | Interest::WRITABLE;
    let accept = |i| {
        let stream = listener.accept().unwrap().0;
        stream.set_nonblocking(true).unwrap();
        poll.registry()
            .register(&mut SourceFd(&stream.as_raw_fd()), Token(i), interests)
            .unwrap();
        stream
    };
    let mut streams: Vec<_> = (0..connections).map(accept).collect();
    let (mut events, mut left) = (Events::with_capacity(1024), connections);
    while left > 0 {
        poll.poll(&mut events, None).unwrap();
        for event in &events {
            if event.is_readable() && has_ended(&mut streams[event.token().0]) {
                left -= 1;
            }
        }
    }
}

/// Echoes what there is.
fn has_ended(stream: &mut TcpStream) -> bool {
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(n) => {
                stream.write_all(&buffer[..n]).unwrap();
                if n < buffer.len() {
                    return false;
                }
            }
            Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
        }
    }
}

type Measure = fn(&mut Bench, u64) -> Duration;

fn echo(c: &mut Criterion) {
    let measures: [(&str, Measure); 2] = [("cpu", Bench::server_cpu), ("wall", Bench::wall)];
    for connections in CONNECTIONS {
        for (name, measure) in measures {
            let mut group = c.benchmark_group(format!("echo {connections} {name}"));
            group.throughput(Throughput::Elements(connections as u64));
            let mut bench = Bench::start(connections, floor);
            group.bench_function("floor", |b| b.iter_custom(|n| measure(&mut bench, n)));
            let mut bench = Bench::start(connections, greenthread);
            group.bench_function("greenthread", |b| b.iter_custom(|n| measure(&mut bench, n)));
            group.finish();
        }
    }
}

criterion_group!(benches, echo);
criterion_main!(benches);
