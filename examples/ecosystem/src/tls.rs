//! TLS on our sockets: rustls needs nothing but `Read + Write`.
//!
//! [`rustls::StreamOwned`] reads and writes a [`TcpStream`] as it would one of std's; each wait inside it parks the green thread. It takes `&mut` for both
//! directions: one green thread drives a connection.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use greenthread::net::TcpStream;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use rustls::{StreamOwned, crypto};

/// Our end of a connection as the server.
pub type ServerStream = StreamOwned<ServerConnection, TcpStream>;

/// Our end of a connection as the client.
pub type ClientStream = StreamOwned<ClientConnection, TcpStream>;

/// A certificate for the loopback that vouches for itself, and its key.
#[derive(Debug)]
pub struct Certificate {
    /// For those who check it.
    pub public: CertificateDer<'static>,

    /// The same as text, as files hold it.
    pub pem: String,

    /// For the server.
    key: PrivateKeyDer<'static>,
}

impl Certificate {
    /// Makes one for `localhost` and `127.0.0.1`.
    ///
    /// # Errors
    /// When no key could be made.
    pub fn for_loopback() -> io::Result<Self> {
        let names = ["localhost", "127.0.0.1"].map(String::from);
        let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
        Ok(Certificate {
            public: made.cert.der().clone(),
            pem: made.cert.pem(),
            key: made.signing_key.into(),
        })
    }

    /// What a server that shows it needs.
    ///
    /// # Errors
    /// When rustls refuses it.
    pub fn server(&self) -> io::Result<Arc<ServerConfig>> {
        let chain = vec![self.public.clone()];
        let config = ServerConfig::builder_with_provider(ring())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(chain, self.key.clone_key())
            .map_err(io::Error::other)?;
        Ok(Arc::new(config))
    }

    /// What a client that trusts it, and nothing else, needs.
    ///
    /// # Errors
    /// When rustls refuses it.
    pub fn client(&self) -> io::Result<Arc<ClientConfig>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.public.clone()).map_err(io::Error::other)?;
        let config = ClientConfig::builder_with_provider(ring())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

fn ring() -> Arc<crypto::CryptoProvider> {
    Arc::new(crypto::ring::default_provider())
}

/// Begins TLS as the server; the first read or write shakes hands.
///
/// # Errors
/// When rustls refuses the configuration.
pub fn serve(stream: TcpStream, config: &Arc<ServerConfig>) -> io::Result<ServerStream> {
    let tls = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    Ok(StreamOwned::new(tls, stream))
}

/// Connects, and begins TLS with whoever calls itself `localhost`; the first read or write shakes hands.
///
/// # Errors
/// When there is no connection.
pub fn connect(address: SocketAddr, config: &Arc<ClientConfig>) -> io::Result<ClientStream> {
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    let tls = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    Ok(StreamOwned::new(tls, TcpStream::connect(address)?))
}

/// Sends back all that comes, and says goodbye after the client did; returns how many bytes it were.
///
/// # Errors
/// When the client is no client of TLS, or goes without goodbye (`UnexpectedEof`).
pub fn echo(tls: &mut ServerStream) -> io::Result<usize> {
    let mut buffer = [0; 4096];
    let mut echoed = 0;
    loop {
        let read = tls.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        tls.write_all(&buffer[..read])?;
        echoed += read;
    }
    tls.conn.send_close_notify();
    tls.flush()?;
    Ok(echoed)
}

/// Sends `text`, hears it back, and parts in order.
///
/// # Errors
/// When shaking hands fails, something else comes back (`InvalidData`), or the server goes without goodbye (`UnexpectedEof`).
pub fn say(tls: &mut ClientStream, text: &str) -> io::Result<()> {
    tls.write_all(text.as_bytes())?;
    tls.flush()?;
    let mut heard = vec![0; text.len()];
    tls.read_exact(&mut heard)?;
    tls.conn.send_close_notify();
    tls.flush()?;
    tls.read_to_end(&mut heard)?;
    if heard != text.as_bytes() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(())
}
