//! Atomics, locks and thread-locals under one name: std's, or loom's when the model checker drives the crate.
//!
//! Only what crosses OS threads takes them from here; statics keep std's, which are `const`.

#[cfg(not(loom))]
pub(crate) use std::{
    sync::{
        Condvar, Mutex,
        atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering, fence},
    },
    thread_local,
};

#[cfg(loom)]
pub(crate) use loom::sync::{
    Condvar, Mutex,
    atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering, fence},
};

/// Loom's thread-locals, declared as std's.
#[cfg(loom)]
macro_rules! of_model {
    ($($(#[$meta:meta])* static $name:ident: $kind:ty = const $init:block;)*) => {
        loom::thread_local! { $($(#[$meta])* static $name: $kind = $init;)* }
    };
}

#[cfg(loom)]
pub(crate) use of_model as thread_local;
