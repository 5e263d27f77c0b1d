//! wrk beside our own load generator: does somebody else's see the same?

use std::path::Path;
use std::process::{Command, Stdio};

use crate::machine::Held;
use crate::peer::Peer;
use crate::row::{Load, Protocol};
use crate::server::{self, Server};

/// What wrk says of one server.
#[derive(Debug)]
pub struct Wrk {
    /// Requests in a second.
    pub throughput: f64,

    /// The latency that 99 % of them kept to, in its words.
    pub latency: String,
}

/// One run of a second; nothing when wrk cannot do this load.
pub fn measure(peer: &Peer, load: &Load) -> Option<Result<Wrk, String>> {
    let speaks = load.protocol == Protocol::Http && [1, 16].contains(&load.depth);
    speaks.then(|| run(peer, load))
}

fn run(peer: &Peer, load: &Load) -> Result<Wrk, String> {
    let server = Server::start(peer, load.protocol).map_err(|error| error.to_string())?;
    let mut command = Command::new("wrk");
    command.args(["--threads", "1", "--duration", "1s", "--latency"]);
    command.args(["--connections", &load.connections.to_string()]);
    if load.depth == 16 {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/wrk/sixteen.lua");
        command.arg("--script").arg(script);
    }
    command.arg(format!("http://{}/", server.address));
    let held = Held::to(server::load_core());
    let output = command.stdin(Stdio::null()).output();
    drop(held);
    let output = output.map_err(|error| format!("wrk: {error}"))?;
    read(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| "wrk failed".to_owned())
}

fn read(said: &str) -> Option<Wrk> {
    let after = |name: &str| {
        let mut lines = said.lines().map(str::trim);
        lines
            .find_map(|line| line.strip_prefix(name))
            .map(str::trim)
    };
    Some(Wrk {
        throughput: after("Requests/sec:")?.parse().ok()?,
        latency: after("99%")?.to_owned(),
    })
}
