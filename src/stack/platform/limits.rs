//! Which limit stood behind a refusal (L3). Only read once something has been refused.

#![expect(unsafe_code, reason = "asks for a resource limit")]

use std::fs;
use std::io;

use super::pages::page_size;

/// A mapping that needs this many more entries than there is room for is blamed on `vm.max_map_count`: a guard splits one in three.
const MAPS_PER_GUARD: usize = 3;

/// The error for a refused request, with the limit that explains it.
#[cold]
pub(super) fn refused(verb: &str, bytes: usize, cause: io::Error) -> io::Error {
    let limit = limit_hit(bytes);
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

/// `RLIMIT_AS` in bytes; `None` when unlimited.
fn address_space_limit() -> Option<usize> {
    let mut limit = libc::rlimit {
        rlim_cur: libc::RLIM_INFINITY,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: fills the struct that it is given.
    let status = unsafe { libc::getrlimit(libc::RLIMIT_AS, &mut limit) };
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
    let limit = first_number("/proc/sys/vm/max_map_count")?;
    let used = fs::read_to_string("/proc/self/maps").ok()?.lines().count();
    (used + MAPS_PER_GUARD > limit)
        .then(|| format!("vm.max_map_count is {limit} mappings, {used} of them in use"))
}

/// Whether the kernel refuses what it cannot back.
fn overcommit_hit() -> Option<String> {
    let mode = first_number("/proc/sys/vm/overcommit_memory")?;
    Some(format!(
        "vm.overcommit_memory is {mode}, and the system has no memory left to promise"
    ))
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
