//! A test's body in a process of its own, for what aborts, exits, or changes the whole process.

use std::env;
use std::io::Read;
use std::process::{Command, ExitStatus, Stdio, exit};
use std::time::{Duration, Instant};

/// Names the test whose body this process is to run.
const CHILD: &str = "GREENTHREAD_LAWS_CHILD";

/// After this a child hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// How a child ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit status.
    pub(crate) status: ExitStatus,

    /// All that it wrote to stderr.
    pub(crate) stderr: String,
}

impl Ended {
    /// The exit code; a signal is none.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Asserts that the body came to its end.
    #[track_caller]
    pub(crate) fn succeeded(&self) {
        assert!(self.status.success(), "{}\n{}", self.status, self.stderr);
    }

    /// Asserts that the process was aborted.
    #[track_caller]
    pub(crate) fn aborted(&self) {
        use std::os::unix::process::ExitStatusExt;
        let signal = self.status.signal();
        assert_eq!(
            signal,
            Some(libc::SIGABRT),
            "{}\n{}",
            self.status,
            self.stderr
        );
    }

    /// Asserts that stderr has this text.
    #[track_caller]
    pub(crate) fn said(&self, text: &str) {
        assert!(
            self.stderr.contains(text),
            "no {text:?} in\n{}",
            self.stderr
        );
    }

    /// How often stderr has this text.
    pub(crate) fn times(&self, text: &str) -> usize {
        self.stderr.matches(text).count()
    }
}

/// Runs `body` in a process of its own: the test `name` (with its module) of this very binary, started once more.
pub(crate) fn run(name: &str, body: impl FnOnce()) -> Ended {
    run_with(name, |_| {}, body)
}

/// The same, with changes to how the process is started.
pub(crate) fn run_with(
    name: &str,
    prepare: impl FnOnce(&mut Command),
    body: impl FnOnce(),
) -> Ended {
    if env::var(CHILD).is_ok_and(|child| child == name) {
        body();
        exit(0);
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(CHILD, name)
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    prepare(&mut command);
    wait(command)
}

/// Starts it and waits for its end; one that hangs is killed, and the test fails.
fn wait(mut command: Command) -> Ended {
    let mut child = command.spawn().unwrap();
    let pipe = child.stderr.take();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut text).unwrap();
        }
        String::from_utf8_lossy(&text).into_owned()
    });
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the child hangs:\n{}", reader.join().unwrap());
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let stderr = reader.join().unwrap();
    Ended { status, stderr }
}
