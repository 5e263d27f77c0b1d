//! Clocks that jump: this program's own `clock_gettime`, which std and the crate call in place of the C library's.

#![expect(unsafe_code, reason = "stands for a function of the C library")]

use std::sync::atomic::{AtomicI64, Ordering};

/// By how many seconds the wall clock is wrong.
static WALL: AtomicI64 = AtomicI64::new(0);

/// By how many seconds the steady clock has jumped.
static STEADY: AtomicI64 = AtomicI64::new(0);

/// From now on the wall clock is wrong by so many seconds.
pub(crate) fn set_wall(seconds: i64) {
    WALL.store(seconds, Ordering::SeqCst);
}

/// From now on the steady clock is so many seconds ahead.
pub(crate) fn set_steady(seconds: i64) {
    STEADY.store(seconds, Ordering::SeqCst);
}

/// # Safety
/// `time` may be written to.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(
    clock: libc::clockid_t,
    time: *mut libc::timespec,
) -> libc::c_int {
    // SAFETY: the caller's duty.
    let status = unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) };
    let jump = match clock {
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE => WALL.load(Ordering::SeqCst),
        libc::CLOCK_MONOTONIC | libc::CLOCK_MONOTONIC_COARSE => STEADY.load(Ordering::SeqCst),
        _ => 0,
    };
    if status == 0 {
        // SAFETY: the caller's duty; the kernel has just written it.
        unsafe { (*time).tv_sec += jump };
    }
    status as libc::c_int
}
