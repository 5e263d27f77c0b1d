//! The floor: one loop over epoll as one would write it by hand, edge-triggered; a short read ends a connection's turn.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

use super::dialogue::Dialogue;
use super::{PIECE, listen};
use crate::epoll::Epoll;

/// The listener's token; the others' are places in the list of connections.
const LISTENER: u64 = u64::MAX;

/// Echoes.
pub fn echo() -> ! {
    serve(|| [0; PIECE], echo_once)
}

/// Answers HTTP requests.
pub fn http() -> ! {
    serve(Dialogue::new, answer_once)
}

/// Serves each connection with what `make` makes for it; `turn` says whether it goes on.
fn serve<T>(make: impl Fn() -> T, turn: impl Fn(&mut TcpStream, &mut T) -> io::Result<bool>) -> ! {
    let listener = listen();
    let mut epoll = Epoll::new().expect("a set");
    epoll.add(&listener, LISTENER).expect("the listener");
    let mut connections: Vec<Option<(TcpStream, T)>> = Vec::new();
    loop {
        let count = epoll.wait(-1).expect("events");
        for event in 0..count {
            let token = epoll.token(event);
            if token == LISTENER {
                accept(&listener, &epoll, &mut connections, &make);
                continue;
            }
            let connection = &mut connections[token as usize];
            let goes_on = connection
                .as_mut()
                .map(|(stream, state)| turn(stream, state));
            if !matches!(goes_on, Some(Ok(true))) {
                *connection = None;
            }
        }
    }
}

fn accept<T>(
    listener: &TcpListener,
    epoll: &Epoll,
    connections: &mut Vec<Option<(TcpStream, T)>>,
    make: &impl Fn() -> T,
) {
    while let Ok((stream, _)) = listener.accept() {
        stream.set_nonblocking(true).expect("a socket");
        stream.set_nodelay(true).expect("a TCP socket");
        let token = connections.len() as u64;
        epoll.add(&stream, token).expect("room in the set");
        connections.push(Some((stream, make())));
    }
}

fn echo_once(stream: &mut TcpStream, buffer: &mut [u8; PIECE]) -> io::Result<bool> {
    loop {
        let count = match stream.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            count => count?,
        };
        stream.write_all(&buffer[..count])?;
        if count < buffer.len() {
            return Ok(count > 0);
        }
    }
}

fn answer_once(stream: &mut TcpStream, dialogue: &mut Dialogue) -> io::Result<bool> {
    loop {
        let room = dialogue.free().len();
        let count = match stream.read(dialogue.free()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            count => count?,
        };
        match dialogue.hear(count) {
            Some(answers) => stream.write_all(answers)?,
            None => return Ok(false),
        }
        if count < room {
            return Ok(true);
        }
    }
}
