//! HTTP and HTTPS by [ureq 3](https://docs.rs/ureq/3), over sockets that park the green thread. Feature `ureq`.
//!
//! [`agent`] makes an ordinary [`ureq::Agent`]. All that ureq does stays as it is: its pool of connections, redirects, timeouts, proxies by `CONNECT`, and TLS by rustls
//! with the roots of `webpki-roots`, unless the configuration has others. A clone of the agent in each of a thousand green threads serves them all on one OS thread:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use greenthread::{bridge::ureq::agent, net::TcpListener, spawn};
//! use std::io::{Read, Write};
//!
//! # let listener = TcpListener::bind("127.0.0.1:0")?;
//! # let address = format!("http://{}/", listener.local_addr()?);
//! # let server = spawn(move || -> std::io::Result<()> {
//! #     let (mut stream, _) = listener.accept()?;
//! #     stream.read(&mut [0; 4096])?;
//! #     stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
//! # });
//! let agent = agent(ureq::config::Config::builder().proxy(None).build());
//! let mut answer = agent.get(&address).call()?; // parks
//! assert_eq!(answer.body_mut().read_to_string()?, "hello"); // parks, if there is more to come
//! # server.join()??;
//! # Ok(())
//! # }
//! ```
//!
//! # What to know
//! - Each call parks where a socket of ours would; a cancellation or an outer [`timeout`](crate::timeout) is raised there. The connection in use is then closed, and the agent stays usable.
//! - ureq's timeouts hold. They go by the real clock up to the wait itself, which follows virtual time.
//! - A name is looked up by [`lookup_host`](crate::net::lookup_host).
//! - ureq holds a standard lock for its pool, never across a wait of ours: what it asks a connection meanwhile (whether it is still open, and to close) does not park.
//! - TLS is rustls with ring, which takes a C compiler to build and nothing else.
//! - A proxy by SOCKS is refused, since the feature for it is ureq's own connector.
//! - ureq's `Connector` and `Resolver` may change with its minor versions, so the crate asks for `~3.5`. The rest of ureq's interface is what it says.

mod connector;
mod limit;
mod resolver;
mod transport;

use ::ureq::Agent;
use ::ureq::config::Config;
use ::ureq::unversioned::transport::{ConnectProxyConnector, Connector as _, RustlsConnector};

pub use connector::Connector;
pub use resolver::Resolver;
pub use transport::Transport;

/// Makes an agent of ureq whose waits park the green thread: over our sockets, with TLS by rustls.
///
/// Does not park. For another chain of connectors, see [`Connector`] and [`Resolver`].
pub fn agent(config: Config) -> Agent {
    let chain =
        ().chain(ConnectProxyConnector::default())
            .chain(Connector)
            .chain(RustlsConnector::default());
    Agent::with_parts(config, chain, Resolver)
}
