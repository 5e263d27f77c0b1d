//! The lock inside every primitive: held for a few instructions, never across a switch (L6).
//!
//! It is not for users and not fair. Taking it costs one read-modify-write and giving it back a plain store, which is why it is not
//! [`std::sync::Mutex`]: that one pays two, 4 ns more on every channel item. The price is that a waiter cannot ask to be woken,
//! so one that meets a preempted holder spins a bounded while, then gives its time slice away, then sleeps in growing steps.
//!
//! Under `--cfg loom` the same name stands for loom's mutex, because a model checker cannot tell a spin from a hang.

#![cfg_attr(
    not(loom),
    expect(unsafe_code, reason = "hands out `&mut T` behind one atomic flag")
)]

#[cfg(not(loom))]
pub(crate) use spin::{Lock, LockGuard};

#[cfg(loom)]
pub(crate) use model::{Lock, LockGuard};

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Lock::new(T::default())
    }
}

#[cfg(not(loom))]
mod spin {
    use std::cell::UnsafeCell;
    use std::ops::{Deref, DerefMut};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    /// How often a waiter looks again before it gives its time slice away.
    const SPINS: u32 = 64;

    /// How often it gives its time slice away before it sleeps.
    const YIELDS: u32 = 16;

    /// The longest sleep between two looks.
    const LONGEST_SLEEP: Duration = Duration::from_millis(1);

    /// A value behind one flag.
    #[derive(Debug)]
    pub(crate) struct Lock<T> {
        /// Set while somebody holds the lock.
        held: AtomicBool,

        /// What it guards.
        value: UnsafeCell<T>,
    }

    // SAFETY: `value` is reached only through a guard, and `held` lets one guard exist at a time, so sharing the lock only ever
    // moves access to `T` between OS threads: `T: Send` is what that takes.
    unsafe impl<T: Send> Sync for Lock<T> {}

    impl<T> Lock<T> {
        pub(crate) const fn new(value: T) -> Self {
            Lock {
                held: AtomicBool::new(false),
                value: UnsafeCell::new(value),
            }
        }

        /// Takes the lock. The holder must not switch and must not run code of the user.
        #[inline]
        pub(crate) fn lock(&self) -> LockGuard<'_, T> {
            if self.held.swap(true, Ordering::Acquire) {
                self.lock_slow();
            }
            LockGuard { lock: self }
        }

        #[cold]
        fn lock_slow(&self) {
            let mut rounds = 0;
            while self.held.load(Ordering::Relaxed) || self.held.swap(true, Ordering::Acquire) {
                relax(rounds);
                rounds += 1;
            }
        }
    }

    /// Waits a little, longer with each round.
    fn relax(rounds: u32) {
        if rounds < SPINS {
            std::hint::spin_loop();
        } else if rounds < SPINS + YIELDS {
            std::thread::yield_now();
        } else {
            let step = Duration::from_micros(50) * (rounds - SPINS - YIELDS + 1);
            std::thread::sleep(step.min(LONGEST_SLEEP));
        }
    }

    /// The right to the value, until dropped.
    #[derive(Debug)]
    pub(crate) struct LockGuard<'a, T> {
        /// Held by this guard.
        lock: &'a Lock<T>,
    }

    impl<T> Deref for LockGuard<'_, T> {
        type Target = T;

        #[inline]
        fn deref(&self) -> &T {
            // SAFETY: this guard exists, so `held` is ours and nobody else reaches the value.
            unsafe { &*self.lock.value.get() }
        }
    }

    impl<T> DerefMut for LockGuard<'_, T> {
        #[inline]
        fn deref_mut(&mut self) -> &mut T {
            // SAFETY: as in `deref`, and `&mut self` makes this the only reference made from the guard.
            unsafe { &mut *self.lock.value.get() }
        }
    }

    impl<T> Drop for LockGuard<'_, T> {
        #[inline]
        fn drop(&mut self) {
            self.lock.held.store(false, Ordering::Release);
        }
    }
}

#[cfg(loom)]
mod model {
    /// The guard of loom's mutex.
    pub(crate) type LockGuard<'a, T> = loom::sync::MutexGuard<'a, T>;

    /// Loom's mutex under the shape of ours.
    #[derive(Debug)]
    pub(crate) struct Lock<T>(loom::sync::Mutex<T>);

    impl<T> Lock<T> {
        pub(crate) fn new(value: T) -> Self {
            Lock(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> LockGuard<'_, T> {
            self.0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }
}
