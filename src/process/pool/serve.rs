//! A process of a pool, from the inside.
//!
//! It is started with a name of its own (`argv[0]`, which nothing that it starts itself inherits), and with the link as its standard input. It moves the link elsewhere, so that what reads
//! standard input finds the end, and answers one call after the other. When the link ends, so does the process.

use std::any::Any;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::thread::{self, ThreadId};

use super::frame::{Frame, Kind, Link, link};
use crate::process::carry::Carried;
use crate::sched::scheduler::Scheduler;
use crate::thread::leftover::end_what_was_left;

/// What a process of a pool is called.
pub(super) const NAME: &str = "greenthread-pool";

/// The OS thread that serves here.
static SERVES: OnceLock<ThreadId> = OnceLock::new();

/// Whether this process is one of a pool.
pub(super) fn is_child() -> bool {
    std::env::args_os().next().is_some_and(|name| name == NAME)
}

/// Answers calls by `call`, which is given a function's name and its argument, until there are no more, and ends the process. Returns when a function that is being called calls it.
#[allow(
    clippy::disallowed_methods,
    reason = "this process is there for nothing else"
)]
pub(super) fn serve(call: impl Fn(&str, Carried) -> Frame) {
    let own = thread::current().id();
    let mut is_first = false;
    let serves = SERVES.get_or_init(|| {
        is_first = true;
        own
    });
    if !is_first {
        if *serves != own {
            wait_for_the_end();
        }
        return;
    }
    let served = take_link().and_then(|link| answer_all(&link, call));
    let failed = served.err().filter(|error| !has_gone(error));
    if let Some(error) = &failed {
        let _ = writeln!(
            io::stderr(),
            "greenthread: a process of a pool lost its pool: {error}"
        );
    }
    std::process::exit(i32::from(failed.is_some()))
}

/// Whether the pool's own process has ended.
fn has_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof
    )
}

/// Another OS thread serves, and will end the process: in a test program that runs all its tests, for one.
#[allow(clippy::disallowed_methods, reason = "this OS thread is done")]
fn wait_for_the_end() -> ! {
    loop {
        thread::park();
    }
}

/// Moves the link away from standard input.
fn take_link() -> io::Result<Link> {
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    link(UnixStream::from(socket))
}

fn answer_all(link: &Link, call: impl Fn(&str, Carried) -> Frame) -> io::Result<()> {
    while let Some((number, frame)) = Frame::receive(link)? {
        let (name, argument) = frame.into_call().ok_or(io::ErrorKind::InvalidData)?;
        let answer = answer(|| call(&name, argument));
        // What the function has printed belongs to this call.
        let _ = io::stdout().flush();
        answer.send(link, number)?;
    }
    Ok(())
}

/// Runs a call on the root, and leaves nothing of it behind but its answer.
fn answer(call: impl FnOnce() -> Frame) -> Frame {
    let process = std::process::id();
    let answer = catch_unwind(AssertUnwindSafe(call));
    end_fork_of(process);
    end_what_was_left(Scheduler::get(), Scheduler::everybody);
    end_fork_of(process);
    answer.unwrap_or_else(|panic| Frame::text(Kind::Panicked, words(&*panic).to_owned()))
}

/// A fork that came back out of the function is no process of the pool's. It ends where it is: to drop the link, or any other source, would take it out of the reactor that the fork shares
/// with the one it was made of, which would wait for its next call for ever.
#[allow(
    clippy::disallowed_methods,
    reason = "nothing that is here is this process's own"
)]
fn end_fork_of(process: u32) {
    if std::process::id() != process {
        std::process::exit(0);
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a value that is no string")
}
