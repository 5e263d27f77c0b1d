//! Atomics under one name: std's, or loom's when the model checker drives the crate.
//!
//! Only what crosses OS threads takes its atomics from here; statics keep std's, which are `const`.

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering, fence};

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering, fence};
