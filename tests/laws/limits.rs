//! The limit of a process's address space, for children that are to find no stack.

#![expect(unsafe_code, reason = "sets a resource limit")]

/// Makes this process's address space too small for another slab.
pub(crate) fn leave_no_room() {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm")
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    set_limit(pages * 4096 + (1 << 20));
}

fn set_limit(bytes: u64) {
    let limit = libc::rlimit {
        rlim_cur: bytes,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: changes a limit of this process, a test's child.
    let status = unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) };
    assert_eq!(status, 0);
}

/// Lifts the limit again.
pub(crate) fn lift() {
    set_limit(libc::RLIM_INFINITY);
}
