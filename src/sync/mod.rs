//! Waiting for each other: locks, events, permits and queues for green threads and OS threads alike.
//!
//! One family of types serves green threads on one OS thread, green threads on several, and plain OS threads (a blocking call there runs that OS thread's
//! event loop). Nothing is poisoned, and those who wait are served in the order in which they came. Waiting allocates nothing.
//!
//! A cancellation or a deadline that meets a grant loses nothing: the lock, permit, notification or wake goes to the next in line before anything is
//! raised.
//!
//! ```text
//!   ReentrantMutex   Mutex ── Condvar      Semaphore ── RwLock      Event   Barrier   OnceLock ── LazyLock      Queue
//!         │            │         │            permits of all sizes                                                │
//!         └─── gate ───┴─────────┘  one at a time, handed over                                                    └─ gate, for comparisons
//! ```

pub use barrier::{Barrier, BarrierTimeoutError, BarrierWait, Broken};
pub use condvar::Condvar;
pub use event::Event;
pub use lazy_lock::LazyLock;
pub use mutex::{Mutex, MutexGuard, OwnedMutexGuard};
pub use once_lock::OnceLock;
pub use queue::Queue;
pub use queue_error::{Closed, GetTimeoutError, PutTimeoutError, TryGetError, TryPutError};
pub use queue_iter::Iter;
pub use reentrant_mutex::{ReentrantMutex, ReentrantMutexGuard};
pub use rw_lock::{
    OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{OwnedPermit, Permit, Semaphore};

/// A constructor that is `const`, but for the model checker, whose locks are not.
macro_rules! constant {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($argument:ident: $kind:ty),*) -> $made:ty $body:block) => {
        $(#[$meta])*
        #[cfg(not(loom))]
        $vis const fn $name($($argument: $kind),*) -> $made $body

        $(#[$meta])*
        #[cfg(loom)]
        $vis fn $name($($argument: $kind),*) -> $made $body
    };
}

mod barrier;
mod condvar;
mod event;
mod gate;
mod heap;
mod items;
mod lazy_lock;
mod mutex;
mod once_lock;
mod queue;
mod queue_error;
mod queue_iter;
mod reentrant_mutex;
mod rw_lock;
mod semaphore;
