//! One measurement of a server: what a request costs it, and what the load generator sees meanwhile.

use std::io;
use std::sync::OnceLock;

use crate::load::Clients;
use crate::machine::{self, Held};
use crate::outcome::Traffic;
use crate::peer::Peer;
use crate::row::Load;
use crate::server::{self, Server};

/// Descriptors beside the connections.
const OTHERS: u64 = 64;

/// Microseconds of CPU time for each of so many requests, and the traffic.
pub fn measure(peer: &Peer, load: &Load, requests: u64) -> Result<(f64, Traffic), String> {
    served(peer, load, requests).map_err(|error| error.to_string())
}

fn served(peer: &Peer, load: &Load, requests: u64) -> io::Result<(f64, Traffic)> {
    enough_descriptors(load)?;
    let server = Server::start(peer, load.protocol)?;
    driven(&server, load, requests)
}

/// The same for a server that runs.
pub fn driven(server: &Server, load: &Load, requests: u64) -> io::Result<(f64, Traffic)> {
    let _held = Held::to(server::load_core());
    let mut clients = Clients::connect(server.address, load)?;
    clients.drive(requests / 10)?;
    let before = server.cpu()?;
    let report = clients.drive(requests)?;
    let spent = server.cpu()? - before;
    let traffic = Traffic {
        throughput: report.throughput(),
        latencies: [0.5, 0.99, 0.999].map(|part| report.latency(part)),
    };
    let each = spent.as_nanos() as f64 / 1000.0 / report.requests as f64;
    Ok((each, traffic))
}

/// The most connections that the limit of descriptors leaves room for.
pub fn most_connections() -> u64 {
    static LIMIT: OnceLock<u64> = OnceLock::new();
    LIMIT.get_or_init(machine::raise_descriptors) - OTHERS
}

fn enough_descriptors(load: &Load) -> io::Result<()> {
    let most = most_connections();
    if load.connections as u64 <= most {
        return Ok(());
    }
    let needed = load.connections;
    Err(io::Error::other(format!(
        "{needed} connections do not fit: the limit of descriptors leaves room for {most}"
    )))
}
