//! `https://` addresses: ureq does HTTP and TLS, over our sockets. Compiled with the feature `ureq`.

use crate::address::Address;
use crate::client::Limits;
use crate::failure::Failure;
use greenthread::bridge::ureq::agent;
use std::io::{self, Read, Write};
use std::path::Path;
use ureq::config::Config;
use ureq::http::Response;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Error, Timeout};

/// Fetches pictures over TLS; its clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Secure {
    /// ureq's, with its pool.
    agent: Agent,
}

impl Secure {
    /// Trusts the web's authorities, or those in the file `ca` alone; keeps up to `jobs` connections.
    pub(crate) fn open(ca: Option<&Path>, limits: Limits, jobs: usize) -> Result<Self, String> {
        let roots = ca.map_or(Ok(RootCerts::WebPki), certificates)?;
        let config = Config::builder()
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(jobs)
            .max_idle_connections_per_host(jobs)
            .user_agent("greenthread-gallery")
            .accept("image/*, */*;q=0.1")
            .timeout_resolve(Some(limits.timeout))
            .timeout_connect(Some(limits.timeout))
            .timeout_per_read(Some(limits.timeout))
            .timeout_per_write(Some(limits.timeout));
        Ok(Secure {
            agent: agent(config.build()),
        })
    }

    /// Writes the picture at `address` to `sink`, and returns its size.
    pub(crate) fn fetch(
        &self,
        address: &Address,
        limit: u64,
        sink: &mut impl Write,
    ) -> Result<u64, Failure> {
        let address = format!("https://{}{}", address.authority(), address.target());
        let answer = self.agent.get(address).call().map_err(failure)?;
        match answer.status().as_u16() {
            200 => take_body(answer.into_body(), limit, sink),
            _ => Err(refusal(&answer)),
        }
    }
}

/// The certificates in a file of the usual text form.
fn certificates(file: &Path) -> Result<RootCerts, String> {
    let unfit = |reason: &str| format!("--ca {}: {reason}", file.display());
    let text = std::fs::read(file).map_err(|error| unfit(&error.to_string()))?;
    let mut found = Vec::new();
    for item in parse_pem(&text) {
        if let PemItem::Certificate(certificate) =
            item.map_err(|error| unfit(&error.to_string()))?
        {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        return Err(unfit("there is no certificate in it"));
    }
    Ok(RootCerts::new_with_certs(&found))
}

/// Copies the body to `sink`, unless it is too big, and returns its size.
fn take_body(body: Body, limit: u64, sink: &mut impl Write) -> Result<u64, Failure> {
    let declared = body.content_length();
    if declared.is_some_and(|declared| declared > limit) {
        return Err(Failure::TooBig(limit));
    }
    let mut reader = body.into_with_config().limit(u64::MAX).reader();
    let (mut came, mut piece) = (0, [0; 8 << 10]);
    loop {
        let read = reader
            .read(&mut piece)
            .map_err(|error| cut_off(error, came, declared))?;
        came += read as u64;
        match read {
            0 => return Ok(came),
            _ if came > limit => return Err(Failure::TooBig(limit)),
            _ => sink.write_all(&piece[..read]).map_err(Failure::Save)?,
        }
    }
}

/// Why a body broke off.
fn cut_off(error: io::Error, came: u64, declared: Option<u64>) -> Failure {
    match declared {
        Some(declared) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Failure::CutShort { came, declared }
        }
        None if error.kind() == io::ErrorKind::UnexpectedEof => Failure::CutOff,
        _ => failure(error.into()),
    }
}

/// Why this answer is not the picture.
fn refusal(answer: &Response<Body>) -> Failure {
    let status = answer.status();
    let location = answer.headers().get("location");
    Failure::Status {
        code: status.as_u16(),
        words: status.canonical_reason().unwrap_or_default().to_owned(),
        location: location
            .filter(|_| status.is_redirection())
            .map(|place| String::from_utf8_lossy(place.as_bytes()).into_owned()),
    }
}

/// An error of ureq's in our words.
fn failure(error: Error) -> Failure {
    match error {
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            Failure::Connect(io::Error::new(io::ErrorKind::TimedOut, "the time was up"))
        }
        Error::Timeout(_) => Failure::Silence,
        Error::Io(error) if is_of_connecting(error.kind()) => Failure::Connect(error),
        Error::Io(error) => Failure::Https(error.to_string()),
        other => Failure::Https(other.to_string()),
    }
}

fn is_of_connecting(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
    matches!(
        kind,
        ConnectionRefused | HostUnreachable | NetworkUnreachable
    )
}
