//! A server under measurement: a process of its own, held to one core, ended when this is dropped.

use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::machine::{self, Cores, Held};
use crate::peer::Peer;
use crate::row::Protocol;

/// A running server.
#[derive(Debug)]
pub struct Server {
    /// Its process.
    child: Child,

    /// Where it listens.
    pub address: SocketAddr,
}

/// The core of the servers.
pub fn core() -> usize {
    Cores::allowed().numbers()[0]
}

/// The core of the load generator: the same one where there is no other.
pub fn load_core() -> usize {
    *Cores::allowed().numbers().last().expect("it runs on one")
}

impl Server {
    /// Starts a peer's server on the servers' core.
    pub fn start(peer: &Peer, protocol: Protocol) -> io::Result<Self> {
        let _held = Held::to(core());
        Server::start_by(peer.command(protocol.name(), 0))
    }

    /// Starts a server, which says its port as its first line, on the cores of the OS thread that calls.
    pub fn start_by(mut command: Command) -> io::Result<Self> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn()?;
        let mut line = String::new();
        if let Some(said) = child.stdout.take() {
            BufReader::new(said).read_line(&mut line)?;
        }
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut server = Server {
            child,
            address: nowhere,
        };
        let port = line.trim().parse();
        let port = port.map_err(|_| io::Error::other("the server said no port"))?;
        server.address.set_port(port);
        Ok(server)
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// CPU time that it has used.
    pub fn cpu(&self) -> io::Result<Duration> {
        machine::cpu_of(self.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
