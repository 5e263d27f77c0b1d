//! Ten thousand connections at once to one OS thread; the clients are another process, so that each side keeps under its descriptor limit.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::rc::Rc;
use std::time::Instant;

use greenthread::net::{TcpListener, TcpStream};
use greenthread::{JoinHandle, current, park, spawn};

use crate::{child, descriptors};

const CONNECTIONS: usize = 10_000;

/// Requests on each connection after all of them stand.
const ROUNDS: usize = 3;

/// How many clients connect at the same time: fewer than may wait in the listener's line.
const AT_ONCE: usize = 500;

const NAME: &str = "many::ten_thousand_connections_are_served_by_one_os_thread";

/// FNV-1a, by Fowler, Noll and Vo: a byte at a time, however the stream is cut into pieces.
struct Hash(u64);

impl Hash {
    fn new() -> Self {
        Hash(0xcbf2_9ce4_8422_2325)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// What one side saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    /// Bytes moved.
    bytes: u64,

    /// The sum of the hashes of all connections' bytes.
    sum: u64,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.bytes += other.bytes;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

/// What a connection says in one round: its length and bytes differ from any other's.
fn message(connection: usize, round: usize) -> Vec<u8> {
    let seed = connection * ROUNDS + round;
    (0..50 + seed % 400)
        .map(|i| (seed.wrapping_mul(0x9e37_79b9) >> (i % 24)) as u8)
        .collect()
}

/// Echoes until the peer ends.
fn echo(stream: TcpStream) -> io::Result<Tally> {
    let (mut hash, mut bytes) = (Hash::new(), 0);
    let mut buffer = [0; 512];
    loop {
        match (&stream).read(&mut buffer)? {
            0 => break,
            n => {
                hash.write(&buffer[..n]);
                bytes += n as u64;
                (&stream).write_all(&buffer[..n])?;
            }
        }
    }
    Ok(Tally { bytes, sum: hash.0 })
}

/// One client: a first word, then, when all stand, the rest.
struct Clients {
    /// How many have been answered once.
    standing: Rc<Cell<usize>>,

    /// Where to.
    address: SocketAddr,
}

impl Clients {
    fn start(&self, connection: usize) -> JoinHandle<io::Result<Tally>> {
        let (standing, address) = (Rc::clone(&self.standing), self.address);
        let root = current();
        spawn(move || {
            let stream = TcpStream::connect(address)?;
            let mut hash = Hash::new();
            let mut bytes = 0;
            for round in 0..=ROUNDS {
                bytes += ask(&stream, &message(connection, round), &mut hash)?;
                if round == 0 {
                    standing.set(standing.get() + 1);
                    root.unpark();
                    park();
                }
            }
            Ok(Tally { bytes, sum: hash.0 })
        })
    }

    /// Starts all, a part at a time, and returns when all stand.
    fn start_all(&self) -> Vec<JoinHandle<io::Result<Tally>>> {
        let mut clients = Vec::new();
        while clients.len() < CONNECTIONS {
            let first = clients.len();
            clients.extend((first..first + AT_ONCE).map(|connection| self.start(connection)));
            while self.standing.get() < clients.len() {
                let failed = clients.iter().position(JoinHandle::is_finished);
                assert_eq!(failed, None, "a client ended before its time");
                park();
            }
        }
        clients
    }
}

fn ask(mut stream: &TcpStream, message: &[u8], hash: &mut Hash) -> io::Result<u64> {
    stream.write_all(message)?;
    let mut answer = vec![0; message.len()];
    stream.read_exact(&mut answer)?;
    assert!(answer == message, "an answer that was not asked for");
    hash.write(&answer);
    Ok(answer.len() as u64)
}

/// The child.
fn be_clients(address: SocketAddr) {
    descriptors::allow(CONNECTIONS as u64 + 100);
    let clients = Clients {
        standing: Rc::default(),
        address,
    };
    let clients = clients.start_all();
    let used = descriptors::open().len();
    for client in &clients {
        client.thread().unpark();
    }
    let mut total = Tally::default();
    for client in clients {
        total.add(client.join().unwrap().unwrap());
    }
    println!("\ntally {} {} {used}", total.bytes, total.sum);
}

/// What the clients counted, and how many descriptors they used.
fn report(clients: &mut Child) -> (Tally, usize) {
    let lines = BufReader::new(clients.stdout.as_mut().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap);
    let line = lines.find(|line| line.starts_with("tally "));
    let line = line.expect("the clients failed");
    lines.for_each(drop);
    let numbers: Vec<u64> = line
        .split(' ')
        .skip(1)
        .map(|n| n.parse().unwrap())
        .collect();
    let (bytes, sum) = (numbers[0], numbers[1]);
    (Tally { bytes, sum }, numbers[2] as usize)
}

#[test]
#[apply(once)]
fn ten_thousand_connections_are_served_by_one_os_thread() {
    if let Some(role) = child::role() {
        return be_clients(role.parse().unwrap());
    }
    let begun = Instant::now();
    descriptors::allow(CONNECTIONS as u64 + 1000);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut clients = child::of_this_program(NAME, &address)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let serving: Vec<_> = listener
        .incoming()
        .take(CONNECTIONS)
        .map(|stream| spawn(move || echo(stream.unwrap())))
        .collect();
    let used = descriptors::open().len();
    let mut served = Tally::default();
    for connection in serving {
        served.add(connection.join().unwrap().unwrap());
    }
    let (asked, used_there) = report(&mut clients);
    assert!(clients.wait().unwrap().success());
    assert_eq!(served, asked);
    assert!(used > CONNECTIONS && used_there > CONNECTIONS);
    eprintln!(
        "{CONNECTIONS} connections, {} bytes each way, {used} descriptors here, {used_there} there, {:?}",
        served.bytes,
        begun.elapsed()
    );
}
