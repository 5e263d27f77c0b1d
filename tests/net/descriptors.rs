//! How many descriptors the process has open, and how many it may.

#![allow(dead_code, reason = "each test program uses a part")]
#![expect(unsafe_code, reason = "std does not know the descriptor limit")]

use std::io;

fn limits() -> libc::rlimit {
    let mut limits = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: it writes to the one struct that it is given.
    let failed = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limits) };
    assert_eq!(failed, 0, "{}", io::Error::last_os_error());
    limits
}

fn set_soft(soft: libc::rlim_t) {
    let limits = libc::rlimit {
        rlim_cur: soft,
        ..limits()
    };
    // SAFETY: it reads the one struct that it is given.
    let failed = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limits) };
    assert_eq!(failed, 0, "{}", io::Error::last_os_error());
}

/// Raises the soft limit to `wanted` at least; panics when the hard one is lower.
pub(crate) fn allow(wanted: u64) {
    let limits = limits();
    assert!(wanted <= limits.rlim_max, "hard limit {}", limits.rlim_max);
    if limits.rlim_cur < wanted {
        set_soft(wanted);
    }
}

/// Raises the soft limit as far as it goes, and returns that.
pub(crate) fn allow_all() -> u64 {
    let most = limits().rlim_max;
    allow(most);
    most
}

/// Lets no descriptor be opened from now on, but those below the highest that are closed again.
pub(crate) fn allow_no_more() {
    set_soft(open().into_iter().max().unwrap_or(0) + 1);
}

/// The descriptors that are open, but for the one that tells.
pub(crate) fn open() -> Vec<u64> {
    let listed = std::fs::read_dir("/proc/self/fd").unwrap();
    let names: Vec<_> = listed.map(|entry| entry.unwrap().file_name()).collect();
    let mut open: Vec<u64> = names
        .iter()
        .map(|name| name.to_str().unwrap().parse().unwrap())
        .collect();
    open.retain(|fd| std::fs::symlink_metadata(format!("/proc/self/fd/{fd}")).is_ok());
    open
}
