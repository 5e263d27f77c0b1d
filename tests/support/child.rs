//! A part of a test in a child process: what ends the process, limits it, or writes to its stderr.

#![expect(unsafe_code, reason = "sets resource limits")]

use std::env;
use std::process::{Command, Output};

/// Says to a child process that it is one.
const CHILD: &str = "GREENTHREAD_TEST_CHILD";

/// How a child ended.
#[derive(Debug)]
pub(crate) struct Ended(Output);

/// Runs `part` in a child process that plays only this test. In the child it does not return.
pub(crate) fn run(test: &str, part: impl FnOnce()) -> Ended {
    if env::var_os(CHILD).is_some() {
        part();
        std::process::exit(0);
    }
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .output();
    Ended(child.unwrap())
}

impl Ended {
    /// Whether the part came to its end.
    pub(crate) fn succeeded(&self) -> bool {
        self.0.status.success()
    }

    /// Whether it ended by `abort`.
    pub(crate) fn aborted(&self) -> bool {
        use std::os::unix::process::ExitStatusExt;
        self.0.status.signal() == Some(libc::SIGABRT)
    }

    /// The signal that ended it.
    pub(crate) fn signal(&self) -> Option<i32> {
        use std::os::unix::process::ExitStatusExt;
        self.0.status.signal()
    }

    /// What it exited with.
    pub(crate) fn code(&self) -> Option<i32> {
        self.0.status.code()
    }

    /// What it wrote to stderr.
    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }
}

/// Allows this process so many bytes of address space more; returns the limit that it had.
#[cfg(target_os = "linux")]
pub(crate) fn limit_address_space(more: u64) -> libc::rlimit {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
    let mut old = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: fills the struct that it is given.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_AS, &mut old) }, 0);
    set_address_space(libc::rlimit {
        rlim_cur: pages * 4096 + more,
        ..old
    });
    old
}

/// Sets the limit on this process's address space.
#[cfg(target_os = "linux")]
pub(crate) fn set_address_space(limit: libc::rlimit) {
    // SAFETY: reads the struct that it is given.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
}
