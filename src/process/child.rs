//! A child process that was started.

use std::io;
use std::process::{self, ExitStatus, Output};
use std::time::Duration;

use super::orphans;
use super::pipe::{ChildStderr, ChildStdin, ChildStdout};
use super::running::Running;
use super::talk::talk;
use crate::sched::scheduler::Scheduler;
use crate::sched::wait::Operation;

static WAIT: Operation = Operation::new("Child::wait");

static WAIT_TIMEOUT: Operation = Operation::new("Child::wait_timeout");

/// A child process: [`std::process::Child`] for green threads.
///
/// Waiting and killing take `&self`: any number of green threads and OS threads may wait for one child, and one may kill what others wait for.
///
/// Dropping it leaves the process running, as in std, unless [`kill_on_drop`](Self::kill_on_drop) says otherwise. Either way it is reaped when it has ended, by an
/// OS thread that is there for it, so it does not stay a zombie; only the end of this process, or a system that gives no OS thread, leaves that to others. As long as that OS thread is
/// there, silence is a deadlock only for a [`Runtime`](crate::Runtime) with [`only_our_threads`](crate::RuntimeBuilder::only_our_threads).
#[derive(Debug)]
pub struct Child {
    /// Our end of its standard input, when that was [piped](super::Stdio::piped).
    pub stdin: Option<ChildStdin>,

    /// Our end of its standard output, when that was piped.
    pub stdout: Option<ChildStdout>,

    /// Our end of its standard error output, when that was piped.
    pub stderr: Option<ChildStderr>,

    /// The process; there until the drop.
    running: Option<Running>,

    /// Whether the drop kills it.
    kill_on_drop: bool,
}

impl Child {
    /// Takes a child of std; one whose pipes cannot be had is killed.
    pub(super) fn new(mut child: process::Child, kill_on_drop: bool) -> io::Result<Self> {
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let mut own = Child {
            stdin: None,
            stdout: None,
            stderr: None,
            running: Some(Running::new(child)),
            kill_on_drop: true,
        };
        own.stdin = pipes.0.map(ChildStdin::new).transpose()?;
        own.stdout = pipes.1.map(ChildStdout::new).transpose()?;
        own.stderr = pipes.2.map(ChildStderr::new).transpose()?;
        own.kill_on_drop = kill_on_drop;
        Ok(own)
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("there until the drop")
    }

    /// Says whether dropping this kills the process (SIGKILL); false unless [`Command::kill_on_drop`](super::Command::kill_on_drop) has said otherwise.
    pub fn kill_on_drop(&mut self, kill: bool) -> &mut Self {
        self.kill_on_drop = kill;
        self
    }

    /// Returns the id of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.running().id()
    }

    /// Kills the process (SIGKILL). One that has ended already is none the worse.
    ///
    /// Does not park, and does not wait for the end: [`wait`](Self::wait) does.
    ///
    /// # Errors
    /// The system's: the process belongs to another user by now, for example.
    pub fn kill(&self) -> io::Result<()> {
        self.running().kill()
    }

    /// Waits for the process to end and returns how it did.
    ///
    /// Closes `stdin` first, if it is still here, so that a child that reads it to the end ends. Parks until the process has ended; what it has started itself may live on. A cancellation
    /// while waiting is raised here and leaves the process running. On the root and on a plain OS thread the wait runs the event loop. While somebody waits, silence
    /// is no deadlock and virtual time stands. Later calls return the same at once.
    ///
    /// # Errors
    /// The system's: somebody else has reaped the process (`ECHILD`), or SIGCHLD is ignored; there is no descriptor to wait with.
    pub fn wait(&self) -> io::Result<ExitStatus> {
        self.close_stdin();
        self.running().wait(&WAIT, None)
    }

    /// Waits for the process to end at most for `limit`; `None` when that passed first.
    ///
    /// Parks, is cancelled and behaves on the root as [`wait`](Self::wait) does; it closes `stdin` too. Under virtual time, which stands meanwhile, the limit does not pass.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub fn wait_timeout(&self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        self.close_stdin();
        match self.running().wait(&WAIT_TIMEOUT, Some(limit)) {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(None),
            ended => ended.map(Some),
        }
    }

    /// Returns how the process ended, if it has.
    ///
    /// Does not park, and leaves `stdin` open.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        self.running().try_wait()
    }

    /// Closes `stdin`, reads what is piped to the end, waits for the process, and returns it all.
    ///
    /// Parks and is cancelled as [`communicate`](Self::communicate), of which it is the form without input.
    ///
    /// # Errors
    /// As [`communicate`](Self::communicate).
    pub fn wait_with_output(mut self) -> io::Result<Output> {
        self.communicate([])
    }

    /// Writes `input` to the process and closes its standard input, reads what it says on both outputs, and waits for it: all at once, so that no full pipe holds it up.
    ///
    /// What is not piped, or was taken out before, is left out. A process that does not read its input to the end is no error. Parks until the outputs have ended (which is
    /// when nobody holds their other ends, children of the child included) and the process too. A cancellation is raised here and leaves the process running, its pipes closed; what
    /// was read until then is lost. On the root and on a plain OS thread the wait runs the event loop. As in [`wait`](Self::wait), virtual time stands meanwhile.
    ///
    /// # Errors
    /// The first of reading, writing or waiting.
    ///
    /// # Examples
    /// ```
    /// use greenthread::process::{Command, Stdio};
    /// let mut sort = Command::new("sort");
    /// let mut child = sort.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    /// let output = child.communicate("pear\napple\n")?;
    /// assert_eq!(output.stdout, b"apple\npear\n");
    /// assert!(output.status.success());
    /// # std::io::Result::Ok(())
    /// ```
    pub fn communicate(&mut self, input: impl AsRef<[u8]>) -> io::Result<Output> {
        let pipes = (self.stdin.take(), self.stdout.take(), self.stderr.take());
        let _outside = Scheduler::get().begin_outside();
        let (stdout, stderr) = talk(pipes, input.as_ref())?;
        let status = self.wait()?;
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }

    fn close_stdin(&self) {
        if let Some(stdin) = &self.stdin {
            stdin.close();
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        if self.kill_on_drop {
            // What cannot be killed has another owner now, and runs on.
            drop(running.kill());
        }
        orphans::adopt(running);
    }
}
