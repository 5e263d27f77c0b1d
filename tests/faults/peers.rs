//! Peers that are killed in the middle of a frame: whoever reads or writes gets an error, and nobody else notices.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net as unix;
use std::process::Stdio;
use std::rc::Rc;

use greenthread::fs::TempDir;
use greenthread::net::{Server, TcpListener, TcpStream, UnixListener, UnixStream};
use greenthread::sync::{Event, Queue};
use greenthread::{JoinHandle, gather, spawn};

use crate::trial;

/// Bytes of the frame that never comes whole, and how many of them come.
const LONG: (usize, usize) = (100_000, 50_000);

/// How a peer is when it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    /// It has sent a part of a frame.
    Halves,

    /// It has sent a frame and reads no answer.
    Deaf,
}

fn read_frame(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut frame = vec![0; u32::from_le_bytes(length) as usize];
    from.read_exact(&mut frame)?;
    Ok(frame)
}

fn write_frame(to: &mut impl Write, frame: &[u8]) -> io::Result<()> {
    to.write_all(&(frame.len() as u32).to_le_bytes())?;
    to.write_all(frame)
}

/// Writes for ever.
fn pour(to: &mut impl Write) -> io::Result<()> {
    loop {
        write_frame(to, &[b'.'; 10_000])?;
    }
}

/// The child: a peer with this habit, which waits to be killed.
fn be_killed(stream: &mut (impl Read + Write), habit: Habit) -> ! {
    write_frame(stream, b"whole").unwrap();
    assert_eq!(read_frame(stream).unwrap(), b"whole");
    match habit {
        Habit::Halves => {
            let length = (LONG.0 as u32).to_le_bytes();
            stream.write_all(&length).unwrap();
            stream.write_all(&vec![b'.'; LONG.1]).unwrap();
        }
        Habit::Deaf => write_frame(stream, b"more").unwrap(),
    }
    loop {
        std::thread::park();
    }
}

/// Plays the peer that a role such as `tcp Deaf 127.0.0.1:80` describes.
fn play(role: &str) -> ! {
    let parts: Vec<&str> = role.splitn(3, ' ').collect();
    let habit = match parts[1] {
        "Halves" => Habit::Halves,
        _ => Habit::Deaf,
    };
    match parts[0] {
        "tcp" => be_killed(&mut std::net::TcpStream::connect(parts[2]).unwrap(), habit),
        _ => be_killed(&mut unix::UnixStream::connect(parts[2]).unwrap(), habit),
    }
}

/// What the handlers of connections tell.
#[derive(Clone, Default)]
struct Told {
    /// Something of the frame that never comes whole has come, or an answer that is not read has been begun.
    is_amid: Rc<Event>,

    /// How connections ended.
    ends: Rc<RefCell<Vec<ErrorKind>>>,
}

impl Told {
    /// Answers each frame by itself; "more" without end. Long ones are read in two parts.
    fn serve(&self, stream: &mut (impl Read + Write)) {
        let error = self.answer(stream).unwrap_err();
        self.ends.borrow_mut().push(error.kind());
    }

    fn answer(&self, stream: &mut (impl Read + Write)) -> io::Result<()> {
        loop {
            let mut length = [0; 4];
            stream.read_exact(&mut length)?;
            let mut frame = vec![0; u32::from_le_bytes(length) as usize];
            let half = frame.len().min(LONG.1);
            let (first, rest) = frame.split_at_mut(half);
            stream.read_exact(first)?;
            if !rest.is_empty() {
                self.is_amid.set();
            }
            stream.read_exact(rest)?;
            write_frame(stream, &frame)?;
            if frame == b"more" {
                self.is_amid.set();
                pour(stream)?;
            }
        }
    }
}

/// Kills a peer with this habit while the server is in the middle of it; `honest` asks the same server before and after.
fn kill_amid(test: &str, role: &str, told: &Told, honest: &mut (impl Read + Write)) {
    let mut ask = || {
        write_frame(honest, b"honest").unwrap();
        assert_eq!(read_frame(honest).unwrap(), b"honest");
    };
    ask();
    let mut peer = trial::command(test, role)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    told.is_amid.wait();
    ask();
    peer.kill().unwrap();
    peer.wait().unwrap();
    while told.ends.borrow().is_empty() {
        ask();
        greenthread::yield_now();
    }
    ask();
}

fn assert_end(told: &Told, habit: Habit) {
    use ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    let ends = told.ends.borrow();
    let expected: &[ErrorKind] = match habit {
        Habit::Halves => &[UnexpectedEof, ConnectionReset],
        Habit::Deaf => &[BrokenPipe, ConnectionReset],
    };
    assert!(ends.len() == 1 && expected.contains(&ends[0]), "{ends:?}");
}

fn assert_over_tcp(test: &str, habit: Habit) {
    if let Some(role) = trial::role() {
        play(&role);
    }
    trial::watch_for_hangs();
    let told = Told::default();
    let server = Server::bind("127.0.0.1:0").unwrap();
    let stopper = server.stopper();
    let address = stopper.local_addr().unwrap();
    let tells = told.clone();
    let serving = spawn(move || server.serve(|mut stream, _| tells.serve(&mut stream)));
    let mut honest = TcpStream::connect(address).unwrap();
    let role = format!("tcp {habit:?} {address}");
    kill_amid(test, &role, &told, &mut honest);
    assert_end(&told, habit);
    // The next one is served as if nothing had been.
    let mut next = TcpStream::connect(address).unwrap();
    write_frame(&mut next, b"next").unwrap();
    assert_eq!(read_frame(&mut next).unwrap(), b"next");
    stopper.stop(std::time::Duration::ZERO);
    serving.join().unwrap().unwrap();
}

fn assert_over_unix(test: &str, habit: Habit) {
    if let Some(role) = trial::role() {
        play(&role);
    }
    trial::watch_for_hangs();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let told = Told::default();
    let tells = told.clone();
    let serving = spawn(move || {
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().unwrap();
            let tells = tells.clone();
            drop(spawn(move || tells.serve(&mut stream)));
        }
    });
    let mut honest = UnixStream::connect(&path).unwrap();
    let role = format!("unix {habit:?} {}", path.display());
    kill_amid(test, &role, &told, &mut honest);
    assert_end(&told, habit);
    let mut next = UnixStream::connect(&path).unwrap();
    write_frame(&mut next, b"next").unwrap();
    assert_eq!(read_frame(&mut next).unwrap(), b"next");
    serving.join().unwrap();
}

#[test]
fn a_peer_over_tcp_that_is_killed_amid_its_frame_ends_its_own_connection_only() {
    let test = "peers::a_peer_over_tcp_that_is_killed_amid_its_frame_ends_its_own_connection_only";
    assert_over_tcp(test, Habit::Halves);
}

#[test]
fn a_peer_over_tcp_that_is_killed_while_it_is_written_to_ends_its_own_connection_only() {
    let test =
        "peers::a_peer_over_tcp_that_is_killed_while_it_is_written_to_ends_its_own_connection_only";
    assert_over_tcp(test, Habit::Deaf);
}

#[test]
fn a_peer_over_a_unix_socket_that_is_killed_amid_its_frame_ends_its_own_connection_only() {
    let test = "peers::a_peer_over_a_unix_socket_that_is_killed_amid_its_frame_ends_its_own_connection_only";
    assert_over_unix(test, Habit::Halves);
}

#[test]
fn a_peer_over_a_unix_socket_that_is_killed_while_it_is_written_to_ends_its_own_connection_only() {
    let test = "peers::a_peer_over_a_unix_socket_that_is_killed_while_it_is_written_to_ends_its_own_connection_only";
    assert_over_unix(test, Habit::Deaf);
}

#[test]
fn twenty_peers_that_are_killed_at_once_are_twenty_errors() {
    const PEERS: usize = 20;
    let test = "peers::twenty_peers_that_are_killed_at_once_are_twenty_errors";
    if let Some(role) = trial::role() {
        play(&role);
    }
    trial::watch_for_hangs();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let role = format!("tcp Halves {}", listener.local_addr().unwrap());
    let amid = Rc::new(Queue::unbounded());
    let begin = || {
        let amid = Rc::clone(&amid);
        let mut peer = trial::command(test, &role);
        let peer = peer.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let (mut stream, _) = listener.accept().unwrap();
        let serving: JoinHandle<ErrorKind> = spawn(move || {
            let frame = read_frame(&mut stream).unwrap();
            write_frame(&mut stream, &frame).unwrap();
            stream.read_exact(&mut vec![0; 4 + LONG.1]).unwrap();
            amid.put(()).unwrap();
            stream
                .read_exact(&mut vec![0; LONG.0 - LONG.1])
                .unwrap_err()
                .kind()
        });
        (peer.unwrap(), serving)
    };
    let (mut peers, serving): (Vec<_>, Vec<_>) = (0..PEERS).map(|_| begin()).unzip();
    (0..PEERS).for_each(|_| amid.get().unwrap());
    peers.iter_mut().for_each(|peer| peer.kill().unwrap());
    for mut peer in peers {
        peer.wait().unwrap();
    }
    for kind in gather(serving) {
        let kind = kind.unwrap();
        assert!(
            matches!(kind, ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset),
            "{kind}"
        );
    }
    assert!(amid.is_empty());
}
