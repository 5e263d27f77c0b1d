//! A child process until it is reaped: what waits for its exit.
//!
//! Whoever must wait opens what tells of the exit, once: a pidfd, or where there is none a listener for SIGCHLD. Then everybody asks the kernel for
//! the status after each hint; std keeps the first answer for all.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, ExitStatus};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::platform::exit_descriptor;
use crate::sched::scheduler::Scheduler;
use crate::sched::source::{Direction, Source};
use crate::sched::wait::Operation;
use crate::signal::{Listener, SIGCHLD};

/// A child process that may still run.
#[derive(Debug)]
pub(super) struct Running {
    /// The right to its id, which is not another's before it is reaped. Locked for a system call, never across a wait.
    child: Mutex<Child>,

    /// Made by the first who waits.
    teller: OnceLock<Teller>,
}

/// What tells of the exit.
#[derive(Debug)]
enum Teller {
    /// Readable from the exit on.
    Descriptor(Source<OwnedFd>),

    /// Says that some child has ended.
    Signal(Listener),
}

impl Running {
    pub(super) fn new(child: Child) -> Self {
        Running {
            child: Mutex::new(child),
            teller: OnceLock::new(),
        }
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn id(&self) -> u32 {
        self.child().id()
    }

    pub(super) fn kill(&self) -> io::Result<()> {
        self.child().kill()
    }

    /// The status, if it has ended; reaps it then.
    pub(super) fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        self.child().try_wait()
    }

    /// Parks until it has ended; at most for `limit`, which gives `TimedOut`. Meanwhile something outside is at work for us (L8).
    pub(super) fn wait(
        &self,
        operation: &'static Operation,
        limit: Option<Duration>,
    ) -> io::Result<ExitStatus> {
        if let Some(status) = self.try_wait()? {
            return Ok(status);
        }
        let teller = self.teller()?;
        let _outside = Scheduler::get().begin_outside();
        match teller {
            Teller::Descriptor(exit) => {
                let status = |_: &OwnedFd| {
                    let status = self.try_wait()?;
                    status.ok_or_else(|| io::ErrorKind::WouldBlock.into())
                };
                let waiting = exit.enter()?;
                waiting.retry(operation, Direction::Read, limit, |_| false, status)
            }
            Teller::Signal(listener) => listener.wait(operation, limit, |listener| {
                listener.take();
                self.try_wait()
            }),
        }
    }

    fn teller(&self) -> io::Result<&Teller> {
        if let Some(teller) = self.teller.get() {
            return Ok(teller);
        }
        let teller = self.new_teller()?;
        Ok(self.teller.get_or_init(|| teller))
    }

    /// Under the lock nobody reaps it, so the id is still its own.
    fn new_teller(&self) -> io::Result<Teller> {
        let child = self.child();
        match exit_descriptor(child.id()) {
            Ok(descriptor) => Ok(Teller::Descriptor(Source::new(descriptor))),
            // An old kernel, a filter of system calls, or no descriptor left; two more may be had by then.
            Err(_) => Listener::new([SIGCHLD]).map(Teller::Signal),
        }
    }
}
