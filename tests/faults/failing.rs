//! An allocator that has one allocation fail, or all from one on: of one OS thread, or of the whole process.

#![expect(unsafe_code, reason = "an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

/// Hands everything to the system's, but for what is to fail.
struct Failing;

/// How many more succeed, while `IS_ARMED`.
static LEFT: AtomicI64 = AtomicI64::new(0);

/// Whether allocations are counted.
static IS_ARMED: AtomicBool = AtomicBool::new(false);

/// Whether those after the first that fails do so too.
static FOR_GOOD: AtomicBool = AtomicBool::new(false);

/// The OS thread whose allocations count, by the address of its mark; 0 for all.
static WHOSE: AtomicUsize = AtomicUsize::new(0);

/// Whether any has failed.
static HAS_FAILED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Its address tells one OS thread from another.
    static MARK: Cell<u8> = const { Cell::new(0) };
}

/// Whose allocations count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those of the OS thread that arms it.
    Own,

    /// Those of every OS thread of the process.
    Process,
}

/// From now on the n-th allocation fails, counted from 1; and all after it, if that is `for_good`.
pub(crate) fn arm(n: i64, for_good: bool, reach: Reach) {
    let whose = match reach {
        Reach::Own => mark(),
        Reach::Process => 0,
    };
    WHOSE.store(whose, Ordering::SeqCst);
    LEFT.store(n, Ordering::SeqCst);
    FOR_GOOD.store(for_good, Ordering::SeqCst);
    IS_ARMED.store(true, Ordering::SeqCst);
}

/// From now on all succeed; whether any has failed.
pub(crate) fn disarm() -> bool {
    IS_ARMED.store(false, Ordering::SeqCst);
    HAS_FAILED.load(Ordering::SeqCst)
}

fn mark() -> usize {
    MARK.with(|mark| ptr::from_ref(mark).addr())
}

fn fails() -> bool {
    if !IS_ARMED.load(Ordering::Relaxed) {
        return false;
    }
    let whose = WHOSE.load(Ordering::Relaxed);
    if whose != 0 && whose != mark() {
        return false;
    }
    let left = LEFT.fetch_sub(1, Ordering::SeqCst);
    let fails = left == 1 || left < 1 && FOR_GOOD.load(Ordering::Relaxed);
    if fails {
        HAS_FAILED.store(true, Ordering::SeqCst);
    }
    fails
}

// SAFETY: hands everything to the system's allocator, or says that there is nothing.
unsafe impl GlobalAlloc for Failing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if fails() {
            return ptr::null_mut();
        }
        // SAFETY: the caller's duty.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's duty.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static FAILING: Failing = Failing;
