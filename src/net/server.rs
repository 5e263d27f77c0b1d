//! A TCP server: one green thread for each connection, as many as it is told, until it is stopped.
//!
//! ```text
//!   take a seat ─▶ accept ─▶ a child of the scope runs the handler, and gives the seat back ─┐
//!        ▲             │ no descriptor left: wait for somebody to leave, or a while          │
//!        └─────────────┴──────────────────────────────────────────────────────── yield ◀─────┘
//!   stopped: seats and listener are closed ─▶ wait for the last to leave, or the grace ─▶ cancel the scope ─▶ its end
//! ```
//!
//! The seat comes before the connection: whoever finds none waits in the kernel's line, where he costs no descriptor.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::address::ToSocketAddrs;
use super::listener::TcpListener;
use super::seats::{Seat, Seats};
use super::stream::TcpStream;
use super::visitors::{Visit, Visitors};
use crate::thread::caught::resume_if_cancelled;
use crate::thread::current::yield_now;
use crate::thread::report;
use crate::thread::scope::scope;

/// How long the first pause is when there are no descriptors; each that follows is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// The longest pause.
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// A TCP server that runs a function for each connection, on a green thread of its own.
///
/// All on the OS thread that serves, unless [`workers`](Self::workers) says otherwise.
///
/// # Examples
/// ```
/// use std::io::{self, Read, Write};
/// use greenthread::{net::{Server, TcpStream}, spawn, time::Duration};
/// let server = Server::bind("127.0.0.1:0")?.limit(1000);
/// let stopper = server.stopper();
/// let mut client = TcpStream::connect(stopper.local_addr()?)?;
/// let serving = spawn(|| server.serve(|stream, _peer| io::copy(&mut &stream, &mut &stream)));
/// client.write_all(b"echo")?;
/// client.read_exact(&mut [0; 4])?;
/// stopper.stop(Duration::ZERO);
/// assert!(serving.join().unwrap().is_ok());
/// # std::io::Result::Ok(())
/// ```
#[must_use = "it serves nobody before `serve` is called"]
pub struct Server {
    /// What it has in common with its stoppers.
    pub(super) shared: Arc<Shared>,

    /// The most connections at once.
    limit: usize,

    /// Who is there, when the most from one address are bounded.
    visitors: Option<Arc<Visitors>>,
}

/// A server, as those who may stop it see it.
pub(super) struct Shared {
    /// Closed by the first stop, and when the server is dropped.
    listener: TcpListener,

    /// Who is being served.
    pub(super) seats: Arc<Seats>,
}

impl Server {
    /// Binds to `address` and listens, as [`TcpListener::bind`] does. Nobody is served before [`serve`](Self::serve).
    ///
    /// # Errors
    /// As [`TcpListener::bind`].
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Server> {
        TcpListener::bind(address).map(Server::from_listener)
    }

    /// Makes a server of a listener, which may have options of its own.
    pub fn from_listener(listener: TcpListener) -> Server {
        let seats = Arc::default();
        Server {
            shared: Arc::new(Shared { listener, seats }),
            limit: usize::MAX,
            visitors: None,
        }
    }

    /// Sets how many connections there may be at once; as many as come unless said otherwise.
    ///
    /// Those beyond are not accepted: they wait in the kernel's line until one ends, in the order in which they came. A handler sees to it that none keeps its place for ever: by
    /// [`set_read_timeout`](TcpStream::set_read_timeout) against clients that say nothing, by [`timeout`](crate::timeout()) around a whole request against those that send it byte by byte.
    ///
    /// # Panics
    /// When `most` is 0.
    #[track_caller]
    pub fn limit(mut self, most: usize) -> Server {
        assert!(most > 0, "Server::limit(0): nobody would be served");
        self.limit = most;
        self
    }

    /// Sets how many connections there may be at once from one IP address; as many as come unless said otherwise.
    ///
    /// Those beyond are accepted and closed at once: unlike those beyond the [`limit`](Self::limit) they would else stand in the way of the others in the kernel's line. A client
    /// reads the end, or `ConnectionReset` if it has sent something. An address of IPv4 counts as the same when it comes to a socket of IPv6; addresses of IPv6 count each for itself, of
    /// which one client may have very many. Behind a proxy all connections come from its address.
    ///
    /// # Panics
    /// When `most` is 0.
    #[track_caller]
    pub fn max_connections_per_ip(mut self, most: usize) -> Server {
        assert!(
            most > 0,
            "Server::max_connections_per_ip(0): nobody would be served"
        );
        self.visitors = Some(Arc::new(Visitors::new(most)));
        self
    }

    /// Returns what stops this server, from anywhere.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.shared))
    }

    /// Accepts connections and runs `handler` for each, until it is stopped.
    ///
    /// `handler` gets the connection and the address it comes from. It runs on a green thread of this OS thread, many at a time, and may borrow; what it returns is dropped. One
    /// that panics ends its own connection: that is reported as an unjoined green thread's panic is ([`on_panic`](crate::RuntimeBuilder::on_panic), else stderr), and the others
    /// go on.
    ///
    /// When the process runs out of descriptors, of memory for sockets or of what its user may watch (`fs.epoll.max_user_watches`), new connections wait in the kernel's line,
    /// those that stand go on, and the server tries again when one has ended, after a second at the latest.
    ///
    /// Blocks until [`Stopper::stop`] was called and the last handler has ended. A cancellation is raised here and cancels the handlers; it goes on after their end. On the root
    /// and on a plain OS thread the wait runs the event loop.
    ///
    /// # Errors
    /// What `accept` says when the listener is of no use: handlers are cancelled, and have ended.
    #[track_caller]
    pub fn serve<F, R>(self, handler: F) -> io::Result<()>
    where
        F: Fn(TcpStream, SocketAddr) -> R,
    {
        let site = Location::caller();
        let (server, handler) = (&self, &handler);
        scope(|s| {
            let ended = server.accept_all(|stream, peer, place| {
                s.spawn_at(site, move || handle(handler, stream, peer, place));
            });
            if ended.is_ok() {
                server.shared.seats.wait_for_end();
            }
            s.cancel_with("the server stops");
            ended
        })
    }

    /// Hands every connection to `begin`, until stopped.
    pub(super) fn accept_all(
        &self,
        begin: impl Fn(TcpStream, SocketAddr, Place),
    ) -> io::Result<()> {
        let mut pause = FIRST_PAUSE;
        while let Some(seat) = self.shared.seats.take(self.limit) {
            match self.shared.listener.accept() {
                Ok((stream, peer)) => {
                    if let Some(visit) = self.admit(peer) {
                        begin(stream, peer, (visit, seat));
                    }
                    pause = FIRST_PAUSE;
                }
                Err(error) => match trouble(&error) {
                    Trouble::Stopped => return Ok(()),
                    Trouble::OneConnection => {}
                    Trouble::Exhausted => {
                        self.shared.seats.wait_for_change(pause);
                        pause = (pause * 2).min(LAST_PAUSE);
                    }
                    Trouble::Listener => return Err(error),
                },
            }
            // An accept that never has to wait lets nobody go first: those who were accepted have their turn here.
            yield_now();
        }
        Ok(())
    }

    /// What counts a connection from `peer`, if anything does; none when it is to be closed.
    fn admit(&self, peer: SocketAddr) -> Option<Option<Visit>> {
        match &self.visitors {
            Some(visitors) => visitors.admit(peer.ip()).map(Some),
            None => Some(None),
        }
    }
}

/// What a connection takes up, and gives back after everything else has gone.
pub(super) type Place = (Option<Visit>, Seat);

/// What it means that nobody could be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// The listener was closed.
    Stopped,

    /// Somebody was gone before he was accepted.
    OneConnection,

    /// Descriptors, memory or places in epoll are used up; the connection stays in line.
    Exhausted,

    /// It will be no better next time.
    Listener,
}

fn trouble(error: &io::Error) -> Trouble {
    match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => Trouble::Exhausted,
        // What epoll says when its user watches as many descriptors as he may.
        Some(libc::ENOSPC) => Trouble::Exhausted,
        // What the network did to the connection; `accept` of Linux passes it on. EPERM is a firewall's.
        Some(
            libc::ECONNABORTED
            | libc::ECONNRESET
            | libc::EPERM
            | libc::EPROTO
            | libc::ENOPROTOOPT
            | libc::ENETDOWN
            | libc::ENETUNREACH
            | libc::EHOSTDOWN
            | libc::EHOSTUNREACH,
        ) => Trouble::OneConnection,
        // Ours carry no number.
        None if error.kind() == io::ErrorKind::NotConnected => Trouble::Stopped,
        None if error.kind() == io::ErrorKind::TimedOut => Trouble::OneConnection,
        _ => Trouble::Listener,
    }
}

/// The life of one connection. Its place goes back after everything else has gone.
fn handle<R>(
    handler: impl Fn(TcpStream, SocketAddr) -> R,
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
) {
    let handled = catch_unwind(AssertUnwindSafe(|| drop(handler(stream, peer))));
    if let Err(caught) = handled {
        report::caught(resume_if_cancelled(caught));
    }
    drop(place);
}

impl Drop for Server {
    /// A server that is gone listens no more, whoever still has a stopper.
    fn drop(&mut self) {
        self.shared.listener.close();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("listener", &self.shared.listener)
            .field("limit", &self.limit)
            .field(
                "max_connections_per_ip",
                &self.visitors.as_ref().map(|visitors| visitors.most()),
            )
            .finish_non_exhaustive()
    }
}

/// Stops a [`Server`], from any green thread and any OS thread.
///
/// # Examples
/// ```no_run
/// use greenthread::{net::Server, signal, spawn, time::Duration};
/// let server = Server::bind("127.0.0.1:7777")?;
/// let stopper = server.stopper();
/// spawn(move || signal::ctrl_c().map(|()| stopper.stop(Duration::from_secs(5))));
/// server.serve(|stream, peer| println!("{peer} is connected as {stream:?}"))?; // until Ctrl-C
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct Stopper(Arc<Shared>);

impl Stopper {
    /// Lets the server accept nobody any more, and cancels the handlers that have not ended after `grace`.
    ///
    /// Does not block: [`Server::serve`] returns when the last handler has ended. A further call may shorten the grace, counted from then, and not lengthen it. Called before `serve`,
    /// that returns at once.
    pub fn stop(&self, grace: Duration) {
        self.0.seats.close(grace);
        self.0.listener.close();
    }

    /// Returns the address that the server is bound to.
    ///
    /// # Errors
    /// `NotConnected` when it has stopped.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.listener.local_addr()
    }
}

impl fmt::Debug for Stopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stopper").field(&self.0.listener).finish()
    }
}
