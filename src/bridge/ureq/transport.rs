//! One connection of ureq's over a socket of ours.

use std::fmt;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::sync::{Arc, Weak};

use socket2::SockRef;
use ureq::Error;
use ureq::unversioned::transport::{self, Buffers, LazyBuffers, NextTimeout, ShutdownHandle};

use super::limit::Limit;
use crate::net::TcpStream;

/// A connection that parks the green thread: what [`Connector`](super::Connector) opens.
pub struct Transport {
    /// Shared with ureq's pool, which may shut it down.
    socket: Arc<Socket>,

    /// What was read and not consumed, and what is to be written.
    buffers: LazyBuffers,
}

/// A socket that somebody else may shut down.
#[derive(Debug)]
pub(super) struct Socket(TcpStream);

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        Socket(stream)
    }
}

impl ShutdownHandle for Socket {
    /// Whoever is parked on it goes on: with the end of the stream, or an error.
    fn shutdown(&self) {
        // An error says that the peer was quicker.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl Transport {
    pub(super) fn new(socket: Arc<Socket>, buffers: LazyBuffers) -> Self {
        Transport { socket, buffers }
    }

    pub(super) fn shutdown_handle(&self) -> Weak<dyn ShutdownHandle> {
        let handle: Weak<Socket> = Arc::downgrade(&self.socket);
        handle
    }
}

impl transport::Transport for Transport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let limit = Limit::begin(timeout.for_write());
        let mut stream = &self.socket.0;
        let mut rest = &self.buffers.output()[..amount];
        while !rest.is_empty() {
            stream.set_write_timeout(limit.left()?)?;
            match stream.write(rest) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(written) => rest = &rest[written..],
                Err(error) => return Err(named(error, limit)),
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let limit = Limit::begin(timeout.for_read());
        let mut stream = &self.socket.0;
        stream.set_read_timeout(limit.left()?)?;
        let buffer = self.buffers.input_append_buf();
        let read = stream.read(buffer).map_err(|error| named(error, limit))?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    /// Never parks: ureq asks while it holds the standard lock of its pool.
    fn is_open(&mut self) -> bool {
        // The socket does not block. Between two requests there is nothing to read on one that is in order, not even its end.
        let peeked = SockRef::from(&self.socket.0).peek(&mut [MaybeUninit::uninit()]);
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// Tells a timeout of ours from the network's own.
fn named(error: io::Error, limit: Limit) -> Error {
    match error.kind() {
        io::ErrorKind::TimedOut if limit.left().is_err() => limit.passed(),
        _ => Error::Io(error),
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Socket(stream) = &*self.socket;
        f.debug_tuple("Transport").field(stream).finish()
    }
}
