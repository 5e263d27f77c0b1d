//! A child process that plays one case: this test program again, told by a variable what to play.

#![expect(unsafe_code, reason = "sets limits of a child process")]

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};
use std::sync::Once;
use std::thread;
use std::time::Duration;

/// Set in a child, to what it is to play.
const ROLE: &str = "GREENTHREAD_FAULT";

/// Seconds after which a child has hung; it needs a few milliseconds.
const LONGEST: u32 = 60;

/// How a child says what came of it, as its exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No fault came to pass: everything was as it should be.
    Untouched = 40,

    /// A fault came to pass, and nobody noticed.
    Unnoticed = 41,

    /// A fault came to pass and was an error of the call that met it; all that came after was as it should be.
    Error = 42,

    /// The kernel, or whoever is around us, does not let faults be played.
    Impossible = 44,
}

const VERDICTS: [Verdict; 4] = [
    Verdict::Untouched,
    Verdict::Unnoticed,
    Verdict::Error,
    Verdict::Impossible,
];

/// How a child ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// It came to its end and says so.
    Verdict(Verdict),

    /// It aborted.
    Aborted,

    /// It has not ended in time.
    Hung,

    /// With 101, a panic came out of the test; from 128 on, a signal ended it, as shells count.
    Exited(i32),
}

/// A child that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How.
    pub(crate) end: End,

    /// What it wrote to stderr.
    pub(crate) said: String,
}

impl Ended {
    /// Whether faults cannot be played here, which is then said.
    pub(crate) fn is_impossible(&self) -> bool {
        let is_impossible = matches!(self.end, End::Verdict(Verdict::Impossible));
        if is_impossible {
            eprintln!("skipped: {}", self.said);
        }
        is_impossible
    }
}

/// What this process is to play, if it is a child. From then on it ends itself when it hangs.
pub(crate) fn role() -> Option<String> {
    let role = env::var(ROLE).ok()?;
    // SAFETY: takes a number.
    unsafe { libc::alarm(LONGEST) };
    let none = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: reads the struct that it is given.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &none) };
    Some(role)
}

/// A child that plays the test `name` in this role.
pub(crate) fn command(name: &str, role: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([name, "--exact", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role).env_remove("RUST_BACKTRACE");
    command
}

/// Plays the test `name` in this role, to its end.
pub(crate) fn play(name: &str, role: &str) -> Ended {
    let output = command(name, role).stdin(Stdio::null()).output().unwrap();
    Ended {
        end: end(&output),
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn end(output: &Output) -> End {
    let verdict = |code| VERDICTS.into_iter().find(|verdict| *verdict as i32 == code);
    match (output.status.code(), output.status.signal()) {
        (Some(code), _) if verdict(code).is_some() => End::Verdict(verdict(code).unwrap()),
        (_, Some(libc::SIGABRT)) => End::Aborted,
        (_, Some(libc::SIGALRM)) => End::Hung,
        (code, signal) => End::Exited(code.unwrap_or(128 + signal.unwrap_or(0))),
    }
}

/// Ends this program when a test of it hangs.
pub(crate) fn watch_for_hangs() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        thread::spawn(|| {
            thread::sleep(5 * Duration::from_secs(LONGEST.into()));
            eprintln!("a test has not ended");
            std::process::abort();
        });
    });
}

/// Ends this child.
pub(crate) fn conclude(verdict: Verdict) -> ! {
    std::process::exit(verdict as i32)
}
