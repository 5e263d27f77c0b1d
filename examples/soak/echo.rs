//! Echo over TCP: honest clients check what comes back, beside clients that send a byte now and then and clients that say nothing.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use greenthread::net::{Server, Stopper, TcpStream};
use greenthread::{JoinHandle, sleep, spawn, spawn_anywhere};

use crate::ledger::{Kind, Ledger};
use crate::work::hash;

/// Clients that check what comes back.
const HONEST: u64 = 8;

/// Clients that send a byte now and then, and as many that say nothing.
const HOSTILE: u64 = 8;

/// Connections that the server takes at once.
const LIMIT: usize = 64;

/// How long the server bears with a client that says nothing.
const PATIENCE: Duration = Duration::from_millis(500);

/// Bytes of the longest message.
const LONGEST: u64 = 16 * 1024;

/// Messages of a connection, after which the next one begins.
const MESSAGES: u64 = 200;

/// One message there and back, over a connection on this OS thread.
pub(crate) fn one_message() -> io::Result<()> {
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0))?;
    let stopper = server.stopper();
    let address = stopper.local_addr()?;
    let server = spawn(move || server.serve(|stream, _| serve(stream)));
    let came = echo_of(&mut TcpStream::connect(address)?, b"one")?;
    stopper.stop(PATIENCE);
    assert_eq!(came, b"one");
    server.join().expect("the server does not panic")
}

/// A server with its clients.
pub(crate) struct Echo {
    /// Ends the server.
    stopper: Stopper,

    /// Serves.
    server: JoinHandle<io::Result<()>>,

    /// End when they are told to.
    clients: Vec<JoinHandle<io::Result<()>>>,
}

/// Begins to serve, and to ask.
pub(crate) fn begin(ledger: &Ledger) -> io::Result<Echo> {
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0))?.limit(LIMIT);
    let stopper = server.stopper();
    let address = stopper.local_addr()?;
    let server = spawn(move || server.serve(|stream, _| serve(stream)));
    let mut clients = Vec::new();
    for number in 0..HONEST {
        let own = ledger.clone();
        clients.push(spawn_anywhere(move || honest(&own, address, number)));
    }
    for number in 0..HOSTILE {
        let own = ledger.clone();
        clients.push(spawn_anywhere(move || hostile(&own, address, number)));
    }
    Ok(Echo {
        stopper,
        server,
        clients,
    })
}

impl Echo {
    /// Waits for the clients, then stops the server.
    pub(crate) fn end(self, ledger: &Ledger) -> io::Result<()> {
        for client in self.clients {
            let ended = client.join().expect("clients do not panic");
            ledger.check(ended.is_ok(), || format!("a client failed: {ended:?}"));
        }
        self.stopper.stop(Duration::from_secs(5));
        self.server.join().expect("the server does not panic")
    }
}

/// Sends everything back, for as long as something comes.
fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            length => stream.write_all(&buffer[..length])?,
        }
    }
}

/// Sends messages of all lengths and reads each back.
fn honest(ledger: &Ledger, address: SocketAddr, number: u64) -> io::Result<()> {
    while !ledger.is_stopping() {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        match talk(ledger, &mut stream, number) {
            Err(Turned::Late) => ledger.add(Kind::Late, 1),
            Err(Turned::Wrongly(error)) => return Err(error),
            Ok(()) => {}
        }
    }
    Ok(())
}

/// Why the server hung up on an honest client.
enum Turned {
    /// It had said nothing for as long as the server bears with: a machine under load kept it.
    Late,

    /// For no reason that there may be.
    Wrongly(io::Error),
}

fn talk(ledger: &Ledger, stream: &mut TcpStream, number: u64) -> Result<(), Turned> {
    let mut last = Instant::now();
    for message in (0..MESSAGES).take_while(|_| !ledger.is_stopping()) {
        let length = hash(number, message) % LONGEST + 1;
        let sent: Vec<u8> = (0..length).map(|at| (at ^ message) as u8).collect();
        let begin = Instant::now();
        let asking = stream.write_all(&sent);
        // The server may have heard nothing for so long, even if its last answer was on the way; what it does after that is its own.
        let was_late = last.elapsed() > PATIENCE / 2;
        let came = asking
            .and_then(|()| answer_of(stream, sent.len()))
            .map_err(|error| match was_late {
                true => Turned::Late,
                false => Turned::Wrongly(error),
            })?;
        last = begin;
        if message % 64 == 0 {
            ledger.took(begin.elapsed());
        }
        ledger.check(came == sent, || {
            format!("message {message} came back changed")
        });
        ledger.add(Kind::Echoes, 1);
    }
    Ok(())
}

fn echo_of(stream: &mut TcpStream, sent: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(sent)?;
    answer_of(stream, sent.len())
}

fn answer_of(stream: &mut TcpStream, length: usize) -> io::Result<Vec<u8>> {
    let mut came = vec![0; length];
    stream.read_exact(&mut came)?;
    Ok(came)
}

/// Connects and says nothing, or sends single bytes until the server would have waited for the next in vain.
fn hostile(ledger: &Ledger, address: SocketAddr, number: u64) -> io::Result<()> {
    while !ledger.is_stopping() {
        let mut stream = TcpStream::connect(address)?;
        if number.is_multiple_of(2) {
            for _ in 0..5 {
                if stream.write_all(b"x").is_err() {
                    break;
                }
                sleep(PATIENCE / 10);
            }
        }
        wait_for_the_end(&mut stream)?;
        ledger.add(Kind::Hostile, 1);
    }
    Ok(())
}

/// Until the server has hung up.
fn wait_for_the_end(stream: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; 64];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
