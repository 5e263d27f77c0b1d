//! Opens connections for ureq: one address after the other, within its timeout.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use ureq::Error;
use ureq::config::Config;
use ureq::unversioned::transport::{ConnectionDetails, Either, LazyBuffers};
use ureq::{ProxyProtocol, unversioned::transport};

use super::limit::Limit;
use super::transport::Transport;
use crate::net::TcpStream;

/// Opens connections that park the green thread: a link for a chain of ureq's connectors.
///
/// It opens none when the link before it did already (a proxy, for one). TLS is the business of a link behind it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Connector;

impl<Before: transport::Transport> transport::Connector<Before> for Connector {
    type Out = Either<Before, Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        before: Option<Before>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(opened) = before {
            return Ok(Some(Either::A(opened)));
        }
        refuse_socks(details)?;
        let stream = connect(&details.addrs, Limit::begin(details.timeout))?;
        stream.set_nodelay(details.config.no_delay())?;
        let transport = Transport::new(Arc::new(stream.into()), buffers(details.config));
        (details.register_shutdown)(transport.shutdown_handle())?;
        Ok(Some(Either::B(transport)))
    }
}

fn buffers(config: &Config) -> LazyBuffers {
    LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size())
}

/// To connect past a proxy would be worse than not to connect.
fn refuse_socks(details: &ConnectionDetails<'_>) -> Result<(), Error> {
    let proxy = details.config.proxy();
    match proxy.filter(|proxy| !proxy.is_no_proxy(details.uri)) {
        Some(proxy) if is_socks(proxy.protocol()) => Err(Error::Io(io::Error::new(
            io::ErrorKind::Unsupported,
            "a SOCKS proxy is configured, and this agent cannot use one",
        ))),
        _ => Ok(()),
    }
}

fn is_socks(protocol: ProxyProtocol) -> bool {
    !matches!(protocol, ProxyProtocol::Http | ProxyProtocol::Https)
}

/// Tries each address for half of the time that is left, the last one for all of it; the last error otherwise.
fn connect(addresses: &[SocketAddr], limit: Limit) -> Result<TcpStream, Error> {
    let mut last = Error::HostNotFound;
    for (index, address) in addresses.iter().enumerate() {
        let is_last = index + 1 == addresses.len();
        let share = limit
            .left()?
            .map(|left| if is_last { left } else { left / 2 });
        let attempt = match share {
            Some(share) => TcpStream::connect_timeout(address, share),
            None => TcpStream::connect(address),
        };
        last = match attempt {
            Ok(stream) => return Ok(stream),
            Err(error) if share.is_some() && error.kind() == io::ErrorKind::TimedOut => {
                limit.passed()
            }
            Err(error) => Error::Io(error),
        };
    }
    Err(last)
}
