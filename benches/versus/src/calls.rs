//! System calls of a server, counted by strace in a run of its own.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use crate::load::Clients;
use crate::machine::Held;
use crate::peer::Peer;
use crate::process;
use crate::row::Load;
use crate::server::{self, Server};

/// Requests in one counting; fewer when they take longer than the load generator's patience.
const REQUESTS: u64 = 20_000;

/// Calls rarer than this, of one request, are left out.
const RARE: f64 = 0.005;

/// System calls of one request, the most frequent first.
#[derive(Debug)]
pub struct Calls(Vec<(String, f64)>);

impl Calls {
    /// All kinds together.
    pub fn total(&self) -> f64 {
        self.0.iter().map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self
            .0
            .iter()
            .map(|(name, count)| format!("{name} {count:.2}"));
        write!(
            f,
            "{:.2}: {}",
            self.total(),
            each.collect::<Vec<_>>().join(", ")
        )
    }
}

/// Counts the calls of one peer's server under a load.
pub fn count(peer: &Peer, load: &Load) -> Result<Calls, String> {
    counted(peer, load).map_err(|error| error.to_string())
}

fn counted(peer: &Peer, load: &Load) -> std::io::Result<Calls> {
    let server = Server::start(peer, load.protocol)?;
    let held = Held::to(server::load_core());
    let mut clients = Clients::connect(server.address, load)?;
    let mut strace = attach(&server)?;
    let report = clients.drive(REQUESTS)?;
    process::interrupt(strace.id());
    let mut said = String::new();
    if let Some(mut output) = strace.stdout.take() {
        output.read_to_string(&mut said)?;
    }
    strace.wait()?;
    drop(held);
    Ok(read(&said, report.requests))
}

/// Starts strace, and waits until it has hold of the server.
fn attach(server: &Server) -> std::io::Result<Child> {
    let mut command = Command::new("strace");
    command.args([
        "-f",
        "-c",
        "-o",
        "/dev/stdout",
        "-p",
        &server.id().to_string(),
    ]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let held = Held::to(server::core());
    let strace = command.stderr(Stdio::piped()).spawn();
    drop(held);
    let mut strace = strace.map_err(|error| std::io::Error::other(format!("strace: {error}")))?;
    let mut line = String::new();
    if let Some(complaints) = &mut strace.stderr {
        BufReader::with_capacity(1, complaints).read_line(&mut line)?;
    }
    if line.contains("attached") {
        return Ok(strace);
    }
    strace.wait()?;
    Err(std::io::Error::other(line.trim().to_owned()))
}

/// Reads strace's table: share, seconds, microseconds, calls, perhaps errors, name.
fn read(said: &str, requests: u64) -> Calls {
    let line = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let count: f64 = words.get(3)?.parse().ok()?;
        let name = (*words.last()?).to_owned();
        (name != "total").then_some((name, count / requests as f64))
    };
    let calls = said.lines().filter_map(line);
    let mut calls: Vec<_> = calls.filter(|(_, count)| *count >= RARE).collect();
    calls.sort_by(|a, b| b.1.total_cmp(&a.1));
    Calls(calls)
}
