//! Which limit stood behind a refusal (L3). Only read once something has been refused.

#![expect(unsafe_code, reason = "asks for a resource limit")]

use std::fs;
use std::io;

use super::pages::page_size;

/// What a resource limit is named by.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
type Resource = libc::__rlimit_resource_t;

/// What a resource limit is named by.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
type Resource = libc::c_int;

/// What can be done about too few mappings.
const WAYS_OUT: &str = "raise it (sysctl -w vm.max_map_count=1048576), or use Linux 6.13 or newer, where a guard needs none";

/// A mapping that needs this many more entries than there is room for is blamed on `vm.max_map_count`: a guard splits one in three.
const MAPS_PER_GUARD: usize = 3;

/// The error for a refused request, with the limit that explains it.
#[cold]
pub(super) fn refused(verb: &str, bytes: usize, cause: io::Error) -> io::Error {
    let limit = match cause.raw_os_error() {
        // What `mmap` says when it would have to lock more than it may.
        Some(libc::EAGAIN) => locked_hit(),
        _ => limit_hit(bytes),
    };
    io::Error::new(
        cause.kind(),
        format!("cannot {verb} {bytes} bytes for a stack: {cause}; {limit}"),
    )
}

/// The limit that `bytes` more would break, in words and with its value.
fn limit_hit(bytes: usize) -> String {
    address_space_hit(bytes)
        .or_else(map_count_hit)
        .or_else(overcommit_hit)
        .unwrap_or_else(|| "the system has no memory left to promise".into())
}

/// Whether `bytes` more would pass `RLIMIT_AS`. Where the size of this process cannot be read, any limit is named.
fn address_space_hit(bytes: usize) -> Option<String> {
    let limit = address_space_limit()?;
    let used = address_space_used().unwrap_or(limit);
    (used.saturating_add(bytes) > limit).then(|| {
        format!("RLIMIT_AS (ulimit -v) is {limit} bytes of address space, {used} of them in use")
    })
}

/// Why memory that is to be locked at once is refused.
fn locked_hit() -> String {
    let limit = resource_limit(libc::RLIMIT_MEMLOCK);
    let limit = limit.map_or("unlimited".into(), |bytes| format!("{bytes} bytes"));
    format!("RLIMIT_MEMLOCK (ulimit -l) is {limit}, and every new mapping is locked (mlockall)")
}

/// `RLIMIT_AS` in bytes; `None` when unlimited.
fn address_space_limit() -> Option<usize> {
    resource_limit(libc::RLIMIT_AS)
}

/// A limit in bytes; `None` when unlimited.
fn resource_limit(resource: Resource) -> Option<usize> {
    let mut limit = libc::rlimit {
        rlim_cur: libc::RLIM_INFINITY,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: fills the struct that it is given.
    let status = unsafe { libc::getrlimit(resource, &mut limit) };
    let finite = status == 0 && limit.rlim_cur != libc::RLIM_INFINITY;
    finite.then(|| usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX))
}

/// This process's address space in bytes.
fn address_space_used() -> Option<usize> {
    let pages: usize = first_number("/proc/self/statm")?;
    Some(pages * page_size())
}

/// Whether this process has as many mappings as the kernel allows.
fn map_count_hit() -> Option<String> {
    let limit = map_count_limit()?;
    let used = fs::read_to_string("/proc/self/maps").ok()?.lines().count();
    (used + MAPS_PER_GUARD > limit)
        .then(|| format!("vm.max_map_count is {limit} mappings, {used} of them in use; {WAYS_OUT}"))
}

/// How many mappings the kernel allows this process.
pub(super) fn map_count_limit() -> Option<usize> {
    first_number("/proc/sys/vm/max_map_count")
}

/// The error for a guard that would take mappings which are left to the rest of the program.
#[cold]
pub(super) fn out_of_mappings(most: usize) -> io::Error {
    let limit = map_count_limit().unwrap_or(most);
    let text = format!(
        "vm.max_map_count is {limit} mappings, of which guards of stacks may use {most}; {WAYS_OUT}"
    );
    io::Error::new(io::ErrorKind::OutOfMemory, text)
}

/// Whether the kernel refuses what it cannot back.
fn overcommit_hit() -> Option<String> {
    let mode = first_number("/proc/sys/vm/overcommit_memory")?;
    Some(format!(
        "vm.overcommit_memory is {mode}, and the system has no memory left to promise{}",
        commit_limit().unwrap_or_default()
    ))
}

/// What the kernel may promise and has promised, in its own words.
fn commit_limit() -> Option<String> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map(str::trim)
    };
    let (most, now) = (line("CommitLimit:")?, line("Committed_AS:")?);
    Some(format!(" (CommitLimit is {most}, Committed_AS is {now})"))
}

/// The first number in a small file of the kernel's.
fn first_number(path: &str) -> Option<usize> {
    fs::read_to_string(path)
        .ok()?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}
