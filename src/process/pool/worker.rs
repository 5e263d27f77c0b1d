//! A process of a pool, from the outside.

use std::env;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::ExitStatus;

use super::frame::{Frame, Link, link};
use super::serve::NAME;
use crate::process::child::Child;
use crate::process::command::Command;
use crate::sched::scheduler::Scheduler;

/// One process of a pool. While it is called, dropping it kills it; while it is idle, it ends by itself.
#[derive(Debug)]
pub(super) struct Worker {
    /// First, so that it is dropped first: an idle process ends when its link does.
    link: Link,

    /// The process.
    child: Child,

    /// How many calls it was sent, from nought again after very many.
    calls: u32,
}

impl Worker {
    /// Starts one; `prepare` changes how.
    pub(super) fn start(prepare: Option<&dyn Fn(&mut Command)>) -> io::Result<Self> {
        let (near, far) = UnixStream::pair()?;
        let mut command = Command::new(env::current_exe()?);
        if let Some(prepare) = prepare {
            prepare(&mut command);
        }
        command.stdin(OwnedFd::from(far)).kill_on_drop(true);
        command.as_std_mut().arg0(NAME);
        let child = command.spawn()?;
        let link = link(near)?;
        let calls = 0;
        Ok(Worker { link, child, calls })
    }

    /// Whether it can be called.
    pub(super) fn is_alive(&self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Says whether it is being called.
    pub(super) fn set_busy(&mut self, busy: bool) {
        self.child.kill_on_drop(busy);
    }

    /// Sends a call and waits for its answer; how the process ended when there is none.
    pub(super) fn ask(&mut self, call: Frame) -> io::Result<Result<Frame, ExitStatus>> {
        let _outside = Scheduler::get().begin_outside();
        self.calls = self.calls.wrapping_add(1);
        let sent = call.send(&self.link, self.calls);
        // What channels it holds are the process's now.
        drop(call);
        match sent.and_then(|()| Frame::receive(&self.link)) {
            Ok(Some((number, answer))) if number == self.calls => Ok(Ok(answer)),
            // Its link has ended, or says nothing that makes sense; one that has ended already is not harmed.
            Ok(_) | Err(_) => {
                self.child.kill()?;
                self.child.wait().map(Err)
            }
        }
    }
}
