//! Looks names up for ureq, without holding the OS thread up.

use std::net::SocketAddr;
use std::vec;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{self, DefaultResolver, ResolvedSocketAddrs};
use ureq::unversioned::transport::NextTimeout;

use super::limit::Limit;
use crate::net::lookup_host;
use crate::thread::timeout::timeout;

/// As many addresses as ureq's list holds.
const MOST: usize = 16;

/// Looks names up by [`lookup_host`]; the green thread parks meanwhile.
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
        let found = look_up(&host_and_port(uri)?, Limit::begin(timeout))?;
        let mut wanted = self.empty();
        for address in config.ip_family().keep_wanted(found).take(MOST) {
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

/// Waits for the answer as long as ureq lets it.
fn look_up(name: &str, limit: Limit) -> Result<vec::IntoIter<SocketAddr>, Error> {
    let found = match limit.left()? {
        None => lookup_host(name),
        Some(left) => timeout(left, || lookup_host(name)).map_err(|_| limit.passed())?,
    };
    Ok(found?)
}
