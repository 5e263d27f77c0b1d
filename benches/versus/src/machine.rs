//! What std does not ask of the kernel: cores, the CPU clock of another process, the limit of descriptors.

#![expect(unsafe_code, reason = "affinity, CPU clocks, resource limits")]

use std::io;
use std::time::Duration;

/// The cores that an OS thread may run on.
#[derive(Clone, Copy)]
pub struct Cores(libc::cpu_set_t);

impl Cores {
    /// Those of the OS thread that calls.
    pub fn allowed() -> Self {
        // SAFETY: all-zero is a value of this struct of bits.
        let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: it writes to the one struct that it is given.
        let failed = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
        assert_eq!(failed, 0, "{}", io::Error::last_os_error());
        Cores(set)
    }

    /// Their numbers.
    pub fn numbers(&self) -> Vec<usize> {
        // SAFETY: the numbers are below the set's size.
        let has = |core: &usize| unsafe { libc::CPU_ISSET(*core, &self.0) };
        (0..libc::CPU_SETSIZE as usize).filter(has).collect()
    }

    /// One of them alone.
    fn only(core: usize) -> Self {
        // SAFETY: all-zero is the empty set.
        let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
        // SAFETY: the number came from a set of the same size.
        unsafe { libc::CPU_SET(core, &mut set) };
        Cores(set)
    }

    fn apply(&self) {
        // SAFETY: it reads the one struct that it is given.
        let failed = unsafe { libc::sched_setaffinity(0, size_of_val(&self.0), &raw const self.0) };
        assert_eq!(failed, 0, "{}", io::Error::last_os_error());
    }
}

/// Holds the OS thread that calls, and the processes that it starts, to one core until it is dropped.
pub struct Held(Cores);

impl Held {
    /// To the core of this number.
    pub fn to(core: usize) -> Self {
        let before = Cores::allowed();
        Cores::only(core).apply();
        Held(before)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.apply();
    }
}

/// CPU time that all OS threads of a process have used, to the nanosecond.
pub fn cpu_of(process: u32) -> io::Result<Duration> {
    let mut clock = 0;
    // SAFETY: it writes to the one integer that it is given.
    let failed = unsafe { libc::clock_getcpuclockid(process as libc::pid_t, &raw mut clock) };
    if failed != 0 {
        return Err(io::Error::from_raw_os_error(failed));
    }
    let mut spent = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: it writes to the one struct that it is given.
    if unsafe { libc::clock_gettime(clock, &raw mut spent) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32))
}

/// Raises the limit of descriptors as far as it goes, for this process and those that it starts; says how far that is.
pub fn raise_descriptors() -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: it writes to the one struct that it is given.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    let raised = libc::rlimit {
        rlim_cur: limit.rlim_max,
        ..limit
    };
    // SAFETY: it reads the one struct that it is given.
    match unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) } {
        0 => raised.rlim_cur,
        _ => limit.rlim_cur,
    }
}
