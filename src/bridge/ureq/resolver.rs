//! Looks names up for ureq, without holding the OS thread up.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{self, DefaultResolver, ResolvedSocketAddrs};
use ureq::unversioned::transport::NextTimeout;

use super::limit::Limit;
use crate::blocking::spawn::spawn_blocking;
use crate::thread::join::JoinHandle;

/// As many addresses as ureq's list holds.
const MOST: usize = 16;

/// Looks names up on the pool of [`spawn_blocking`](crate::spawn_blocking); the green thread parks meanwhile.
///
/// When ureq's timeout passes, or the green thread is cancelled, nobody waits for the answer any more; the pool's OS thread still does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resolver;

impl resolver::Resolver for Resolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = look_up(host_and_port(uri)?, Limit::begin(timeout))?;
        let mut wanted = self.empty();
        for address in config.ip_family().keep_wanted(found.into_iter()).take(MOST) {
            wanted.push(address);
        }
        if wanted.is_empty() {
            return Err(Error::HostNotFound);
        }
        Ok(wanted)
    }
}

/// What is to be looked up, with the scheme's own port when the address says none.
fn host_and_port(uri: &Uri) -> Result<String, Error> {
    let bad = |what: &str| Error::BadUri(format!("{uri} {what}"));
    let scheme = uri.scheme().ok_or_else(|| bad("is missing scheme"))?;
    let authority = uri.authority().ok_or_else(|| bad("is missing host"))?;
    DefaultResolver::host_and_port(scheme, authority).ok_or_else(|| bad("has an unknown scheme"))
}

fn look_up(name: String, limit: Limit) -> Result<Vec<SocketAddr>, Error> {
    if let Ok(address) = name.parse() {
        return Ok(vec![address]);
    }
    let asked = spawn_blocking(move || name.to_socket_addrs().map(Vec::from_iter));
    Ok(answer(asked, limit)??)
}

/// Waits for the answer as long as ureq lets it.
fn answer<T>(asked: JoinHandle<T>, limit: Limit) -> Result<T, Error> {
    let joined = match limit.left()? {
        None => asked.join(),
        Some(left) => asked.join_timeout(left).map_err(|_| limit.passed())?,
    };
    joined.map_err(|error| Error::Io(io::Error::from(error)))
}
