//! A TCP echo server: one green thread for each connection, all on one OS thread.
//!
//! `cargo run --example echo_server [ADDRESS]`, then talk to it, for example with `nc 127.0.0.1 7777`. At Ctrl-C it takes nobody any more, and gives those whom it serves five
//! seconds to end.

use greenthread::net::{Server, Stopper};
use greenthread::{signal, spawn};
use std::io;
use std::time::Duration;

/// How long connections have to end, once it is to stop.
const GRACE: Duration = Duration::from_secs(5);

fn stop_at_ctrl_c(stopper: &Stopper) {
    match signal::ctrl_c() {
        Ok(()) => stopper.stop(GRACE),
        Err(error) => eprintln!("Ctrl-C will just end it: {error}"),
    }
}

fn main() -> io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or("127.0.0.1:7777".to_owned());
    let server = Server::bind(address)?;
    let stopper = server.stopper();
    println!("echoing on {}", stopper.local_addr()?);
    spawn(move || stop_at_ctrl_c(&stopper));
    // Each call is on a green thread of its own.
    server.serve(|stream, _peer| io::copy(&mut &stream, &mut &stream))
}
