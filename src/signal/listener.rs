//! One listener: marks that handlers set, and a socket that they ring.
//!
//! ```text
//!   handler, on any OS thread: set the signal's mark ─▶ was it set before? ──no──▶ write one byte to the bell
//!   listener:                  look at the marks ─▶ none? empty the bell ─▶ look again ─▶ none? park until the bell rings
//! ```
//!
//! Invariants:
//! - B1 Whoever sets a mark that was clear rings after that. So one who finds no mark after he has emptied the bell is rung for every mark that comes later.
//! - B2 The handler calls nothing but an atomic `or` and a non-blocking write to a socket. A full bell needs no further byte.

#![expect(unsafe_code, reason = "registers what runs inside a signal handler")]

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use libc::c_int;
use signal_hook_registry::SigId;

use super::names;
use crate::sched::source::{Direction, Source};
use crate::sched::wait::Operation;

/// What handlers and their listener share.
#[derive(Debug)]
struct Marks {
    /// Bit n - 1 stands for the signal n: it has come and was not received.
    pending: AtomicU64,

    /// The bell's near end; does not block.
    bell: UnixStream,
}

impl Marks {
    /// What the handler does (B1, B2).
    fn set(&self, signal: c_int) {
        let mark = mark(signal);
        if self.pending.fetch_or(mark, Ordering::AcqRel) & mark == 0 {
            // A full bell rings already (B2).
            let _ = (&self.bell).write(&[0]);
        }
    }

    /// Takes the lowest signal that has come.
    fn take(&self) -> Option<c_int> {
        let mut pending = self.pending.load(Ordering::Acquire);
        while pending != 0 {
            let signal = pending.trailing_zeros().cast_signed() + 1;
            let before = self.pending.fetch_and(!mark(signal), Ordering::AcqRel);
            if before & mark(signal) != 0 {
                return Some(signal);
            }
            pending = self.pending.load(Ordering::Acquire);
        }
        None
    }
}

fn mark(signal: c_int) -> u64 {
    1 << (signal - 1)
}

/// Listens for some signals, from when it is made until it is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    /// The bell's far end.
    bell: Source<UnixStream>,

    /// Set by the handlers.
    marks: Arc<Marks>,

    /// What is undone when it is dropped.
    handlers: Vec<SigId>,
}

impl Listener {
    /// Begins to listen; on an error to none of them.
    pub(crate) fn new(signals: impl IntoIterator<Item = c_int>) -> io::Result<Self> {
        let (near, far) = UnixStream::pair()?;
        near.set_nonblocking(true)?;
        far.set_nonblocking(true)?;
        let marks = Arc::new(Marks {
            pending: AtomicU64::new(0),
            bell: near,
        });
        let mut listener = Listener {
            bell: Source::new(far),
            marks,
            handlers: Vec::new(),
        };
        for signal in signals {
            listener.add(signal)?;
        }
        Ok(listener)
    }

    fn add(&mut self, signal: c_int) -> io::Result<()> {
        names::check(signal)?;
        let marks = Arc::clone(&self.marks);
        // SAFETY: B2: an atomic and a write are what a signal handler may do; neither allocates, locks or panics.
        let registered =
            unsafe { signal_hook_registry::register(signal, move || marks.set(signal)) };
        let handler = registered.map_err(|error| names::refused(signal, error))?;
        self.handlers.push(handler);
        Ok(())
    }

    /// Takes the lowest signal that has come, if one has.
    pub(crate) fn take(&self) -> Option<c_int> {
        self.marks.take()
    }

    /// Parks until `look`, asked now and after every ring, finds something; at most for `limit`, which gives `TimedOut`.
    pub(crate) fn wait<R>(
        &self,
        operation: &'static Operation,
        limit: Option<Duration>,
        look: impl Fn(&Self) -> io::Result<Option<R>>,
    ) -> io::Result<R> {
        let attempt = |bell: &UnixStream| {
            if let Some(found) = look(self)? {
                return Ok(found);
            }
            empty(bell)?;
            look(self)?.ok_or_else(|| io::ErrorKind::WouldBlock.into())
        };
        let listening = self.bell.enter()?;
        listening.retry(operation, Direction::Read, limit, |_| false, attempt)
    }
}

/// Reads all there is.
fn empty(mut bell: &UnixStream) -> io::Result<()> {
    let mut bytes = [0; 64];
    loop {
        match bell.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        for handler in self.handlers.drain(..) {
            signal_hook_registry::unregister(handler);
        }
    }
}
