//! What every socket has: a source, timeouts that its clones share, and the way to std and back.
//!
//! A socket's methods are lines above this file: whoever asks the socket something enters it (`ask`); whoever may have to wait says in which direction
//! (`receive`, `send`), and the one loop of `sched::source` tries, parks and tries again. Byte streams, where a short read says something, are in `stream_io`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;

use super::faulty;
use super::timeouts::Timeouts;
use crate::sched::park::{deadline_in, now, park_alone};
use crate::sched::source::{Alone, Direction, Operating, Source, refuse_in_unwind};
use crate::sched::wait::Operation;

/// How soon who is not woken by an event looks again for the first time.
const FIRST_LOOK: Duration = Duration::from_millis(1);

/// How long after a look the next one comes at the latest.
const LAST_LOOK: Duration = Duration::from_millis(50);

/// A socket of std that does not block. `S` is std's type.
pub(super) struct Socket<S: AsFd> {
    /// The socket, and all that waiting on it takes.
    source: Source<S>,

    /// Shared with its clones.
    timeouts: Arc<Timeouts>,
}

impl<S: AsFd> Socket<S> {
    /// Takes a socket that does not block already.
    pub(super) fn new(object: S) -> Self {
        Socket {
            source: Source::new(object),
            timeouts: Arc::default(),
        }
    }

    /// Takes a socket that blocks and has no timeouts.
    pub(super) fn unblock(object: S) -> io::Result<Self> {
        SockRef::from(&object).set_nonblocking(true)?;
        Ok(Socket::new(object))
    }

    /// Takes a socket with its timeouts.
    pub(super) fn from_std(object: S) -> io::Result<Self> {
        let raw = SockRef::from(&object);
        let (read, write) = (raw.read_timeout()?, raw.write_timeout()?);
        let socket = Socket::unblock(object)?;
        socket.timeouts.read.set(read)?;
        socket.timeouts.write.set(write)?;
        Ok(socket)
    }

    /// Gives the socket back as std knows it.
    pub(super) fn into_std(self) -> io::Result<S> {
        let object = self.source.into_object();
        let object = object.ok_or(io::ErrorKind::NotConnected)?;
        let raw = SockRef::from(&object);
        raw.set_read_timeout(self.timeouts.read.get())?;
        raw.set_write_timeout(self.timeouts.write.get())?;
        raw.set_nonblocking(false)?;
        Ok(object)
    }

    /// Another descriptor of the same socket, with the same timeouts.
    pub(super) fn try_clone(&self) -> io::Result<Self>
    where
        S: From<OwnedFd>,
    {
        let descriptor = self.ask()?.as_fd().try_clone_to_owned()?;
        Ok(Socket {
            source: Source::new(S::from(descriptor)),
            timeouts: Arc::clone(&self.timeouts),
        })
    }

    /// For whoever polls it.
    #[cfg(any(feature = "futures-io", feature = "hyper", feature = "tokio"))]
    pub(super) fn source(&self) -> &Source<S> {
        &self.source
    }

    /// The socket, for a call that does not block; `NotConnected` once closed.
    #[inline]
    pub(super) fn ask(&self) -> io::Result<Operating<'_, S>> {
        self.source.enter()
    }

    /// The same, for whoever borrows the socket exclusively.
    #[inline]
    pub(super) fn ask_alone(&mut self) -> io::Result<Alone<'_, S>> {
        self.source.enter_alone()
    }

    pub(super) fn take_error(&self) -> io::Result<Option<io::Error>> {
        SockRef::from(&*self.ask()?).take_error()
    }

    pub(super) fn close(&self) {
        self.source.close();
    }

    pub(super) fn lend(&self) -> Option<BorrowedFd<'_>> {
        self.source.lend().map(AsFd::as_fd)
    }

    #[inline]
    pub(super) fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    /// Runs `call` until it does not say `WouldBlock`, parking until there is something to take, for at most the read timeout. What `call` takes comes whole (a
    /// datagram, a connection) or stays: either way it proves nothing of what is behind it.
    pub(super) fn receive<R>(
        &self,
        operation: &'static Operation,
        call: impl FnMut(&S) -> io::Result<R>,
    ) -> io::Result<R> {
        let socket = self.ask()?;
        let limit = faulty::delayed(&socket, operation, self.timeouts.read.get())?;
        socket.retry(operation, Direction::Read, limit, proves_nothing, call)
    }

    /// The same for what is sent, with the write timeout.
    pub(super) fn send<R>(
        &self,
        operation: &'static Operation,
        call: impl FnMut(&S) -> io::Result<R>,
    ) -> io::Result<R> {
        let limit = self.timeouts.write.get();
        self.send_within(limit, operation, call)
    }

    /// The same with a limit of its own.
    pub(super) fn send_within<R>(
        &self,
        limit: Option<Duration>,
        operation: &'static Operation,
        call: impl FnMut(&S) -> io::Result<R>,
    ) -> io::Result<R> {
        let socket = self.ask()?;
        let limit = faulty::delayed(&socket, operation, limit)?;
        socket.retry(operation, Direction::Write, limit, proves_nothing, call)
    }

    /// As [`send`](Self::send), where no event tells that the wait is over, because the room is another socket's: looks again by itself.
    ///
    /// Not even a wait for an event that is cut short would do: the kernel tells of room in our own buffer whenever the other's was full.
    pub(super) fn send_looking_again<R>(
        &self,
        operation: &'static Operation,
        mut call: impl FnMut(&S) -> io::Result<R>,
    ) -> io::Result<R> {
        let limit = faulty::delayed(&self.ask()?, operation, self.timeouts.write.get())?;
        let end = limit.map(deadline_in);
        let mut pause = FIRST_LOOK;
        loop {
            match call(&*self.ask()?) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                done => return done,
            }
            refuse_in_unwind()?;
            if end.is_some_and(|end| end <= now()) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let next = deadline_in(pause);
            let next = end.map_or(next, |end| end.min(next));
            park_alone(operation, Some(next), || ());
            pause = (pause * 2).min(LAST_LOOK);
        }
    }
}

fn proves_nothing<R>(_: &R) -> bool {
    false
}

/// The methods and traits that every socket has.
macro_rules! every_socket {
    ($name:ident, $std:ty) => {
        impl $name {
            /// Closes it: everybody parked on it gets `NotConnected`, and so does every later call.
            ///
            /// Does not park. The descriptor is closed, and a peer told, as soon as the last call has left it; when it was lent by
            /// [`AsFd`](std::os::fd::AsFd) the socket is shut down then, and the descriptor closed with the value. Clones by
            /// [`try_clone`](Self::try_clone) stay open.
            pub fn close(&self) {
                self.0.close();
            }

            /// Returns another handle on the same socket, with the same timeouts.
            ///
            /// # Errors
            /// The system's, for want of descriptors; `NotConnected` after [`close`](Self::close).
            pub fn try_clone(&self) -> std::io::Result<$name> {
                self.0.try_clone().map($name)
            }

            /// Returns the error that the socket holds, and clears it (`SO_ERROR`).
            ///
            /// # Errors
            /// The system's; `NotConnected` after [`close`](Self::close).
            pub fn take_error(&self) -> std::io::Result<Option<std::io::Error>> {
                self.0.take_error()
            }

            /// Takes a socket of std with its timeouts; from now on it does not block, for its clones too.
            ///
            /// # Errors
            /// The system's.
            pub fn from_std(socket: $std) -> std::io::Result<$name> {
                $crate::net::socket::Socket::from_std(socket).map($name)
            }

            /// Gives the socket to std with its timeouts; from now on it blocks, for its clones too.
            ///
            /// # Errors
            /// The system's; `NotConnected` after [`close`](Self::close).
            pub fn into_std(self) -> std::io::Result<$std> {
                self.0.into_std()
            }
        }

        /// As [`from_std`]($name::from_std).
        impl TryFrom<$std> for $name {
            type Error = std::io::Error;

            fn try_from(socket: $std) -> std::io::Result<$name> {
                $name::from_std(socket)
            }
        }

        /// As [`into_std`]($name::into_std).
        impl TryFrom<$name> for $std {
            type Error = std::io::Error;

            fn try_from(socket: $name) -> std::io::Result<$std> {
                socket.into_std()
            }
        }

        impl std::os::fd::AsFd for $name {
            /// Lends the descriptor, which stays open until the value is dropped.
            ///
            /// # Panics
            /// When the socket was closed before.
            #[track_caller]
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                let lent = self.0.lend();
                lent.expect(concat!(
                    "as_fd on a ",
                    stringify!($name),
                    " that was closed"
                ))
            }
        }

        impl std::os::fd::AsRawFd for $name {
            /// As [`as_fd`](std::os::fd::AsFd::as_fd).
            #[track_caller]
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                std::os::fd::AsFd::as_fd(self).as_raw_fd()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.0.ask() {
                    Ok(socket) => std::fmt::Debug::fmt(&*socket, f),
                    Err(_) => f.write_str(concat!(stringify!($name), " { closed }")),
                }
            }
        }
    };
}

/// The read and write timeouts of a socket that is read from and written to.
macro_rules! timeout_methods {
    ($name:ident) => {
        impl $name {
            /// Sets for how long a read may park before it gives `TimedOut`; `None` is for ever. Clones share it.
            ///
            /// Reads that are parked already keep the limit they began with.
            ///
            /// # Errors
            /// `InvalidInput` for zero.
            pub fn set_read_timeout(
                &self,
                limit: Option<std::time::Duration>,
            ) -> std::io::Result<()> {
                self.0.timeouts().read.set(limit)
            }

            /// Sets for how long a write may park before it gives `TimedOut`; `None` is for ever. Clones share it.
            ///
            /// Writes that are parked already keep the limit they began with.
            ///
            /// # Errors
            /// `InvalidInput` for zero.
            pub fn set_write_timeout(
                &self,
                limit: Option<std::time::Duration>,
            ) -> std::io::Result<()> {
                self.0.timeouts().write.set(limit)
            }

            /// Returns the read timeout.
            ///
            /// # Errors
            /// None; it is std's signature.
            pub fn read_timeout(&self) -> std::io::Result<Option<std::time::Duration>> {
                Ok(self.0.timeouts().read.get())
            }

            /// Returns the write timeout.
            ///
            /// # Errors
            /// None; it is std's signature.
            pub fn write_timeout(&self) -> std::io::Result<Option<std::time::Duration>> {
                Ok(self.0.timeouts().write.get())
            }
        }
    };
}

pub(super) use {every_socket, timeout_methods};
