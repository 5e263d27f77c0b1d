//! Chat rooms over WebSocket: tungstenite on our sockets, a broadcast channel for each room, all on one OS thread.
//!
//! ```text
//! cargo run --release --manifest-path examples/ecosystem/Cargo.toml --bin chat -- 127.0.0.1:8090 256
//! ```
//!
//! Then connect to `ws://127.0.0.1:8090/ROOM/NAME` with whatever speaks WebSocket, and say something. Whoever is too slow for its room is told how many
//! messages it has missed: a room keeps the newest, 256 here. What the server itself says begins with `*`.
//! `line` says how two green threads share one connection.

mod guest;
mod line;
mod rooms;

use std::error::Error;

use greenthread::net::Server;
use rooms::Rooms;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or("127.0.0.1:8090".to_owned());
    let kept = arguments.next().map_or(Ok(256), |kept| kept.parse())?;
    let server = Server::bind(address)?;
    println!("listening on {}", server.stopper().local_addr()?);
    let rooms = Rooms::new(kept);
    // How a connection ends is its guest's business.
    server.serve(|stream, _| drop(guest::welcome(stream, &rooms)))?;
    Ok(())
}
