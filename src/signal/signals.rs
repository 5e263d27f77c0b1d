//! What programs wait for signals with.

use std::fmt;
use std::io;
use std::time::Duration;

use libc::c_int;

use super::listener::Listener;
use super::names;
use crate::sched::wait::Operation;

static RECV: Operation = Operation::new("Signals::recv");

static RECV_TIMEOUT: Operation = Operation::new("Signals::recv_timeout");

static CTRL_C: Operation = Operation::new("signal::ctrl_c");

/// Waits until the user presses Ctrl-C (SIGINT), which then does not end the process.
///
/// Parks until it comes; one that came before the call does not count. A cancellation is raised here. On the root and on a plain OS thread the wait runs the event loop.
/// Once this was called, Ctrl-C ends the process no more, also while nobody waits for it: see [what holds](crate::signal#what-holds). Who must not miss
/// one between two calls makes [`Signals`] of [`SIGINT`](super::SIGINT) once and asks that.
///
/// # Errors
/// The system's, for want of descriptors.
///
/// # Examples
/// ```no_run
/// let server = greenthread::spawn(greenthread::park); // serves
/// greenthread::signal::ctrl_c()?;
/// server.cancel();
/// # std::io::Result::Ok(())
/// ```
pub fn ctrl_c() -> io::Result<()> {
    let listener = Listener::new([libc::SIGINT])?;
    listener.wait(&CTRL_C, None, |listener| Ok(listener.take()))?;
    Ok(())
}

/// Listens for a set of signals from when it is made until it is dropped.
///
/// Any number of green threads and OS threads may receive from one; each signal that has come goes to one of them. To have every signal in several places, make one for each.
pub struct Signals {
    /// Does it.
    listener: Listener,

    /// The signals, for `Debug`.
    set: Vec<c_int>,
}

impl Signals {
    /// Begins to listen for `signals`, given by their numbers, of which the usual ones are constants of this module.
    ///
    /// Does not park. From now on, and after the last listener has gone, the signals' default actions are not taken: see [what holds](crate::signal#what-holds).
    ///
    /// # Errors
    /// `InvalidInput`, naming it, for a signal that nobody may handle (SIGKILL, SIGSTOP), that tells of a fault of the code that runs (SIGSEGV, SIGBUS, SIGILL, SIGFPE), or
    /// that does not exist; the system's for want of descriptors. Then none is listened for.
    ///
    /// # Examples
    /// ```
    /// use greenthread::signal::{SIGKILL, SIGTERM, Signals};
    /// let signals = Signals::new([SIGTERM])?;
    /// assert_eq!(signals.try_recv(), None);
    /// let refused = Signals::new([SIGTERM, SIGKILL]).unwrap_err();
    /// assert!(refused.to_string().starts_with("SIGKILL cannot be listened to"));
    /// # std::io::Result::Ok(())
    /// ```
    pub fn new(signals: impl IntoIterator<Item = c_int>) -> io::Result<Self> {
        let set: Vec<c_int> = signals.into_iter().collect();
        let listener = Listener::new(set.iter().copied())?;
        Ok(Signals { listener, set })
    }

    /// Receives a signal: its number.
    ///
    /// Parks until one comes, unless one has come already. A cancellation while waiting is raised here and loses no signal. On the root and on a plain OS thread the wait
    /// runs the event loop.
    ///
    /// # Errors
    /// The system's, when the event loop cannot be had.
    pub fn recv(&self) -> io::Result<c_int> {
        self.receive(&RECV, None)
    }

    /// Receives a signal that has come already; `None` if none has.
    ///
    /// Does not park.
    #[must_use]
    pub fn try_recv(&self) -> Option<c_int> {
        self.listener.take()
    }

    /// Receives a signal, waiting at most for `limit`; `None` when that passed first.
    ///
    /// Parks, is cancelled and behaves on the root as [`recv`](Self::recv) does.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_timeout(&self, limit: Duration) -> io::Result<Option<c_int>> {
        match self.receive(&RECV_TIMEOUT, Some(limit)) {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(None),
            received => received.map(Some),
        }
    }

    /// Returns an iterator over the signals as they come; it ends only on an error of [`recv`](Self::recv).
    ///
    /// Each step parks as `recv` does.
    pub fn iter(&self) -> Iter<'_> {
        Iter { signals: self }
    }

    fn receive(&self, operation: &'static Operation, limit: Option<Duration>) -> io::Result<c_int> {
        match self.listener.take() {
            Some(signal) => Ok(signal),
            None => self
                .listener
                .wait(operation, limit, |listener| Ok(listener.take())),
        }
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.set.iter().map(|signal| names::name(*signal));
        let names: Vec<String> = names.collect();
        write!(f, "Signals({})", names.join(", "))
    }
}

impl<'a> IntoIterator for &'a Signals {
    type Item = c_int;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Signals as they come: what [`Signals::iter`] returns.
#[derive(Debug)]
pub struct Iter<'a> {
    /// Received from.
    signals: &'a Signals,
}

impl Iterator for Iter<'_> {
    type Item = c_int;

    fn next(&mut self) -> Option<c_int> {
        self.signals.recv().ok()
    }
}
