//! A system call that fails: the n-th of its kind, or all from that on, on this OS thread and on those that it makes from then on.
//!
//! The kernel holds each such call up and asks another OS thread of this process what to answer (`SECCOMP_RET_USER_NOTIF`, seccomp(2)). That one was made before and is asked nothing itself; it says
//! "go on", or the error. It allocates nothing and takes no lock: whoever waits for its answer may hold any.

#![expect(unsafe_code, reason = "installs a filter of system calls")]

use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::trial::{self, Verdict};

/// `SECCOMP_IOCTL_NOTIF_RECV`: `_IOWR('!', 0, struct seccomp_notif)`.
const RECEIVE: libc::c_ulong = 0xc050_2100;

/// `SECCOMP_IOCTL_NOTIF_SEND`: `_IOWR('!', 1, struct seccomp_notif_resp)`.
const ANSWER: libc::c_ulong = 0xc018_2101;

/// So many calls of one kind are a busy loop; the scenes make some hundred.
const MOST_CALLS: u64 = 20_000;

/// What a child exits with that calls for ever.
const BUSY: i32 = 43;

/// Where questions come from; below 0 until the filter stands.
static LISTENER: AtomicI32 = AtomicI32::new(-1);

/// How many calls have come.
static CALLS: AtomicU64 = AtomicU64::new(0);

/// Whether any was failed.
static HAS_FAILED: AtomicBool = AtomicBool::new(false);

/// Whether all are let through, from now on.
static IS_OVER: AtomicBool = AtomicBool::new(false);

/// Which calls fail, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// The number of the system call.
    pub(crate) call: libc::c_long,

    /// Which of them.
    pub(crate) only: Only,

    /// What they fail with.
    pub(crate) errno: i32,

    /// The first that fails, counted from 1.
    pub(crate) n: u64,

    /// Whether those after it fail, too.
    pub(crate) for_good: bool,
}

/// Those calls of which an argument, counted from 0, is `value` in the bits of `mask`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Only {
    /// Which argument.
    pub(crate) argument: u32,

    /// Which of its bits.
    pub(crate) mask: u32,

    /// What these are.
    pub(crate) value: u32,
}

/// Every call.
pub(crate) const ALL: Only = Only {
    argument: 0,
    mask: 0,
    value: 0,
};

/// From now on `fault` holds on this OS thread and on those that it makes.
pub(crate) fn arm(fault: Fault) {
    thread::spawn(move || answer_all(&fault));
    LISTENER.store(install(&fault), Ordering::SeqCst);
}

/// How many of these calls have come.
pub(crate) fn calls() -> u64 {
    CALLS.load(Ordering::SeqCst)
}

/// From now on nothing fails any more; whether anything has.
pub(crate) fn disarm() -> bool {
    IS_OVER.store(true, Ordering::SeqCst);
    HAS_FAILED.load(Ordering::SeqCst)
}

/// Installs the filter on this OS thread; returns where its questions come from.
fn install(fault: &Fault) -> RawFd {
    let mut steps = steps(fault);
    let program = libc::sock_fprog {
        len: steps.len() as u16,
        filter: steps.as_mut_ptr(),
    };
    // SAFETY: takes nothing but the right to gain rights.
    let modest = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(modest, 0);
    // SAFETY: reads the program.
    let listener = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &program,
        )
    };
    if listener < 0 {
        let error = io::Error::last_os_error();
        eprintln!("the kernel lets no system calls be answered: {error}");
        trial::conclude(Verdict::Impossible);
    }
    listener as RawFd
}

fn steps(fault: &Fault) -> Vec<libc::sock_filter> {
    let step = |code: u32, jt, jf, k| libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let equal = libc::BPF_JMP | libc::BPF_JEQ;
    let only = fault.only;
    vec![
        step(load, 0, 0, 0),
        step(equal, 0, 4, fault.call as u32),
        step(load, 0, 0, 16 + 8 * only.argument),
        step(libc::BPF_ALU | libc::BPF_AND, 0, 0, only.mask),
        step(equal, 0, 1, only.value),
        step(libc::BPF_RET, 0, 0, libc::SECCOMP_RET_USER_NOTIF),
        step(libc::BPF_RET, 0, 0, libc::SECCOMP_RET_ALLOW),
    ]
}

/// The life of the OS thread that is asked.
fn answer_all(fault: &Fault) {
    while LISTENER.load(Ordering::SeqCst) < 0 {
        thread::sleep(Duration::from_micros(50));
    }
    let listener = LISTENER.load(Ordering::SeqCst);
    loop {
        // SAFETY: a struct of numbers; the kernel wants it to be zero.
        let mut question: libc::seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: fills the struct.
        if unsafe { libc::ioctl(listener, RECEIVE, &mut question) } != 0 {
            // Who asked was interrupted, or has gone.
            continue;
        }
        let mut answer = answer(fault, question.id);
        // SAFETY: reads the struct.
        unsafe { libc::ioctl(listener, ANSWER, &mut answer) };
    }
}

fn answer(fault: &Fault, id: u64) -> libc::seccomp_notif_resp {
    let count = CALLS.fetch_add(1, Ordering::SeqCst) + 1;
    let is_hit = count == fault.n || fault.for_good && count > fault.n;
    let fails = is_hit && !IS_OVER.load(Ordering::SeqCst);
    if fails {
        HAS_FAILED.store(true, Ordering::SeqCst);
    }
    if count > MOST_CALLS {
        // SAFETY: ends the process at once; nobody's locks matter any more.
        unsafe { libc::_exit(BUSY) };
    }
    let go_on = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32;
    libc::seccomp_notif_resp {
        id,
        val: 0,
        error: if fails { -fault.errno } else { 0 },
        flags: if fails { 0 } else { go_on },
    }
}
