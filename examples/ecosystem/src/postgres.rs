//! tokio-postgres on our sockets, and a pool of its connections.
//!
//! A connection of tokio-postgres is two things: a client, whose calls are futures for [`block_on`], and the talk with the server, a future that has a green thread of its
//! own here. None of tokio's runtime takes part.

use std::fmt;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::sync::Arc;

use greenthread::future::block_on;
use greenthread::net::TcpStream;
use greenthread::spawn;
use greenthread::sync::{OwnedPermit, Semaphore};
use tokio_postgres::{Client, Config, NoTls};

/// What goes wrong on the way to a client.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Connects to the server at `address`; parks until it has greeted.
///
/// # Errors
/// The socket's, and the server's.
pub fn connect(config: &Config, address: SocketAddr) -> Result<Client, Error> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let (client, talk) = block_on(config.connect_raw(stream, NoTls))?;
    // It ends with its client. What goes wrong is told to whoever waits for an answer.
    spawn(move || block_on(talk));
    Ok(client)
}

/// At most so many connections, made when they are wanted, shared by the green threads of one OS thread.
#[derive(Clone)]
pub struct Pool(Rc<Shared>);

/// What the clones of a pool have in common.
struct Shared {
    /// As whom to connect.
    config: Config,

    /// Where to.
    address: SocketAddr,

    /// One permit for each connection that there may be and nobody has.
    permits: Arc<Semaphore>,

    /// Connections that nobody has, the latest last.
    idle: std::cell::RefCell<Vec<Client>>,
}

impl Pool {
    /// A pool of at most `size` connections; none is made yet.
    pub fn new(config: Config, address: SocketAddr, size: usize) -> Self {
        Pool(Rc::new(Shared {
            config,
            address,
            permits: Arc::new(Semaphore::new(size)),
            idle: std::cell::RefCell::default(),
        }))
    }

    /// Takes a connection; parks until one is free, first come, first served.
    ///
    /// # Errors
    /// When a new one was to be made and the server did not want it.
    pub fn get(&self) -> Result<Pooled, Error> {
        let permit = self.0.permits.acquire_owned();
        let idle = self.0.idle.borrow_mut().pop();
        let client = match idle.filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => connect(&self.0.config, self.0.address)?,
        };
        Ok(Pooled {
            pool: self.clone(),
            held: Some((client, permit)),
        })
    }

    /// How many connections may still be taken without waiting.
    pub fn available(&self) -> usize {
        self.0.permits.available()
    }

    /// Makes a connection that was let go of in the middle of something fit for the next one, or throws it away.
    fn clean(&self, client: Client) {
        if let Ok(stream) = TcpStream::connect(self.0.address) {
            // The server has no other way to be told than a connection of its own.
            let _ = block_on(client.cancel_token().cancel_query_raw(stream, NoTls));
        }
        if block_on(client.batch_execute("ROLLBACK")).is_ok() {
            self.0.idle.borrow_mut().push(client);
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("available", &self.available())
            .finish_non_exhaustive()
    }
}

/// A connection out of a pool; it goes back when this is dropped.
#[derive(Debug)]
pub struct Pooled {
    /// Where it goes.
    pool: Pool,

    /// There until dropped.
    held: Option<(Client, OwnedPermit)>,
}

impl Deref for Pooled {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.held.as_ref().expect("there until dropped").0
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.held.as_mut().expect("there until dropped").0
    }
}

impl Drop for Pooled {
    /// Whoever unwinds (a timeout, a cancellation, a panic) may have left a query behind: another green thread sees to that, because nothing that must wait
    /// can be done while a cancellation unwinds.
    fn drop(&mut self) {
        let Some((client, permit)) = self.held.take() else {
            return;
        };
        let pool = self.pool.clone();
        if std::thread::panicking() {
            spawn(move || {
                pool.clean(client);
                drop(permit);
            });
        } else {
            pool.0.idle.borrow_mut().push(client);
        }
    }
}
