//! A server whose handlers run on workers: it accepts on the OS thread that serves, and hands each connection to the worker that has the fewest.
//!
//! The workers are made when it begins to serve, and end with it; what ends them ends the handlers, too. So nothing is borrowed, and a handler is an ordinary green thread that nobody joins.

use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::server::{Server, Stopper};
use super::stream::TcpStream;
use crate::blocking::spawn::crew;
use crate::sched::scheduler::Scheduler;
use crate::workers::set::Set;
use crate::workers::worker::Customs;

/// A [`Server`] with workers: what [`Server::workers`] returns.
///
/// # Examples
/// ```
/// use std::io::{self, Read, Write};
/// use greenthread::{net::{Server, TcpStream}, spawn, time::Duration};
/// let server = Server::bind("127.0.0.1:0")?.workers(2).limit(1000);
/// let stopper = server.stopper();
/// let mut client = TcpStream::connect(stopper.local_addr()?)?;
/// let serving = spawn(|| server.serve(|stream, _peer| io::copy(&mut &stream, &mut &stream)));
/// client.write_all(b"echo")?;
/// client.read_exact(&mut [0; 4])?;
/// stopper.stop(Duration::ZERO);
/// assert!(serving.join().unwrap().is_ok());
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
#[must_use = "it serves nobody before `serve` is called"]
pub struct ServerOnWorkers {
    /// What accepts.
    server: Server,

    /// How many workers it will have.
    workers: usize,
}

impl Server {
    /// Has the handlers run on `n` workers: OS threads of this server's own, which only run green threads.
    ///
    /// There is one listener, and the OS thread that serves accepts for all workers: so a connection goes to the worker that has the fewest, and one [`limit`](Server::limit) holds for all. A
    /// listener for each worker ([`Runtime::run_on_each`](crate::Runtime::run_on_each) with [`TcpListener::bind_reuse_port`](super::TcpListener::bind_reuse_port)) makes requests no cheaper
    /// (`benches/README.md` has both), and the kernel deals connections out by chance; it is for programs that accept more in a second than one OS thread can.
    ///
    /// # Panics
    /// When `n` is 0.
    #[track_caller]
    pub fn workers(self, n: usize) -> ServerOnWorkers {
        assert!(n > 0, "Server::workers(0): nobody would be served");
        ServerOnWorkers {
            server: self,
            workers: n,
        }
    }
}

impl ServerOnWorkers {
    /// As [`Server::limit`]; it is for all workers together.
    ///
    /// # Panics
    /// When `most` is 0.
    #[track_caller]
    pub fn limit(self, most: usize) -> ServerOnWorkers {
        let server = self.server.limit(most);
        ServerOnWorkers { server, ..self }
    }

    /// As [`Server::max_connections_per_ip`]; it is for all workers together.
    ///
    /// # Panics
    /// When `most` is 0.
    #[track_caller]
    pub fn max_connections_per_ip(self, most: usize) -> ServerOnWorkers {
        let server = self.server.max_connections_per_ip(most);
        ServerOnWorkers { server, ..self }
    }

    /// As [`Server::workers`].
    ///
    /// # Panics
    /// When `n` is 0.
    #[track_caller]
    pub fn workers(self, n: usize) -> ServerOnWorkers {
        self.server.workers(n)
    }

    /// As [`Server::stopper`].
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.server.stopper()
    }

    /// Accepts connections and runs `handler` for each on a worker, until it is stopped.
    ///
    /// As [`Server::serve`], but for this: each connection goes to the worker that has the fewest, and stays there. `handler` is used on several OS threads at once, so it borrows
    /// nothing; what it spawns by [`spawn`](crate::spawn()) stays on its worker, and ends with the server, as handlers do. Settings of the
    /// [`Runtime`](crate::Runtime) that is under way (stack size, `on_panic`, watchdog, its pool for blocking jobs) hold on the workers.
    ///
    /// Blocks, is cancelled and behaves on the root as `Server::serve` does; this OS thread accepts.
    ///
    /// # Errors
    /// As [`Server::serve`]; what kept a worker from being made; `InvalidInput` under virtual time, which is one OS thread's.
    #[track_caller]
    pub fn serve<F, R>(self, handler: F) -> io::Result<()>
    where
        F: Fn(TcpStream, SocketAddr) -> R + Send + Sync + 'static,
    {
        let site = Location::caller();
        let set = make_workers(self.workers)?;
        let (handler, loads) = (Arc::new(handler), Loads::new(self.workers));
        let serve = || {
            self.server.accept_all(|stream, peer, place| {
                let handler = Arc::clone(&handler);
                let load = loads.add_to_least();
                let worker = load.worker;
                let handle = move || {
                    drop(handler(stream, peer));
                    drop((load, place));
                };
                drop(set.spawn_on(worker, site, handle));
            })?;
            self.server.shared.seats.wait_for_end();
            Ok(())
        };
        let served = catch_unwind(AssertUnwindSafe(serve));
        // Asks whoever is left to end, and waits: not inside an unwind.
        drop(set);
        served.unwrap_or_else(|request| resume_unwind(request))
    }
}

/// Workers that live by the rules of this OS thread, and have all the time that they need to end.
fn make_workers(count: usize) -> io::Result<Set> {
    let scheduler = Scheduler::get();
    if scheduler.clock().is_virtual() {
        let text = format!("workers({count}) under virtual time, which is that of one OS thread");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let customs = Customs {
        watchdog: scheduler.watch_limit(),
        stack_size: scheduler.hooks().stack_size.get(),
        on_panic: scheduler.hooks().on_panic.borrow().clone(),
        crew: Some(crew()),
        on_start: None,
    };
    Set::make(count, &customs, Duration::MAX)
}

/// How many connections each worker has.
#[derive(Clone)]
struct Loads(Arc<[AtomicUsize]>);

impl Loads {
    fn new(workers: usize) -> Self {
        Loads((0..workers).map(|_| AtomicUsize::new(0)).collect())
    }

    /// One more for the worker that has the fewest, the first of them. Called by one OS thread alone.
    fn add_to_least(&self) -> Load {
        let counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        let least = counts.enumerate().min_by_key(|(_, count)| *count);
        let worker = least.map_or(0, |(worker, _)| worker);
        self.0[worker].fetch_add(1, Ordering::Relaxed);
        let loads = self.clone();
        Load { worker, loads }
    }
}

/// One connection on a worker.
struct Load {
    /// Which one.
    worker: usize,

    /// Where it is counted.
    loads: Loads,
}

impl Drop for Load {
    fn drop(&mut self) {
        self.loads.0[self.worker].fetch_sub(1, Ordering::Relaxed);
    }
}
