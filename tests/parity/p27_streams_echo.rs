//! A stream server with several clients at once: lines are echoed, end of file ends a handler, and both sides close cleanly.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;

use greenthread::net::{TcpListener, TcpStream};
use greenthread::sync::Queue;
use greenthread::{gather, sleep, spawn};

use crate::log::say;
use crate::{Log, U, run};

fn client(name: &str, address: SocketAddr, units: u32) -> (Vec<String>, Vec<u8>) {
    let stream = TcpStream::connect(address).unwrap();
    let mut reader = BufReader::new(&stream);
    let mut replies = Vec::new();
    for word in ["hello", "bye"] {
        sleep(units * U);
        writeln!(&stream, "{name} {word}").unwrap();
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        replies.push(line.trim().to_owned());
    }
    stream.shutdown(Shutdown::Write).unwrap();
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    (replies, rest)
}

fn handle(stream: &TcpStream, finished: &Queue<u32>) {
    let mut count = 0;
    for line in BufReader::new(stream).lines() {
        count += 1;
        let reply = line.unwrap().to_uppercase() + "\n";
        (&mut &*stream).write_all(reply.as_bytes()).unwrap();
    }
    stream.close();
    finished.put(count).unwrap();
}

fn serve(listener: &TcpListener, finished: &Rc<Queue<u32>>) -> ErrorKind {
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                let finished = Rc::clone(finished);
                spawn(move || handle(&stream, &finished));
            }
            Err(error) => return error.kind(),
        }
    }
}

fn main(log: &Log) {
    let finished = Rc::new(Queue::unbounded());
    let listener = Rc::new(TcpListener::bind("127.0.0.1:0").unwrap());
    let address = listener.local_addr().unwrap();
    let (own, done) = (Rc::clone(&listener), Rc::clone(&finished));
    let server = spawn(move || serve(&own, &done));

    let jobs = [("ann", 3), ("ben", 2), ("cat", 1)];
    let jobs = jobs.map(|(name, units)| spawn(move || client(name, address, units)));
    for result in gather(jobs) {
        let (replies, rest) = result.unwrap();
        say!(log, "{}, then {} bytes", replies.join(", "), rest.len());
    }
    let counts = [(); 3].map(|()| finished.get().unwrap().to_string());
    say!(log, "lines per handler {}", counts.join(" "));

    listener.close();
    let ended = server.join().unwrap();
    let end = if ended == ErrorKind::NotConnected {
        "closed"
    } else {
        "serving"
    };
    say!(log, "server is {end}");
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/27_streams_echo.out"));
}
