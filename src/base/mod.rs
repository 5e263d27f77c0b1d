//! Layer 0, the leaves: what everything else stands on and what imports nothing of ours.

pub(crate) mod allocator;
pub(crate) mod atomic;
mod barrier;
pub(crate) mod biased;
pub(crate) mod coarse;
pub(crate) mod error;
pub(crate) mod json;
pub(crate) mod lock;
pub(crate) mod moment;
pub(crate) mod os_thread;
pub(crate) mod prefetch;
pub(crate) mod random;
pub(crate) mod recorder;
pub(crate) mod ring;
