//! Every system call of the runtime fails in turn: the n-th of its kind, or all from the n-th on.
//!
//! `EINTR` and `EAGAIN`, where a call may return them, are nobody's business but ours. What is used up (`ENOMEM`, `EMFILE` and their like) is an error of the call that needed it. A descriptor that is
//! bad is somebody's grave mistake: an error or an abort with a message, and never a hang or a busy loop.

use std::collections::BTreeMap;

use libc::{EAGAIN, EBADF, EINTR, EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSPC, EPERM};

use crate::scenes::{ACROSS, HERE, Scene};
use crate::shim::{self, ALL, Fault, Only};
use crate::trial::{self, End, Ended, Verdict};

/// The most calls of one kind that fail in turn.
const MOST: u64 = 8;

/// What fails in which scene.
struct Row {
    /// The scene.
    scene: &'static str,

    /// The call's name.
    name: &'static str,

    /// Its number.
    call: libc::c_long,

    /// Which of them.
    only: Only,

    /// The errors, in turn.
    errors: &'static [i32],

    /// How many of its calls fail, in turn.
    most: u64,
}

const fn row(
    scene: &'static str,
    name: &'static str,
    call: libc::c_long,
    errors: &'static [i32],
) -> Row {
    Row {
        scene,
        name,
        call,
        only: ALL,
        errors,
        most: MOST,
    }
}

/// A futex that is waited on as std and the C library do it, whatever flags the operation has.
const WAITS: Only = Only {
    argument: 1,
    mask: 0x7f,
    value: libc::FUTEX_WAIT_BITSET as u32,
};

/// Eight bytes are written: to an eventfd.
const RINGS: Only = Only {
    argument: 2,
    mask: u32::MAX,
    value: 8,
};

/// What only one of the twins of a platform file calls, or another kernel; and what is called only when somebody has to wait.
const NOT_ALWAYS: [&str; 4] = ["futex", "madvise", "membarrier", "mprotect"];

/// Errors that nobody may notice.
const HIDDEN: &[Row] = &[
    row("tcp", "epoll_wait", libc::SYS_epoll_wait, &[EINTR]),
    row("tcp", "recvfrom", libc::SYS_recvfrom, &[EINTR, EAGAIN]),
    row("tcp", "sendto", libc::SYS_sendto, &[EINTR, EAGAIN]),
    // Only what is not registered yet: an edge that came is not told again.
    Row {
        most: 1,
        ..row("tcp", "accept4", libc::SYS_accept4, &[EINTR, EAGAIN])
    },
    row("rings", "epoll_wait", libc::SYS_epoll_wait, &[EINTR]),
    Row {
        only: RINGS,
        ..row("rings", "write", libc::SYS_write, &[EINTR, EAGAIN])
    },
    Row {
        only: WAITS,
        ..row(
            "wakes from elsewhere",
            "futex",
            libc::SYS_futex,
            &[EINTR, EAGAIN],
        )
    },
    Row {
        only: WAITS,
        ..row("spawn_blocking", "futex", libc::SYS_futex, &[EINTR, EAGAIN])
    },
    Row {
        only: WAITS,
        ..row("workers", "futex", libc::SYS_futex, &[EINTR, EAGAIN])
    },
];

/// What is used up.
const USED_UP: &[Row] = &[
    row(
        "tcp",
        "socket",
        libc::SYS_socket,
        &[ENOMEM, EMFILE, ENFILE, ENOBUFS],
    ),
    row("tcp", "bind", libc::SYS_bind, &[ENOMEM]),
    row("tcp", "listen", libc::SYS_listen, &[ENOMEM]),
    row("tcp", "setsockopt", libc::SYS_setsockopt, &[ENOMEM]),
    row("tcp", "getsockname", libc::SYS_getsockname, &[ENOBUFS]),
    row("tcp", "connect", libc::SYS_connect, &[ENOMEM, EAGAIN]),
    row("tcp", "getpeername", libc::SYS_getpeername, &[ENOBUFS]),
    row(
        "tcp",
        "accept4",
        libc::SYS_accept4,
        &[ENOMEM, EMFILE, ENFILE, ENOBUFS],
    ),
    row("tcp", "ioctl", libc::SYS_ioctl, &[ENOMEM]),
    row(
        "tcp",
        "epoll_create1",
        libc::SYS_epoll_create1,
        &[ENOMEM, EMFILE, ENFILE],
    ),
    row("tcp", "fcntl", libc::SYS_fcntl, &[EMFILE]),
    row(
        "tcp",
        "eventfd2",
        libc::SYS_eventfd2,
        &[ENOMEM, EMFILE, ENFILE],
    ),
    row("tcp", "epoll_ctl", libc::SYS_epoll_ctl, &[ENOMEM, ENOSPC]),
    row("tcp", "recvfrom", libc::SYS_recvfrom, &[ENOMEM]),
    row("tcp", "sendto", libc::SYS_sendto, &[ENOMEM, ENOBUFS]),
    row("first use", "mmap", libc::SYS_mmap, &[ENOMEM, EAGAIN]),
    row("first use", "mprotect", libc::SYS_mprotect, &[ENOMEM]),
    row("first use", "madvise", libc::SYS_madvise, &[ENOMEM, EAGAIN]),
    row(
        "first use",
        "membarrier",
        libc::SYS_membarrier,
        &[ENOMEM, EPERM],
    ),
    row("first use", "sigaltstack", libc::SYS_sigaltstack, &[ENOMEM]),
    row("stacks", "mmap", libc::SYS_mmap, &[ENOMEM, EAGAIN]),
    row("stacks", "mprotect", libc::SYS_mprotect, &[ENOMEM]),
    row("stacks", "madvise", libc::SYS_madvise, &[ENOMEM, EAGAIN]),
    row("a builder", "mmap", libc::SYS_mmap, &[ENOMEM]),
    row("a builder", "madvise", libc::SYS_madvise, &[ENOMEM]),
    row(
        "wakes from elsewhere",
        "membarrier",
        libc::SYS_membarrier,
        &[ENOMEM, EPERM],
    ),
    row(
        "wakes from elsewhere",
        "clone3",
        libc::SYS_clone3,
        &[EAGAIN, ENOMEM],
    ),
    row(
        "spawn_blocking",
        "clone3",
        libc::SYS_clone3,
        &[EAGAIN, ENOMEM],
    ),
    row(
        "spawn_anywhere",
        "clone3",
        libc::SYS_clone3,
        &[EAGAIN, ENOMEM],
    ),
    row("workers", "clone3", libc::SYS_clone3, &[EAGAIN, ENOMEM]),
    row("workers", "mmap", libc::SYS_mmap, &[ENOMEM]),
    row("spawn_blocking", "mmap", libc::SYS_mmap, &[ENOMEM]),
];

/// Descriptors that are bad.
const BAD: &[Row] = &[
    row("tcp", "epoll_wait", libc::SYS_epoll_wait, &[EBADF]),
    row("tcp", "epoll_ctl", libc::SYS_epoll_ctl, &[EBADF]),
    row("tcp", "recvfrom", libc::SYS_recvfrom, &[EBADF]),
    row("tcp", "sendto", libc::SYS_sendto, &[EBADF]),
    row("tcp", "accept4", libc::SYS_accept4, &[EBADF]),
    row("tcp", "connect", libc::SYS_connect, &[EBADF]),
    row("tcp", "close", libc::SYS_close, &[EBADF, EINTR]),
    row("rings", "epoll_wait", libc::SYS_epoll_wait, &[EBADF]),
    Row {
        only: RINGS,
        ..row("rings", "write", libc::SYS_write, &[EBADF])
    },
];

fn play(role: &str, rows: &[Row]) -> ! {
    let parts: Vec<&str> = role.split('/').collect();
    let row = rows
        .iter()
        .find(|row| row.scene == parts[0] && row.name == parts[1])
        .unwrap();
    let mut scenes = HERE.iter().chain(ACROSS);
    let scene: &Scene = scenes.find(|scene| scene.name == row.scene).unwrap();
    let fault = Fault {
        call: row.call,
        only: row.only,
        errno: parts[2].parse().unwrap(),
        n: parts[3].parse().unwrap(),
        for_good: parts[4] == "true",
    };
    scene.play_and_conclude(|| shim::arm(fault), shim::disarm)
}

impl Row {
    /// Plays its cases, one error from the first call on, until the scene has no n-th call; returns how they ended.
    fn play_all(&self, test: &str, errno: i32, for_good: bool) -> Vec<(String, Ended)> {
        let mut all = Vec::new();
        for n in 1..=self.most {
            let role = format!("{}/{}/{errno}/{n}/{for_good}", self.scene, self.name);
            let ended = trial::play(test, &role);
            if matches!(ended.end, End::Verdict(Verdict::Untouched)) {
                break;
            }
            all.push((role, ended));
        }
        all
    }
}

/// Plays every case of these rows, each of which must end as it `may`.
fn assert_all(test: &str, rows: &[Row], ways: &[bool], may: fn(&Ended) -> bool) {
    if let Some(role) = trial::role() {
        play(&role, rows);
    }
    let mut wrong = Vec::new();
    for row in rows {
        let cases = row
            .errors
            .iter()
            .flat_map(|errno| ways.iter().map(move |way| (errno, way)));
        let ended: Vec<_> = cases
            .flat_map(|(errno, way)| row.play_all(test, *errno, *way))
            .collect();
        if ended.iter().any(|(_, ended)| ended.is_impossible()) {
            return;
        }
        println!("{}, {}: {}", row.scene, row.name, summary(&ended));
        assert!(!ended.is_empty() || NOT_ALWAYS.contains(&row.name));
        wrong.extend(ended.into_iter().filter(|(_, ended)| !may(ended)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// How many ended how.
fn summary(all: &[(String, Ended)]) -> String {
    let mut counts = BTreeMap::new();
    for (_, ended) in all {
        *counts.entry(format!("{:?}", ended.end)).or_insert(0) += 1;
    }
    format!("{counts:?}")
}

fn is_hidden(ended: &Ended) -> bool {
    matches!(
        ended.end,
        End::Verdict(Verdict::Untouched | Verdict::Unnoticed)
    )
}

/// Aborts and panics that are documented, by what they say; the last is std's, of an OS thread that it has just made.
const DOCUMENTED: [&str; 3] = [
    "greenthread: ",
    "memory allocation of ",
    "failed to allocate an alternative stack",
];

/// An error has the system's number, in one of the ways in which std writes it.
fn is_loud_or_hidden(ended: &Ended) -> bool {
    let says = |texts: &[&str]| texts.iter().any(|text| ended.said.contains(text));
    match ended.end {
        End::Verdict(Verdict::Error) => says(&["(os error ", "Os { code: "]),
        End::Verdict(_) => true,
        End::Aborted | End::Exited(101) => says(&DOCUMENTED),
        End::Exited(_) | End::Hung => false,
    }
}

#[test]
fn what_was_interrupted_or_not_ready_is_tried_again_and_nobody_notices() {
    let test = "syscalls::what_was_interrupted_or_not_ready_is_tried_again_and_nobody_notices";
    assert_all(test, HIDDEN, &[false], is_hidden);
}

#[test]
fn what_is_used_up_is_an_error_of_the_call_that_needed_it() {
    let test = "syscalls::what_is_used_up_is_an_error_of_the_call_that_needed_it";
    assert_all(test, USED_UP, &[false, true], is_loud_or_hidden);
}

#[test]
fn a_bad_descriptor_is_an_error_or_an_abort_and_no_hang_or_busy_loop() {
    let test = "syscalls::a_bad_descriptor_is_an_error_or_an_abort_and_no_hang_or_busy_loop";
    assert_all(test, BAD, &[false, true], is_loud_or_hidden);
}
