//! TLS by rustls on one OS thread: an echo server and a thousand clients of it, all in the middle of their handshakes at the same moment.
//!
//! ```text
//! cargo run --release --manifest-path examples/ecosystem/Cargo.toml --bin tls_echo -- 1000
//! ```
//!
//! The server answers nobody until everybody has sent the first message of his handshake: a barrier holds them, each on its own green thread.

use std::error::Error;
use std::fs;
use std::io;
use std::time::Instant;

use greenthread::net::{TcpListener, TcpStream};
use greenthread::sync::Barrier;
use greenthread::{run, try_scope};
use greenthread_ecosystem::tls::{self, Certificate};

/// Both ends of a connection are here.
const DESCRIPTORS_EACH: u64 = 2;

/// For all else.
const OTHER_DESCRIPTORS: u64 = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let connections = std::env::args().nth(1).map_or(Ok(1000), |n| n.parse())?;
    let needed = connections as u64 * DESCRIPTORS_EACH + OTHER_DESCRIPTORS;
    let allowed = rlimit::increase_nofile_limit(needed)?;
    if allowed < needed {
        return Err(
            format!("{needed} descriptors are needed, {allowed} allowed: `ulimit -n`").into(),
        );
    }
    let began = Instant::now();
    run(|| shake_hands(connections))?;
    let (threads, took) = (os_threads()?, began.elapsed());
    println!(
        "{connections} handshakes at once and as many echoes, on {threads} OS thread(s): {took:.2?}"
    );
    Ok(())
}

/// Lets so many clients meet in their handshakes.
fn shake_hands(connections: usize) -> io::Result<()> {
    let certificate = Certificate::for_loopback()?;
    let (server, client) = (certificate.server()?, certificate.client()?);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let everybody = Barrier::new(connections);
    let met = try_scope(|s| {
        for number in 0..connections {
            let client = &client;
            s.spawn(move || {
                tls::say(
                    &mut tls::connect(address, client)?,
                    &format!("hello {number}"),
                )
            });
        }
        for _ in 0..connections {
            let (stream, _) = listener.accept()?;
            let (server, everybody) = (&server, &everybody);
            s.spawn(move || {
                wait_for(everybody, &stream)?;
                tls::echo(&mut tls::serve(stream, server)?)
            });
        }
        Ok(())
    });
    met.map_err(greenthread::ScopeError::into_first)
}

/// Until the first message of every client's handshake has come.
fn wait_for(everybody: &Barrier, stream: &TcpStream) -> io::Result<()> {
    stream.peek(&mut [0])?;
    everybody.wait().map_err(io::Error::other)?;
    Ok(())
}

/// How many OS threads this process has.
fn os_threads() -> io::Result<usize> {
    Ok(fs::read_dir("/proc/self/task")?.count())
}
