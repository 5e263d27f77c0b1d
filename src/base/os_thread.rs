//! What the system knows of the OS thread that runs.

#![cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "asks the C library")
)]

use std::ops::Range;

/// The kernel's number for it: what `gdb` and `top` show.
#[cfg(target_os = "linux")]
pub(crate) fn number() -> i32 {
    // SAFETY: a system call without arguments, which does not fail.
    unsafe { libc::gettid() }
}

/// The addresses of its own stack; empty when they are not known.
#[cfg(target_os = "linux")]
pub(crate) fn stack() -> Range<usize> {
    // SAFETY: a struct of plain words.
    let mut attributes: libc::pthread_attr_t = unsafe { std::mem::zeroed() };
    // SAFETY: the OS thread that calls exists.
    let me = unsafe { libc::pthread_self() };
    // SAFETY: fills the struct.
    if unsafe { libc::pthread_getattr_np(me, &mut attributes) } != 0 {
        return 0..0;
    }
    let (mut start, mut bytes) = (std::ptr::null_mut(), 0);
    // SAFETY: reads the struct that was filled.
    let known = unsafe { libc::pthread_attr_getstack(&attributes, &mut start, &mut bytes) } == 0;
    // SAFETY: filled above, and not used after.
    unsafe { libc::pthread_attr_destroy(&mut attributes) };
    if known {
        start.addr()..start.addr() + bytes
    } else {
        0..0
    }
}

/// The kernel's number for it: zero, which is no number.
#[cfg(not(target_os = "linux"))]
pub(crate) fn number() -> i32 {
    0
}

/// The addresses of its own stack: not known here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn stack() -> Range<usize> {
    0..0
}
