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
    run_with(test, &[], part)
}

/// The same, with these variables in the child's environment.
pub(crate) fn run_with(test: &str, variables: &[(&str, &str)], part: impl FnOnce()) -> Ended {
    if env::var_os(CHILD).is_some() {
        part();
        std::process::exit(0);
    }
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .envs(variables.iter().copied())
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

/// From now on the kernel answers this OS thread's system call `number` with `errno` when the argument has all bits of `mask`.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) fn refuse(number: libc::c_long, argument: u32, mask: u32, errno: i32) {
    let step = |code: u32, jt, jf, k| libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let equal = libc::BPF_JMP | libc::BPF_JEQ;
    let and = libc::BPF_ALU | libc::BPF_AND;
    let give = libc::BPF_RET;
    let mut steps = [
        step(load, 0, 0, 0),
        step(equal, 0, 4, number as u32),
        step(load, 0, 0, 16 + 8 * argument),
        step(and, 0, 0, mask),
        step(equal, 0, 1, mask),
        step(give, 0, 0, libc::SECCOMP_RET_ERRNO | errno as u32),
        step(give, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog {
        len: steps.len() as u16,
        filter: steps.as_mut_ptr(),
    };
    // SAFETY: takes nothing but the right to gain rights.
    let modest = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(modest, 0);
    // SAFETY: reads the program.
    let set = unsafe { libc::prctl(libc::PR_SET_SECCOMP, 2, &program) };
    assert_eq!(set, 0);
}
