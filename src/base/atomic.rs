//! Atomics, locks and thread-locals under one name: std's, or loom's when the model checker drives the crate.
//!
//! Only what crosses OS threads takes them from here; statics keep std's, which are `const`.

#[cfg(not(loom))]
pub(crate) use std::{
    sync::{
        Condvar, Mutex,
        atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering},
    },
    thread_local,
};

#[cfg(loom)]
pub(crate) use loom::sync::{
    Condvar, Mutex,
    atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering},
};

#[cfg(loom)]
use loom::sync::atomic::fence;
#[cfg(not(any(loom, greenthread_tsan)))]
use std::sync::atomic::fence;

/// What every reference did before it was given up happens before what follows: for whoever gave up the last one, with a release.
#[cfg(not(greenthread_tsan))]
#[inline(always)]
pub(crate) fn acquire_last(_count: &AtomicUsize) {
    fence(Ordering::Acquire);
}

/// The same by a load, since the thread sanitizer knows of no fence.
#[cfg(greenthread_tsan)]
#[inline(always)]
pub(crate) fn acquire_last(count: &AtomicUsize) {
    count.load(Ordering::Acquire);
}

/// Loom's thread-locals, declared as std's.
#[cfg(loom)]
macro_rules! of_model {
    ($($(#[$meta:meta])* static $name:ident: $kind:ty = const $init:block;)*) => {
        loom::thread_local! { $($(#[$meta])* static $name: $kind = $init;)* }
    };
}

#[cfg(loom)]
pub(crate) use of_model as thread_local;
