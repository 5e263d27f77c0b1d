//! A TCP echo server: one green thread for each connection, all on one OS thread.
//!
//! `cargo run --example echo_server [ADDRESS]`, then talk to it, for example with `nc 127.0.0.1 7777`.

use greenthread::net::Server;
use std::io;

fn main() -> io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or("127.0.0.1:7777".to_owned());
    let server = Server::bind(address)?;
    println!("echoing on {}", server.stopper().local_addr()?);
    // Until somebody has the stopper and calls `stop`. Each call is on a green thread of its own.
    server.serve(|stream, _peer| io::copy(&mut &stream, &mut &stream))
}
