//! tokio's current-thread runtime: a task for each connection.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

use super::dialogue::Dialogue;
use super::{PIECE, listen};

/// Echoes.
pub fn echo() -> ! {
    serve(|stream| drop(tokio::spawn(echo_to(stream))))
}

/// Answers HTTP requests, with httparse.
pub fn http() -> ! {
    serve(|stream| drop(tokio::spawn(answer(stream))))
}

/// Hands every connection to `each`, which spawns its task.
pub(super) fn serve(each: impl Fn(TcpStream)) -> ! {
    let runtime = Builder::new_current_thread().enable_io().build();
    runtime.expect("a runtime").block_on(async {
        let listener = TcpListener::from_std(listen()).expect("a runtime");
        loop {
            let (stream, _) = listener.accept().await.expect("a client");
            stream.set_nodelay(true).expect("a TCP socket");
            each(stream);
        }
    })
}

async fn echo_to(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; PIECE];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            count => stream.write_all(&buffer[..count]).await?,
        }
    }
}

async fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut dialogue = Dialogue::new();
    loop {
        let count = stream.read(dialogue.free()).await?;
        match dialogue.hear(count) {
            Some(answers) => stream.write_all(answers).await?,
            None => return Ok(()),
        }
    }
}
