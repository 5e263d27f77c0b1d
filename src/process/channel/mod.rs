//! Values between processes, in both directions: Python's `multiprocessing.Queue` and `Pipe`.
//!
//! A channel is a pair of sockets of messages (`SOCK_SEQPACKET`). The kernel keeps messages whole and in order, whoever sends and receives; it holds some 200 KiB of
//! them in each direction, which is the bound, and counts who holds an end, which is the closing.

mod error;

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::carry::{self, Carried};
use super::parcel;
use crate::sched::source::{Direction, Source};
use crate::sched::wait::Operation;

pub use error::{RecvError, SendError};

static SEND: Operation = Operation::new("process::Channel::send");

static RECV: Operation = Operation::new("process::Channel::recv");

static RECV_TIMEOUT: Operation = Operation::new("process::Channel::recv_timeout");

/// The most bytes of one encoded value: 128 KiB.
const MOST: usize = 128 * 1024;

/// One end of a channel between processes: it sends values to the other end and receives what is sent there.
///
/// An end goes to another process inside the argument or the result of a [`Pool`](super::Pool)'s call, or through another channel; what stays behind is this process's own hold of it, until
/// that is dropped. Any number of processes and green threads may hold an end: each value goes to one of those who receive. The kernel keeps some 200 KiB in each direction; whoever sends
/// more than that waits until somebody receives; virtual time goes on jumping meanwhile. Values are written as those of a [`Pool`](super::Pool). An end is closed when nobody holds it any more.
///
/// # Examples
/// ```standalone_crate
/// use greenthread::process::{Channel, Functions, Pool};
///
/// fn square(work: Channel<u64>) {
///     for n in work.iter().map(Result::unwrap) {
///         work.send(&(n * n)).unwrap();
///     }
/// }
///
/// fn main() -> std::io::Result<()> {
///     Functions::new().with(square).serve_if_child();
///     let (ours, theirs) = Channel::pair()?;
///     let call = Pool::new(1).spawn(square, theirs);
///     for n in 1..=3 {
///         ours.send(&n)?;
///         assert_eq!(ours.recv()?, n * n);
///     }
///     drop(ours); // ends its loop
///     call.join().unwrap().unwrap();
///     Ok(())
/// }
/// ```
pub struct Channel<T> {
    /// One of a pair; does not block, in any process.
    socket: Source<OwnedFd>,

    /// What goes through.
    values: PhantomData<fn(T) -> T>,
}

impl<T> Channel<T> {
    /// Makes the two ends of a channel.
    ///
    /// # Errors
    /// The system's, for want of descriptors, or because it has no such sockets (macOS).
    pub fn pair() -> io::Result<(Channel<T>, Channel<T>)> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (one, other) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        Ok((Channel::of(one), Channel::of(other)))
    }

    fn of(socket: OwnedFd) -> Self {
        Channel {
            socket: Source::new(socket),
            values: PhantomData,
        }
    }

    /// Returns another hold of the same end.
    ///
    /// # Errors
    /// The system's, for want of descriptors; `NotConnected` after [`close`](Self::close).
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Channel::of(self.socket.enter()?.try_clone()?))
    }

    /// Gives this hold of the end up: whoever is parked on it finds it closed, and so does every later call.
    ///
    /// Does not park. Other holds, here and in other processes, stay.
    pub fn close(&self) {
        self.socket.close();
    }
}

impl<T: Serialize> Channel<T> {
    /// Sends a copy of a value.
    ///
    /// Parks while the channel is full. A cancellation is raised where it parks; the value is not sent then. On the root and on a plain OS thread the wait runs
    /// the event loop.
    ///
    /// # Errors
    /// [`SendError`]: nobody is there to receive it ever, or it is too long, or cannot be encoded.
    pub fn send(&self, value: &T) -> Result<(), SendError> {
        let message = message(value)?;
        let send = |socket: &OwnedFd| send(socket, &message);
        let socket = self.socket.enter().map_err(not_sent)?;
        let sent = socket.retry(&SEND, Direction::Write, None, |()| false, send);
        sent.map_err(not_sent)
    }

    /// Sends a copy of a value if there is room; false if there is none. Does not park.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn try_send(&self, value: &T) -> Result<bool, SendError> {
        let message = message(value)?;
        let socket = self.socket.enter().map_err(not_sent)?;
        match send(&socket, &message) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            sent => sent.map(|()| true).map_err(not_sent),
        }
    }
}

impl<T: DeserializeOwned> Channel<T> {
    /// Receives a value.
    ///
    /// Parks until there is one, or the other end is closed. A cancellation while waiting is raised here and loses no value. On the root and on a plain OS thread the
    /// wait runs the event loop.
    ///
    /// # Errors
    /// [`RecvError`]: nothing will ever come, or what came was no `T`.
    pub fn recv(&self) -> Result<T, RecvError> {
        self.receive(&RECV, None)
    }

    /// Receives a value, waiting at most for `limit`; `None` when that passed first.
    ///
    /// Parks, is cancelled and behaves on the root as [`recv`](Self::recv) does.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_timeout(&self, limit: Duration) -> Result<Option<T>, RecvError> {
        match self.receive(&RECV_TIMEOUT, Some(limit)) {
            Err(RecvError::Io(error)) if error.kind() == io::ErrorKind::TimedOut => Ok(None),
            received => received.map(Some),
        }
    }

    /// Receives a value that is there already; `None` if none is. Does not park.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn try_recv(&self) -> Result<Option<T>, RecvError> {
        let socket = self.socket.enter().map_err(not_received)?;
        match receive(&socket) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            received => open(received.map_err(not_received)?).map(Some),
        }
    }

    /// Returns an iterator that receives until the channel is closed; other errors are among its items.
    ///
    /// Each step parks as [`recv`](Self::recv) does.
    pub fn iter(&self) -> impl Iterator<Item = Result<T, RecvError>> {
        std::iter::from_fn(|| match self.recv() {
            Err(RecvError::Closed) => None,
            received => Some(received),
        })
    }

    fn receive(
        &self,
        operation: &'static Operation,
        limit: Option<Duration>,
    ) -> Result<T, RecvError> {
        let socket = self.socket.enter().map_err(not_received)?;
        let received = socket.retry(operation, Direction::Read, limit, |_| false, receive);
        open(received.map_err(not_received)?)
    }
}

/// A value as a message.
fn message<T: Serialize>(value: &T) -> Result<Carried, SendError> {
    let message = carry::encode(value).map_err(SendError::Unencodable)?;
    let bytes = message.bytes.len();
    if bytes > MOST {
        return Err(SendError::TooLong { bytes, most: MOST });
    }
    Ok(message)
}

/// A message goes as a whole or not at all.
fn send(socket: &OwnedFd, message: &Carried) -> io::Result<()> {
    parcel::send(socket, &[&message.bytes], &message.descriptors).map(drop)
}

/// A message; an empty one is the end.
fn receive(socket: &OwnedFd) -> io::Result<Carried> {
    let (mut bytes, mut descriptors) = (vec![0; MOST], Vec::new());
    let length = parcel::receive(socket, &mut bytes, &mut descriptors)?;
    bytes.truncate(length);
    Ok(Carried { bytes, descriptors })
}

/// A message as a value.
fn open<T: DeserializeOwned>(message: Carried) -> Result<T, RecvError> {
    // No value is encoded in nothing.
    if message.bytes.is_empty() {
        return Err(RecvError::Closed);
    }
    carry::decode(message).map_err(RecvError::Undecodable)
}

fn not_sent(error: io::Error) -> SendError {
    match error.kind() {
        io::ErrorKind::NotConnected
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionReset => SendError::Closed,
        _ => SendError::Io(error),
    }
}

fn not_received(error: io::Error) -> RecvError {
    match error.kind() {
        io::ErrorKind::NotConnected | io::ErrorKind::ConnectionReset => RecvError::Closed,
        _ => RecvError::Io(error),
    }
}

impl<T> Serialize for Channel<T> {
    /// Only inside a value that goes to another process.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let hold = self.socket.enter().and_then(|socket| socket.try_clone());
        let place = carry::put(hold.map_err(S::Error::custom)?);
        let place = place.ok_or_else(|| {
            S::Error::custom("a process::Channel goes to another process, and nowhere else")
        })?;
        place.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Channel<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let place = usize::deserialize(deserializer)?;
        let hold = carry::take(place);
        let hold = hold.ok_or_else(|| {
            D::Error::custom("a process::Channel came without its descriptor: too many are open")
        })?;
        Ok(Channel::of(hold))
    }
}

impl<T> fmt::Debug for Channel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.socket.enter() {
            Ok(socket) => f.debug_tuple("Channel").field(&*socket).finish(),
            Err(_) => f.write_str("Channel(closed)"),
        }
    }
}
