//! A clock that costs next to nothing and is a few milliseconds behind.

#![cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "asks the C library for the time")
)]

use std::time::Duration;

/// The time since some moment, as of the kernel's last tick; `None` where there is no such clock.
#[cfg(target_os = "linux")]
pub(crate) fn now() -> Option<Duration> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: fills the struct that it is given.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &mut time) };
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let nanoseconds = u32::try_from(time.tv_nsec).ok()?;
    (status == 0).then(|| Duration::new(seconds, nanoseconds))
}

/// The time since some moment, as of the kernel's last tick; `None` where there is no such clock.
#[cfg(not(target_os = "linux"))]
pub(crate) fn now() -> Option<Duration> {
    None
}
