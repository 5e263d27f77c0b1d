//! A TCP echo server, as one would write it with OS threads: here, all connections share one.
//!
//! `cargo run --example echo_server [ADDRESS]`, then talk to it, for example with `nc 127.0.0.1 7777`.

use greenthread::net::TcpListener;
use std::io;
use std::time::Duration;

fn main() -> io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or("127.0.0.1:7777".to_owned());
    let listener = TcpListener::bind(address)?;
    println!("echoing on {}", listener.local_addr()?);
    for connection in listener.incoming() {
        match connection {
            // The handle is dropped: the green thread goes on by itself.
            Ok(stream) => drop(greenthread::spawn(move || {
                io::copy(&mut &stream, &mut &stream)
            })),
            Err(error) => {
                eprintln!("echo_server: {error}");
                greenthread::sleep(Duration::from_millis(100));
            }
        }
    }
    Ok(())
}
