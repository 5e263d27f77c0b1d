//! What signals are called, and which cannot be listened to.

use std::io;

use libc::c_int;

/// The names of the signals that every Unix has.
const NAMES: [(c_int, &str); 27] = [
    (libc::SIGABRT, "SIGABRT"),
    (libc::SIGALRM, "SIGALRM"),
    (libc::SIGBUS, "SIGBUS"),
    (libc::SIGCHLD, "SIGCHLD"),
    (libc::SIGCONT, "SIGCONT"),
    (libc::SIGFPE, "SIGFPE"),
    (libc::SIGHUP, "SIGHUP"),
    (libc::SIGILL, "SIGILL"),
    (libc::SIGINT, "SIGINT"),
    (libc::SIGIO, "SIGIO"),
    (libc::SIGKILL, "SIGKILL"),
    (libc::SIGPIPE, "SIGPIPE"),
    (libc::SIGPROF, "SIGPROF"),
    (libc::SIGQUIT, "SIGQUIT"),
    (libc::SIGSEGV, "SIGSEGV"),
    (libc::SIGSTOP, "SIGSTOP"),
    (libc::SIGSYS, "SIGSYS"),
    (libc::SIGTERM, "SIGTERM"),
    (libc::SIGTRAP, "SIGTRAP"),
    (libc::SIGTSTP, "SIGTSTP"),
    (libc::SIGTTIN, "SIGTTIN"),
    (libc::SIGTTOU, "SIGTTOU"),
    (libc::SIGURG, "SIGURG"),
    (libc::SIGUSR1, "SIGUSR1"),
    (libc::SIGUSR2, "SIGUSR2"),
    (libc::SIGVTALRM, "SIGVTALRM"),
    (libc::SIGWINCH, "SIGWINCH"),
];

/// The highest number that a listener has a mark for.
pub(super) const HIGHEST: c_int = 64;

/// The signal's name; its number when it has none.
pub(super) fn name(signal: c_int) -> String {
    let named = NAMES.iter().find(|(number, _)| *number == signal);
    named.map_or_else(
        || format!("signal {signal}"),
        |(_, name)| (*name).to_owned(),
    )
}

/// Refuses a signal that cannot be listened to, and says why.
pub(super) fn check(signal: c_int) -> io::Result<()> {
    let why = match signal {
        libc::SIGKILL | libc::SIGSTOP => "the kernel hands it to nobody",
        libc::SIGSEGV | libc::SIGBUS => {
            "it is a fault of the code that runs, and tells of stack overflows"
        }
        libc::SIGILL | libc::SIGFPE => "it is a fault of the code that runs",
        1..=HIGHEST => return Ok(()),
        _ => "there is no signal of that number",
    };
    Err(refused(signal, why))
}

/// The error for a signal that cannot be had.
pub(super) fn refused(signal: c_int, why: impl std::fmt::Display) -> io::Error {
    let text = format!("{} cannot be listened to: {why}", name(signal));
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
