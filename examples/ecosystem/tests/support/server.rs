//! A server process: ready when it says so, stopped by its process id.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use super::is_root;

/// How often another port is tried, when somebody else was quicker to take the one that was free.
const TRIES: u32 = 5;

/// A server that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    /// The process itself: what starts it under another user's name becomes it.
    child: Child,

    /// Where it listens.
    address: SocketAddr,

    /// What stops it in order.
    signal: &'static str,

    /// Reads what it goes on to say, so that it never waits for us.
    listener: Option<JoinHandle<()>>,
}

/// The command for `program`, which ends when we do; under the name of `user` if there is one.
pub(crate) fn command(program: &Path, user: Option<&str>) -> Command {
    let mut command = Command::new("setpriv");
    if let Some(user) = user.filter(|_| is_root()) {
        command.args([
            &format!("--reuid={user}"),
            &format!("--regid={user}"),
            "--init-groups",
        ]);
    }
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

impl Server {
    /// Starts what `make` gives for a free port of the loopback, and waits until it says `ready`.
    pub(crate) fn start(
        make: impl Fn(SocketAddr) -> Command,
        ready: &str,
        signal: &'static str,
    ) -> Server {
        let mut said = String::new();
        for _ in 0..TRIES {
            match Server::try_start(&make, ready, signal) {
                Ok(server) => return server,
                Err(output) => said = output,
            }
        }
        panic!("the server does not start: {said}");
    }

    /// What it said, when it ended instead.
    fn try_start(
        make: &impl Fn(SocketAddr) -> Command,
        ready: &str,
        signal: &'static str,
    ) -> Result<Server, String> {
        let address = free_address();
        let (output, input) = std::io::pipe().unwrap();
        let mut command = make(address);
        command.stdin(Stdio::null());
        command.stdout(input.try_clone().unwrap()).stderr(input);
        let mut child = command.spawn().unwrap();
        // Its copies of the pipe's end would keep the pipe open.
        drop(command);
        let mut output = BufReader::new(output);
        let mut said = String::new();
        while !said.contains(ready) {
            if output.read_line(&mut said).unwrap() == 0 {
                let _ = child.kill();
                let _ = child.wait();
                return Err(said);
            }
        }
        let listener = thread::spawn(move || drop(output.read_to_end(&mut Vec::new())));
        Ok(Server {
            child,
            address,
            signal,
            listener: Some(listener),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

/// An address of the loopback that was free a moment ago.
pub(crate) fn free_address() -> SocketAddr {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    probe.local_addr().unwrap()
}

/// Sends a signal to a process that we have started and not waited for.
pub(crate) fn signal(name: &str, pid: u32) {
    let sent = Command::new("sh")
        .args(["-c", &format!("kill -{name} {pid}")])
        .status();
    assert!(sent.unwrap().success());
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            signal(self.signal, self.child.id());
        }
        let _ = self.child.wait();
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}
