//! Numbers that are unique in the process, handed to OS threads in blocks so that spawning shares no cache line.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many an OS thread takes at once.
const BLOCK: u64 = 1024;

/// The first number that no OS thread has taken. Zero is never given out.
static UNTAKEN: AtomicU64 = AtomicU64::new(1);

thread_local! {
    /// The next number of this OS thread's block; a multiple of `BLOCK` plus one when a new block is due.
    static NEXT: Cell<u64> = const { Cell::new(1) };
}

/// A number that was never given out before.
#[inline]
pub(crate) fn next() -> u64 {
    NEXT.with(|next| {
        let mut id = next.get();
        if id % BLOCK == 1 {
            id = UNTAKEN.fetch_add(BLOCK, Ordering::Relaxed);
        }
        next.set(id + 1);
        id
    })
}
