//! greenthread: a green thread for each connection.

use std::io::{self, Read, Write};

use greenthread::channel::unbounded;
use greenthread::net::{Server, TcpListener, TcpStream};
use greenthread::{Runtime, gather};

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

/// Answers HTTP requests on workers, which get their connections from one listener.
pub fn http_shared(workers: usize) -> ! {
    let server = Server::bind(ANYWHERE).expect("a free port");
    say(server.stopper().local_addr().expect("a bound listener"));
    let served = server.workers(workers).serve(|stream, _| answer(stream));
    unreachable!("nobody stops it: {served:?}")
}

/// Answers HTTP requests on workers, each of which has a listener of its own on the same port.
pub fn http_each(workers: usize) -> ! {
    let runtime = Runtime::builder().workers(workers).build();
    let runtime = runtime.expect("workers");
    let first = TcpListener::bind_reuse_port(ANYWHERE).expect("a free port");
    let address = first.local_addr().expect("a bound listener");
    let (listens, heard) = unbounded();
    let served = runtime.run(|| {
        let all = runtime.run_on_each(move |_| -> () {
            let listener = TcpListener::bind_reuse_port(address).expect("the same port");
            listens.send(()).expect("somebody hears");
            accept_all(&listener, answer)
        });
        (0..workers).for_each(|_| heard.recv().expect("a worker listens"));
        // It only found the port: the kernel must send nobody there.
        drop(first);
        say(address);
        gather(all)
    });
    unreachable!("nobody stops it: {served:?}")
}

fn serve(each: fn(TcpStream) -> io::Result<()>) -> ! {
    let listener = TcpListener::bind(ANYWHERE).expect("a free port");
    say(listener.local_addr().expect("a bound listener"));
    accept_all(&listener, each)
}

fn accept_all(listener: &TcpListener, each: fn(TcpStream) -> io::Result<()>) -> ! {
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
