//! One of this package's own servers as a process, on a port that the system chose.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

use super::server::command;

/// A program that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    /// Killed and waited for at the end.
    child: Child,

    /// Kept open: the program may go on to say something.
    _output: BufReader<ChildStdout>,

    /// Where it listens.
    address: SocketAddr,
}

impl Program {
    /// Starts the program at `path` with `127.0.0.1:0` and what else it takes; its first line must end in its address, and perhaps a slash.
    pub(crate) fn start(path: &str, arguments: &[&str]) -> Program {
        let mut command = command(Path::new(path), None);
        command.arg("127.0.0.1:0").args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.trim_end().trim_end_matches('/').rsplit('/').next();
        let address = address.and_then(|text| text.parse().ok());
        Program {
            child,
            _output: output,
            address: address.unwrap_or_else(|| panic!("{path} said {line:?}")),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
