//! greenthread: a green thread for each connection.

use std::io::{self, Read, Write};

use greenthread::net::{TcpListener, TcpStream};

use super::dialogue::Dialogue;
use super::{ANYWHERE, PIECE, say};

/// Echoes.
pub fn echo() -> ! {
    serve(echo_to)
}

/// Answers HTTP requests.
pub fn http() -> ! {
    serve(answer)
}

fn serve(each: fn(TcpStream) -> io::Result<()>) -> ! {
    let listener = TcpListener::bind(ANYWHERE).expect("a free port");
    say(listener.local_addr().expect("a bound listener"));
    loop {
        let (stream, _) = listener.accept().expect("a client");
        // A client that hangs up is no concern of anybody else's.
        drop(greenthread::spawn(move || drop(each(stream))));
    }
}

fn echo_to(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; PIECE];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            count => stream.write_all(&buffer[..count])?,
        }
    }
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut dialogue = Dialogue::new();
    loop {
        let count = stream.read(dialogue.free())?;
        match dialogue.hear(count) {
            Some(answers) => stream.write_all(answers)?,
            None => return Ok(()),
        }
    }
}
