//! Addresses and names: what may be given to `bind` and `connect`, and how a name is looked up without holding up an OS thread.

use std::io;
use std::net::{self, IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::{iter, option, slice, vec};

use crate::blocking::spawn::spawn_blocking;
use crate::sched::source::refuse_in_unwind;

/// What can be turned into addresses: [`std::net::ToSocketAddrs`] whose names park the green thread.
///
/// The same forms as std's: a [`SocketAddr`], `"host:port"`, `("host", port)`, `(IpAddr, port)`, a slice of addresses, and references to them. What is an
/// address already is parsed at once; a name is looked up by the system (`getaddrinfo`) on the pool of [`spawn_blocking`], and only
/// the green thread waits.
///
/// It is a trait of its own because std's gives no way to tell a name from an address before the OS thread blocks. A type that has only std's is given as what that returns:
/// `&address.to_socket_addrs()?.collect::<Vec<_>>()[..]`.
///
/// # Examples
/// ```
/// use greenthread::net::ToSocketAddrs;
/// let mut addresses = ("127.0.0.1", 80).to_socket_addrs()?;
/// assert_eq!(addresses.next(), Some(([127, 0, 0, 1], 80).into()));
/// # std::io::Result::Ok(())
/// ```
pub trait ToSocketAddrs {
    /// The addresses, in the order in which they are to be tried.
    type Iter: Iterator<Item = SocketAddr>;

    /// Returns the addresses.
    ///
    /// Parks while a name is looked up. A cancellation is raised there; the lookup goes on by itself and its answer is dropped. On the root and on a plain OS thread the
    /// wait runs the event loop.
    ///
    /// # Errors
    /// The resolver's, with the name that it was about; `InvalidInput` for what is neither address nor name and port.
    fn to_socket_addrs(&self) -> io::Result<Self::Iter>;
}

/// Looks a name up, and returns its addresses in the order in which they are to be tried.
///
/// The name comes with a port, as in `"localhost:80"` or `("localhost", 80)`; what is an address already is returned as it is. [`TcpStream::connect`](super::TcpStream::connect) and
/// the others look names up themselves.
///
/// Parks as [`ToSocketAddrs::to_socket_addrs`] does; [`timeout`](crate::timeout()) bounds it.
///
/// # Errors
/// The resolver's, with the name that it was about; `InvalidInput` for what is neither address nor name and port.
///
/// # Examples
/// ```
/// let loopback = greenthread::net::lookup_host("127.0.0.1:80")?.next().unwrap();
/// assert!(loopback.ip().is_loopback());
/// # std::io::Result::Ok(())
/// ```
pub fn lookup_host(host: impl ToSocketAddrs) -> io::Result<vec::IntoIter<SocketAddr>> {
    let addresses: Vec<SocketAddr> = host.to_socket_addrs()?.collect();
    Ok(addresses.into_iter())
}

/// Runs `f` with one address after the other until it succeeds; the last error otherwise.
pub(super) fn each_address<R>(
    addresses: impl ToSocketAddrs,
    mut f: impl FnMut(SocketAddr) -> io::Result<R>,
) -> io::Result<R> {
    let mut last = invalid("there is no address to try");
    for address in addresses.to_socket_addrs()? {
        match f(address) {
            Ok(done) => return Ok(done),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

/// The addresses of a name, or of an address that is written as one.
fn of_host(host: &str, port: u16) -> io::Result<vec::IntoIter<SocketAddr>> {
    match host.parse::<IpAddr>() {
        Ok(address) => Ok(vec![SocketAddr::new(address, port)].into_iter()),
        Err(_) => resolve(host, port),
    }
}

/// `"address:port"` or `"host:port"`.
fn of_text(text: &str) -> io::Result<vec::IntoIter<SocketAddr>> {
    if let Ok(address) = text.parse() {
        return Ok(vec![address].into_iter());
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(invalid(&format!(
            "{text:?} has no port: \"host:port\" is wanted"
        )));
    };
    match port.parse() {
        Ok(port) => resolve(host, port),
        Err(_) => Err(invalid(&format!(
            "{port:?} in {text:?} is no port: 0 to 65535 is"
        ))),
    }
}

/// Asks the system, on an OS thread that may block.
fn resolve(host: &str, port: u16) -> io::Result<vec::IntoIter<SocketAddr>> {
    refuse_in_unwind()?;
    let name = host.to_owned();
    let lookup = spawn_blocking(move || net::ToSocketAddrs::to_socket_addrs(&(&*name, port)));
    let answer = lookup.cancel_on_drop().join();
    let answer = answer.unwrap_or_else(|error| Err(error.into()));
    answer.map_err(|error| {
        let text = format!("cannot look up the name {host:?}: {error}");
        io::Error::new(error.kind(), text)
    })
}

/// What is an address already.
macro_rules! addresses {
    ($($form:ty),*) => {$(
        impl ToSocketAddrs for $form {
            type Iter = option::IntoIter<SocketAddr>;

            fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
                Ok(Some(SocketAddr::from(*self)).into_iter())
            }
        }
    )*};
}

addresses!(SocketAddr, SocketAddrV4, SocketAddrV6);
addresses!((IpAddr, u16), (Ipv4Addr, u16), (Ipv6Addr, u16));

/// What may be a name; `$addresses` is a function of it.
macro_rules! names {
    ($($form:ty: $addresses:expr),*) => {$(
        impl ToSocketAddrs for $form {
            type Iter = vec::IntoIter<SocketAddr>;

            fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
                $addresses(self)
            }
        }
    )*};
}

names!(
    str: of_text,
    String: |text: &String| of_text(text),
    (&str, u16): |(host, port): &(&str, u16)| of_host(host, *port),
    (String, u16): |(host, port): &(String, u16)| of_host(host, *port)
);

impl<'a> ToSocketAddrs for &'a [SocketAddr] {
    type Iter = iter::Copied<slice::Iter<'a, SocketAddr>>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        Ok(self.iter().copied())
    }
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {
    type Iter = T::Iter;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        (**self).to_socket_addrs()
    }
}
