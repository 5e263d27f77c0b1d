//! How many system calls an echo request costs, counted by strace from outside.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use greenthread::net::TcpListener;
use greenthread::spawn;

use crate::child;

const REQUESTS: usize = 500;

/// Beyond what requests cost: set up, accept, the end of each connection.
const SLACK: usize = 20;

/// The child: serves as many connections as its role says, on one OS thread, until each has ended.
fn serve(connections: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("\naddress {}", listener.local_addr().unwrap());
    let echo = |stream: greenthread::net::TcpStream| {
        let mut buffer = [0; 1024];
        loop {
            match (&stream).read(&mut buffer).unwrap() {
                0 => return,
                n => (&stream).write_all(&buffer[..n]).unwrap(),
            }
        }
    };
    let serving: Vec<_> = (0..connections)
        .map(|_| listener.accept().unwrap().0)
        .map(|stream| spawn(move || echo(stream)))
        .collect();
    for served in serving {
        served.join().unwrap();
    }
}

/// Sends one request on each connection, then reads all answers; `REQUESTS` times.
fn ask(address: SocketAddr, connections: usize) {
    let connect = |_| TcpStream::connect(address).unwrap();
    let mut streams: Vec<_> = (0..connections).map(connect).collect();
    for round in 0..REQUESTS {
        let request = [round as u8; 100];
        for stream in &mut streams {
            stream.write_all(&request).unwrap();
        }
        for stream in &mut streams {
            let mut answer = [0; 100];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(answer, request);
        }
    }
}

/// How often a server for `connections` called what; `None` when there is no strace.
fn count(name: &str, connections: usize) -> Option<HashMap<String, usize>> {
    let log = scratch(name);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "signal=none", "-o"]);
    strace.arg(&log).arg(std::env::current_exe().unwrap());
    let server = child::run_in(strace, name, &connections.to_string())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut server) = server else {
        eprintln!("skipped: {name}: strace is not installed");
        return None;
    };
    let lines = BufReader::new(server.stdout.as_mut().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap);
    let Some(line) = lines.find(|line| line.starts_with("address ")) else {
        server.wait().unwrap();
        eprintln!("skipped: {name}: strace may not trace here");
        return None;
    };
    ask(line["address ".len()..].parse().unwrap(), connections);
    lines.for_each(drop);
    assert!(server.wait().unwrap().success());
    let counts = read_counts(&log);
    std::fs::remove_file(&log).unwrap();
    Some(counts)
}

fn scratch(name: &str) -> PathBuf {
    let file = format!("{}-{}", name.replace("::", "-"), std::process::id());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(file)
}

/// Lines such as `1234 recvfrom(5, ..`; a call that was interrupted by another's line is counted where it begins.
fn read_counts(log: &Path) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for line in std::fs::read_to_string(log).unwrap().lines() {
        let call = line.split_once(' ').map_or("", |(_, call)| call.trim());
        if let Some((name, _)) = call.split_once('(')
            && !name.contains(' ')
        {
            *counts.entry(name.to_owned()).or_default() += 1;
        }
    }
    counts
}

fn assert_at_most(counts: &HashMap<String, usize>, call: &str, wanted: usize) {
    let counted = counts.get(call).copied().unwrap_or(0);
    assert!(
        counted <= wanted + SLACK,
        "{call}: {counted}, not {wanted}: {counts:?}"
    );
}

#[test]
#[apply(once)]
fn d7_an_echo_request_costs_one_read_one_write_and_at_most_one_poll() {
    if let Some(role) = child::role() {
        return serve(role.parse().unwrap());
    }
    let name = "syscalls::d7_an_echo_request_costs_one_read_one_write_and_at_most_one_poll";
    let Some(counts) = count(name, 1) else {
        return;
    };
    // A request that is there before the server asks for it costs no poll.
    for call in ["recvfrom", "sendto", "epoll_wait"] {
        assert_at_most(&counts, call, REQUESTS);
    }
    for call in ["epoll_ctl", "futex", "ioctl"] {
        assert_at_most(&counts, call, 0);
    }
}

#[test]
#[apply(once)]
fn d7_requests_of_one_turn_share_a_poll() {
    const CONNECTIONS: usize = 16;
    if let Some(role) = child::role() {
        return serve(role.parse().unwrap());
    }
    let name = "syscalls::d7_requests_of_one_turn_share_a_poll";
    let Some(counts) = count(name, CONNECTIONS) else {
        return;
    };
    let requests = REQUESTS * CONNECTIONS;
    // Everybody is answered before the next round begins, so the short read that ends a round stands before an empty socket; a connection ends with one more.
    assert_at_most(&counts, "recvfrom", requests + 2 * CONNECTIONS);
    assert_at_most(&counts, "sendto", requests);
    assert_at_most(&counts, "epoll_ctl", CONNECTIONS);
    let polls = counts["epoll_wait"];
    assert!(polls < requests / 2, "{counts:?}");
    let (read, written) = (counts["recvfrom"], counts["sendto"]);
    eprintln!("{requests} requests: {read} reads, {written} writes, {polls} polls");
}
