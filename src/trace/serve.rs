//! Tells other programs what goes on here, through a Unix socket: [`serve`].
//!
//! An OS thread of its own waits for clients, and one more serves each of them, so that a program whose green threads hold all its OS threads is seen all the same. None
//! of the program's code runs for it (L18), and what clients send is never more than the word that asks.
//!
//! What a client can do to the program is bounded: there are at most so many clients; each has so long to take an answer; what it sends beyond a short line ends its
//! connection; and however many ask how often, dumps are made at most every tenth of a second, for all of them together.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use super::place;
use crate::dump::{dump_from_outside, on_a_helper};
use crate::sched::clock::Deadline;
use crate::stats::stats_from_outside;

/// The most clients at once.
const MOST_CLIENTS: usize = 8;

/// How long a client may take over an answer before the connection is closed.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a connection stays on which nothing is asked.
const IDLE: Duration = Duration::from_secs(600);

/// The most bytes of a request, its end included.
const LONGEST: u64 = 64;

/// The least time between two dumps.
const BETWEEN_DUMPS: Duration = Duration::from_millis(100);

const LISTENER: Token = Token(0);

const WAKER: Token = Token(1);

/// Answers other programs of the same user through a Unix socket at `path`, until the result is dropped.
///
/// Nothing is served unless this is called, and nothing can be changed through it. The socket is made with mode 0600. A socket that is left there by a program that has
/// gone is replaced; a file of another kind never is. While the socket is made there is a file beside it, with `.lock` behind the name.
///
/// A client sends a word and a newline, and gets a line of JSON for each:
///
/// | request | answer |
/// |---|---|
/// | `dump` | every green thread: [`Dump::to_json`](crate::Dump::to_json) |
/// | `stats` | numbers: [`Stats::to_json`](crate::Stats::to_json); zeros for the OS thread that asks, workers and blocking pool only of the process, not of a `Runtime` |
/// | anything else | `{"error":"..."}` |
///
/// OS threads of the crate answer, so a program is seen whose green threads let nobody else run; [`dump`](crate::dump()) says what is seen of those. At most 8 clients are
/// served at once, and more are told so; one that takes no answer for 5 seconds, or asks nothing for 10 minutes, is let go. A dump takes some 5 kB for each green thread while it is sent. Dumps are made at most every 100 ms, and serve all who
/// ask meanwhile.
///
/// Does not block, on whatever OS thread. The example `top` shows what it serves.
///
/// # Errors
/// `AddrInUse` when a program answers at `path` already or begins to at this moment, `AlreadyExists` when there is a file that is no socket, `InvalidInput` when the path is too long for a
/// socket (107 bytes on Linux), and whatever the system says against making the socket or an OS thread.
///
/// # Examples
/// ```no_run
/// let _serving = greenthread::trace::serve("/run/user/1000/my-server.sock")?;
/// // the server runs
/// # std::io::Result::Ok(())
/// ```
pub fn serve(path: impl AsRef<Path>) -> io::Result<Serving> {
    let path = path.as_ref();
    let named = |error: io::Error| {
        let text = format!("trace::serve: {}: {error}", path.display());
        io::Error::new(error.kind(), text)
    };
    Serving::begin(path).map_err(named)
}

/// While it lives, other programs see what goes on here; made by [`serve`]. Dropping it removes the socket and lets all clients go.
#[derive(Debug)]
#[must_use = "nothing is served once it is dropped"]
pub struct Serving {
    /// Where the socket is.
    path: PathBuf,

    /// Which file it is: nobody else's is removed.
    file: (u64, u64),

    /// Rings the OS thread that waits for clients.
    waker: Waker,

    /// What it shares with the OS threads that serve.
    desk: Arc<Desk>,
}

impl Serving {
    fn begin(path: &Path) -> io::Result<Self> {
        let listener = place::take(path)?;
        let meta = fs::symlink_metadata(path)?;
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let fd = listener.as_raw_fd();
        poll.registry()
            .register(&mut SourceFd(&fd), LISTENER, Interest::READABLE)?;
        let desk = Arc::new(Desk::default());
        let serving = Serving {
            path: path.into(),
            file: (meta.dev(), meta.ino()),
            waker,
            desk: Arc::clone(&desk),
        };
        on_a_helper("greenthread-serve", move || {
            desk.accept_all(&listener, poll)
        })?;
        Ok(serving)
    }

    /// Returns where the socket is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // First, while it still answers: so nobody puts his own there between the look and the removal.
        let ours = fs::symlink_metadata(&self.path).map(|meta| (meta.dev(), meta.ino()));
        if ours.is_ok_and(|file| file == self.file) {
            // Whoever removed it first has done what was to be done.
            let _ = fs::remove_file(&self.path);
        }
        self.desk.closed.store(true, Ordering::Release);
        // It can fail only where there is nobody to wake.
        let _ = self.waker.wake();
        for client in &*self.desk.clients() {
            let _ = client.shutdown(Shutdown::Both);
        }
    }
}

/// What the OS threads that serve share.
#[derive(Debug, Default)]
struct Desk {
    /// Whether nothing is served any more.
    closed: AtomicBool,

    /// Those who are served, so that they can be let go.
    clients: Mutex<Vec<Arc<UnixStream>>>,

    /// The last dump, while somebody sends it, and when it was made.
    dump: Mutex<Option<(Deadline, Weak<str>)>>,
}

impl Desk {
    fn clients(&self) -> MutexGuard<'_, Vec<Arc<UnixStream>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for clients until it is closed.
    fn accept_all(self: &Arc<Self>, listener: &UnixListener, mut poll: Poll) {
        let mut events = Events::with_capacity(4);
        while !self.closed.load(Ordering::Acquire) {
            match listener.accept() {
                Ok((client, _)) => self.welcome(client),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // A signal ends it early.
                    let _ = poll.poll(&mut events, None);
                }
                // Out of descriptors, most likely: it will pass, and the waker is still heard.
                Err(_) => drop(poll.poll(&mut events, Some(BETWEEN_DUMPS))),
            }
        }
    }

    /// Has an OS thread serve a client, if there are not too many already.
    fn welcome(self: &Arc<Self>, client: UnixStream) {
        // Inherited from the listener on some systems.
        let set_up = client
            .set_nonblocking(false)
            .and_then(|()| client.set_write_timeout(Some(PATIENCE)))
            .and_then(|()| client.set_read_timeout(Some(IDLE)));
        let client = Arc::new(client);
        if set_up.is_err() || !self.add(&client) {
            let _ = (&*client).write_all(b"{\"error\":\"too many clients\"}\n");
            return;
        }
        let (desk, served) = (Arc::clone(self), Arc::clone(&client));
        let serve = move || {
            // However it ends, it ends with this client.
            let _ = desk.answer_all(&served);
            desk.remove(&served);
        };
        if on_a_helper("greenthread-serve", serve).is_err() {
            self.remove(&client);
        }
    }

    fn add(&self, client: &Arc<UnixStream>) -> bool {
        let mut clients = self.clients();
        let has_room = clients.len() < MOST_CLIENTS && !self.closed.load(Ordering::Acquire);
        if has_room {
            clients.push(Arc::clone(client));
        }
        has_room
    }

    fn remove(&self, client: &Arc<UnixStream>) {
        self.clients().retain(|one| !Arc::ptr_eq(one, client));
    }

    /// Serves a client until it goes.
    fn answer_all(&self, client: &UnixStream) -> io::Result<()> {
        let mut requests = BufReader::new(client);
        let mut line = Vec::new();
        loop {
            line.clear();
            (&mut requests).take(LONGEST).read_until(b'\n', &mut line)?;
            let Some(request) = line.strip_suffix(b"\n") else {
                return Ok(());
            };
            let answer = self.answer(request.trim_ascii());
            write_within(client, answer.as_bytes(), PATIENCE)?;
            write_within(client, b"\n", PATIENCE)?;
        }
    }

    fn answer(&self, request: &[u8]) -> Arc<str> {
        match request {
            b"dump" => self.dump(),
            b"stats" => stats_from_outside().to_json().into(),
            _ => r#"{"error":"ask for `dump` or `stats`"}"#.into(),
        }
    }

    /// A dump that is fresh enough. Whoever asks while one is made or sent has it too; else the next is made when its time has come.
    fn dump(&self) -> Arc<str> {
        let mut last = self.dump.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made, dump)) = &*last {
            let early = BETWEEN_DUMPS.saturating_sub(Deadline::real_now().since(*made));
            match dump.upgrade() {
                Some(dump) if !early.is_zero() => return dump,
                _ => rest(early),
            }
        }
        let dump: Arc<str> = dump_from_outside().to_json().into();
        *last = Some((Deadline::real_now(), Arc::downgrade(&dump)));
        dump
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "an OS thread of ours, on which nobody else runs"
)]
fn rest(duration: Duration) {
    std::thread::sleep(duration);
}

/// Writes all in `limit`, however few bytes the other end takes at a time.
fn write_within(mut client: &UnixStream, mut bytes: &[u8], limit: Duration) -> io::Result<()> {
    let start = Deadline::real_now();
    while !bytes.is_empty() {
        let left = limit.saturating_sub(Deadline::real_now().since(start));
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        client.set_write_timeout(Some(left))?;
        match client.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
