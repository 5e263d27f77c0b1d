//! A bigger stack for a while.

#![expect(unsafe_code, reason = "runs a closure on another stack")]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::chain::{self, Link};
use super::coroutine;
use super::grown::Grown;
use super::pool::{self, Stack};

/// Runs `f` on a bigger stack and comes back with what it returns.
///
/// For a deep recursion, so that it does not need every stack to be huge. The new stack is a part of the one that calls: wait points inside park the
/// same green thread, a generator's body may yield from inside, and panics, cancellations and timeouts pass through. Calls may be nested. Works on green threads,
/// in generators, on the root and on a plain OS thread. It takes a stack from the pool: 10 ns when one of that size is warm.
///
/// `stack_bytes` is rounded up to a size class of 16 KiB to 1 GiB. Up to 2 KiB of it are for bookkeeping, and memory is used only where it is touched.
///
/// # Panics
/// With what `f` panics with. When `stack_bytes` is past 1 GiB, or the system refuses the stack: the text names the limit that was hit.
///
/// # Examples
/// ```
/// fn depth(list: &[u8]) -> usize {
///     let _frame = std::hint::black_box([0u8; 1024]);
///     list.split_first().map_or(0, |(_, rest)| 1 + depth(rest))
/// }
/// let list = vec![0; 10_000];
/// let deep = greenthread::spawn(move || greenthread::grow(64 << 20, || depth(&list)));
/// assert_eq!(deep.join().unwrap(), 10_000);
/// ```
#[track_caller]
pub fn grow<T>(stack_bytes: usize, f: impl FnOnce() -> T) -> T {
    let stack = match pool::take(stack_bytes) {
        Ok(stack) => stack,
        Err(error) => panic!("greenthread: `grow` found no stack of {stack_bytes} bytes: {error}"),
    };
    // What is driven meanwhile comes and goes on top of this same link.
    match run(stack, chain::running(), f) {
        Ok(value) => value,
        Err(panic) => resume_unwind(panic),
    }
}

fn run<T>(stack: Stack, on: *const Link, f: impl FnOnce() -> T) -> std::thread::Result<T> {
    let node = Grown::new(stack.limit().get()..stack.end(), on);
    let caught = || catch_unwind(AssertUnwindSafe(f));
    // SAFETY: what `f` raises is caught.
    node.during(|| unsafe { coroutine::on_stack(stack, caught) })
}
