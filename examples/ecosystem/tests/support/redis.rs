//! A Redis of our own.

use super::server::{Server, command};
use super::{Folder, installed};

/// A Redis that keeps nothing on disk.
#[derive(Debug)]
pub(crate) struct Redis {
    /// Stopped before its folder goes.
    server: Server,

    /// Where it would write.
    _folder: Folder,
}

impl Redis {
    /// Starts one, if it is installed.
    pub(crate) fn start() -> Option<Redis> {
        let program = installed("redis-server")?;
        let folder = Folder::new("redis");
        let make = |address: std::net::SocketAddr| {
            let mut redis = command(&program, None);
            redis.args(["--bind", "127.0.0.1", "--port", &address.port().to_string()]);
            redis
                .args(["--save", "", "--appendonly", "no", "--dir"])
                .arg(folder.path());
            redis
        };
        let server = Server::start(make, "Ready to accept connections", "TERM");
        Some(Redis {
            server,
            _folder: folder,
        })
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        self.server.address().to_string()
    }
}
