//! may with one worker: a coroutine for each connection.

#![expect(unsafe_code, reason = "may's spawn is unsafe")]

use std::io::{self, Read, Write};

use may::coroutine;
use may::net::{TcpListener, TcpStream};

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
    may::config().set_workers(1);
    let listener = TcpListener::bind(ANYWHERE).expect("a free port");
    say(listener.local_addr().expect("a bound listener"));
    loop {
        let (stream, _) = listener.accept().expect("a client");
        // SAFETY: may asks that the closure uses no thread-locals and fits its stack.
        drop(unsafe { coroutine::spawn(move || drop(each(stream))) });
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
