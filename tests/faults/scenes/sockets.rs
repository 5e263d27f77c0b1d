//! A client and a server of one OS thread.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use greenthread::net::{TcpListener, TcpStream};
use greenthread::{JoinHandle, spawn};

use super::warm_up;

/// How long a call on a socket waits.
const PATIENCE: Duration = Duration::from_millis(20);

/// Tries again while the call's own time is up: a fault that says "nothing there" about what is there brings no further event.
fn patiently<R>(mut call: impl FnMut() -> io::Result<R>) -> io::Result<R> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::TimedOut => {}
            done => return done,
        }
    }
}

fn read_word(mut stream: &TcpStream) -> io::Result<[u8; 4]> {
    let (mut word, mut length) = ([0; 4], 0);
    while length < word.len() {
        match patiently(|| stream.read(&mut word[length..]))? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            more => length += more,
        }
    }
    Ok(word)
}

fn write_word(mut stream: &TcpStream, word: [u8; 4]) -> io::Result<()> {
    assert_eq!(patiently(|| stream.write(&word))?, word.len());
    Ok(())
}

fn set_patience(stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))
}

/// The first source of this OS thread, an accepted connection, and ten messages there and back.
pub(super) fn tcp(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let (address, server) = echo_server().map_err(|error| error.to_string())?;
    let asked = ask_ten_times(address);
    if asked.is_err() {
        server.cancel();
    }
    let served = server.join().map_err(|error| error.to_string());
    match (asked, served) {
        (Ok(total), Ok(Ok(()))) => Ok(total),
        (asked, served) => Err(format!("client {asked:?}, server {served:?}")),
    }
}

fn echo_server() -> io::Result<(SocketAddr, JoinHandle<io::Result<()>>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let server = spawn(move || {
        let (stream, _) = listener.accept()?;
        set_patience(&stream)?;
        (0..10).try_for_each(|_| write_word(&stream, read_word(&stream)?))
    });
    Ok((address, server))
}

fn ask_ten_times(address: SocketAddr) -> io::Result<u64> {
    let stream = TcpStream::connect(address)?;
    set_patience(&stream)?;
    let mut total = 0;
    for _ in 0..10 {
        write_word(&stream, *b"echo")?;
        total += u64::from(read_word(&stream)? == *b"echo") * 4;
    }
    Ok(total)
}
