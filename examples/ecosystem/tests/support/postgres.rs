//! A PostgreSQL cluster of our own, made and run by a user other than root.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use super::server::{Server, command};
use super::{Folder, installed_among, is_root};

/// Who may run the server when we are root.
const USER: &str = "postgres";

/// A cluster in a folder that goes with it.
#[derive(Debug)]
pub(crate) struct Postgres {
    /// Stopped before its folder goes.
    server: Server,

    /// The cluster.
    _folder: Folder,
}

impl Postgres {
    /// Makes a cluster and starts its server, if that is installed.
    pub(crate) fn start() -> Option<Postgres> {
        let places = places();
        let initdb = installed_among("initdb", &places)?;
        let program = installed_among("postgres", &places)?;
        let folder = Folder::new("postgres");
        let cluster = folder.path().join("cluster");
        if is_root() {
            run(Command::new("chown").arg(USER).arg(folder.path()));
        }
        let mut init = command(&initdb, Some(USER));
        run(init
            .args([
                "--auth=trust",
                "--username=green",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync",
                "--pgdata",
            ])
            .arg(&cluster));
        let make = |address: SocketAddr| {
            let mut server = command(&program, Some(USER));
            server.arg("-D").arg(&cluster);
            for setting in settings(address) {
                server.args(["-c", &setting]);
            }
            server
        };
        // SIGINT: connections are cut and it stops in order.
        let server = Server::start(make, "ready to accept connections", "INT");
        Some(Postgres {
            server,
            _folder: folder,
        })
    }

    /// Host and port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

fn settings(address: SocketAddr) -> [String; 5] {
    [
        format!("listen_addresses={}", address.ip()),
        format!("port={}", address.port()),
        String::from("unix_socket_directories="),
        String::from("fsync=off"),
        String::from("lc_messages=C"),
    ]
}

/// Where Debian puts the server's programs, one folder a version.
fn places() -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let folders = versions.flatten().map(|version| version.path().join("bin"));
    folders.collect()
}

fn run(command: &mut Command) {
    // From a folder that the other user can enter.
    let done = command.current_dir("/").output().unwrap();
    assert!(
        done.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}
