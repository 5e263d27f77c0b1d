//! A value for one at a time.
//!
//! Invariants:
//! - M1 A guard exists only while its maker has entered the gate, and leaves it when dropped: at most one guard of a mutex exists.

#![expect(
    unsafe_code,
    reason = "hands out `&mut T` to whoever has entered the gate"
)]

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use super::gate::Gate;
use crate::base::error::Elapsed;
use crate::sched::wait::Operation;

static LOCK: Operation = Operation::new("Mutex::lock");

static LOCK_TIMEOUT: Operation = Operation::new("Mutex::lock_timeout");

static LOCK_OWNED: Operation = Operation::new("Mutex::lock_owned");

static LOCK_OWNED_TIMEOUT: Operation = Operation::new("Mutex::lock_owned_timeout");

/// A value for one at a time, handed over in the order of asking.
///
/// It is not poisoned by a panic. Its guard may be held across any wait point; locking it twice in one green thread waits for ever.
///
/// # Examples
/// ```
/// use greenthread::sync::Mutex;
/// let total = Mutex::new(0);
/// greenthread::scope(|s| {
///     for n in 1..=10 {
///         let total = &total;
///         s.spawn(move || *total.lock() += n);
///     }
/// });
/// assert_eq!(total.into_inner(), 55);
/// ```
#[derive(Default)]
pub struct Mutex<T: ?Sized> {
    /// Who has it, and who waits.
    gate: Gate,

    /// M1.
    value: UnsafeCell<T>,
}

// SAFETY: M1: the value is reached through one guard at a time, so sharing the mutex moves access to `T` between OS threads: `T: Send`.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    constant! {
        /// Makes one that nobody holds.
        #[must_use]
        pub fn new(value: T) -> Self {
            Mutex { gate: Gate::new(), value: UnsafeCell::new(value) }
        }
    }

    /// Returns the value.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until nobody else holds it, and returns a guard that gives it back when dropped.
    ///
    /// Blocks while somebody holds it or came before. A cancellation while waiting is raised here; if it was handed over at the same moment, it goes to the next in
    /// line. On the root and on a plain OS thread the wait runs the event loop.
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        let _ = self.gate.enter(&LOCK, None);
        MutexGuard::of(self)
    }

    /// Returns the guard if nobody holds it. Does not block.
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.gate.try_enter().then(|| MutexGuard::of(self))
    }

    /// As [`lock`](Self::lock), waiting at most for `limit`.
    ///
    /// Blocks, is cancelled and behaves on the root as [`lock`](Self::lock) does.
    ///
    /// # Errors
    /// [`Elapsed`] when `limit` passed first.
    pub fn lock_timeout(&self, limit: Duration) -> Result<MutexGuard<'_, T>, Elapsed> {
        self.gate.enter_timeout(&LOCK_TIMEOUT, limit)?;
        Ok(MutexGuard::of(self))
    }

    /// As [`lock`](Self::lock), with a guard that keeps the mutex alive.
    ///
    /// Blocks, is cancelled and behaves on the root as [`lock`](Self::lock) does.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// let words = Arc::new(greenthread::sync::Mutex::new(vec!["a"]));
    /// let mut held = words.lock_owned();
    /// greenthread::spawn(move || held.push("b")).join().unwrap();
    /// assert_eq!(*words.lock(), ["a", "b"]);
    /// ```
    pub fn lock_owned(self: &Arc<Self>) -> OwnedMutexGuard<T> {
        let _ = self.gate.enter(&LOCK_OWNED, None);
        OwnedMutexGuard::of(Arc::clone(self))
    }

    /// As [`try_lock`](Self::try_lock), with a guard that keeps the mutex alive. Does not block.
    pub fn try_lock_owned(self: &Arc<Self>) -> Option<OwnedMutexGuard<T>> {
        let entered = self.gate.try_enter();
        entered.then(|| OwnedMutexGuard::of(Arc::clone(self)))
    }

    /// As [`lock_timeout`](Self::lock_timeout), with a guard that keeps the mutex alive.
    ///
    /// Blocks, is cancelled and behaves on the root as [`lock`](Self::lock) does.
    ///
    /// # Errors
    /// [`Elapsed`] when `limit` passed first.
    pub fn lock_owned_timeout(
        self: &Arc<Self>,
        limit: Duration,
    ) -> Result<OwnedMutexGuard<T>, Elapsed> {
        self.gate.enter_timeout(&LOCK_OWNED_TIMEOUT, limit)?;
        Ok(OwnedMutexGuard::of(Arc::clone(self)))
    }

    /// Tells whether somebody holds it now.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.gate.is_held()
    }

    /// Returns the value without locking: `&mut self` proves that nobody else is here.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Mutex::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Mutex");
        match self.try_lock() {
            Some(guard) => out.field("value", &&*guard),
            None => out.field("value", &format_args!("<locked>")),
        };
        out.finish()
    }
}

/// The right to a [`Mutex`]'s value; gives it back when dropped.
///
/// It may be sent to and dropped on another OS thread when `T` may. It is shared between them only when `T` is:
/// ```compile_fail,E0277
/// fn shared<T: Sync>(_: T) {}
/// shared(greenthread::sync::Mutex::new(std::cell::Cell::new(1)).lock());
/// ```
#[must_use = "a guard that is dropped at once locks nothing"]
pub struct MutexGuard<'a, T: ?Sized> {
    /// Entered (M1).
    mutex: &'a Mutex<T>,

    /// `Send` and `Sync` as the reference that it stands for.
    value: PhantomData<&'a mut T>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The caller has entered the gate (M1).
    #[inline]
    fn of(mutex: &'a Mutex<T>) -> Self {
        let value = PhantomData;
        MutexGuard { mutex, value }
    }

    /// Returns the mutex that this is the guard of.
    pub fn mutex(guard: &Self) -> &'a Mutex<T> {
        guard.mutex
    }

    /// What a condition variable leaves and enters while it borrows the guard.
    pub(super) fn gate(guard: &mut Self) -> &'a Gate {
        &guard.mutex.gate
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: M1: this is the one guard, and it is borrowed.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: M1: this is the one guard, and it is borrowed mutably.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.gate.leave();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// The right to the value of a [`Mutex`] that it keeps alive; gives it back when dropped.
///
/// It may be sent to and dropped on another OS thread when `T` may.
#[must_use = "a guard that is dropped at once locks nothing"]
pub struct OwnedMutexGuard<T: ?Sized> {
    /// Entered (M1).
    mutex: Arc<Mutex<T>>,

    /// `Sync` as the value that it stands for.
    value: PhantomData<T>,
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    /// The caller has entered the gate (M1).
    fn of(mutex: Arc<Mutex<T>>) -> Self {
        let value = PhantomData;
        OwnedMutexGuard { mutex, value }
    }
}

impl<T: ?Sized> Deref for OwnedMutexGuard<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: M1: this is the one guard, and it is borrowed.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for OwnedMutexGuard<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: M1: this is the one guard, and it is borrowed mutably.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: ?Sized> Drop for OwnedMutexGuard<T> {
    fn drop(&mut self) {
        self.mutex.gate.leave();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for OwnedMutexGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
