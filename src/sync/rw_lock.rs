//! A value for many readers or one writer.
//!
//! It is a semaphore: a reader takes one permit, a writer takes them all. So they are served strictly in the order of asking, and readers behind a waiting writer wait.
//!
//! Invariants:
//! - X1 A read guard holds one permit of its lock, a write guard all of them, from `of` until it is dropped: while a write guard exists, no other guard does.

#![expect(unsafe_code, reason = "shares a cell with those who have permits")]

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use super::semaphore::Semaphore;
use crate::base::error::Elapsed;
use crate::sched::wait::Operation;

static READ: Operation = Operation::new("RwLock::read");

static READ_TIMEOUT: Operation = Operation::new("RwLock::read_timeout");

static READ_OWNED: Operation = Operation::new("RwLock::read_owned");

static WRITE: Operation = Operation::new("RwLock::write");

static WRITE_TIMEOUT: Operation = Operation::new("RwLock::write_timeout");

static WRITE_OWNED: Operation = Operation::new("RwLock::write_owned");

/// What a reader takes.
const ONE: usize = 1;

/// What a writer takes: more readers than that fit into no memory.
const ALL: usize = usize::MAX >> 1;

/// A value for many readers or one writer, handed over in the order of asking.
///
/// Fair to both: a reader that comes while a writer waits waits behind it, and readers that stand in line one after the other go in together. So a green thread that
/// reads must not read again while it holds a guard: a writer between the two would wait for ever. It is not poisoned by a panic, and its guards may be held
/// across any wait point.
///
/// # Examples
/// ```
/// use greenthread::sync::RwLock;
/// let words = RwLock::new(vec!["a"]);
/// words.write().push("b");
/// let (one, two) = (words.read(), words.read());
/// assert_eq!(one.len() + two.len(), 4);
/// assert!(words.try_write().is_none());
/// ```
///
/// OS threads share it only when they may share the value:
/// ```compile_fail,E0277
/// fn shared<T: Sync>(_: T) {}
/// shared(greenthread::sync::RwLock::new(std::cell::Cell::new(1)));
/// ```
pub struct RwLock<T: ?Sized> {
    /// Who has it, and who waits.
    permits: Semaphore,

    /// X1.
    value: UnsafeCell<T>,
}

// SAFETY: guards of several OS threads share `&T` (`T: Sync`), and one gives `&mut T` to whichever OS thread it is on (`T: Send`); never both at once (X1).
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

impl<T> RwLock<T> {
    constant! {
        /// Makes one that nobody holds.
        #[must_use]
        pub fn new(value: T) -> Self {
            RwLock { permits: Semaphore::bounded(ALL), value: UnsafeCell::new(value) }
        }
    }

    /// Returns the value.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until no writer has it or came before, and returns a guard for reading.
    ///
    /// Blocks until then. A cancellation while waiting is raised here; if it was handed over at the same moment, it goes to the next in line. On the root and on a plain OS
    /// thread the wait runs the event loop.
    #[inline]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.permits.take(ONE, &READ);
        RwLockReadGuard::of(self)
    }

    /// Returns a guard for reading if no writer has it or waits. Does not block.
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        let taken = self.permits.try_take(ONE);
        taken.then(|| RwLockReadGuard::of(self))
    }

    /// As [`read`](Self::read), waiting at most for `limit`.
    ///
    /// Blocks, is cancelled and behaves on the root as [`read`](Self::read) does.
    ///
    /// # Errors
    /// [`Elapsed`] when `limit` passed first.
    pub fn read_timeout(&self, limit: Duration) -> Result<RwLockReadGuard<'_, T>, Elapsed> {
        self.permits.take_timeout(ONE, &READ_TIMEOUT, limit)?;
        Ok(RwLockReadGuard::of(self))
    }

    /// As [`read`](Self::read), with a guard that keeps the lock alive.
    ///
    /// Blocks, is cancelled and behaves on the root as [`read`](Self::read) does.
    pub fn read_owned(self: &Arc<Self>) -> OwnedRwLockReadGuard<T> {
        self.permits.take(ONE, &READ_OWNED);
        OwnedRwLockReadGuard::of(Arc::clone(self))
    }

    /// As [`try_read`](Self::try_read), with a guard that keeps the lock alive. Does not block.
    pub fn try_read_owned(self: &Arc<Self>) -> Option<OwnedRwLockReadGuard<T>> {
        let taken = self.permits.try_take(ONE);
        taken.then(|| OwnedRwLockReadGuard::of(Arc::clone(self)))
    }

    /// Waits until nobody has it or came before, and returns a guard for writing.
    ///
    /// Blocks, is cancelled and behaves on the root as [`read`](Self::read) does.
    #[inline]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.permits.take(ALL, &WRITE);
        RwLockWriteGuard::of(self)
    }

    /// Returns a guard for writing if nobody has it or waits. Does not block.
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        let taken = self.permits.try_take(ALL);
        taken.then(|| RwLockWriteGuard::of(self))
    }

    /// As [`write`](Self::write), waiting at most for `limit`.
    ///
    /// Blocks, is cancelled and behaves on the root as [`read`](Self::read) does.
    ///
    /// # Errors
    /// [`Elapsed`] when `limit` passed first.
    pub fn write_timeout(&self, limit: Duration) -> Result<RwLockWriteGuard<'_, T>, Elapsed> {
        self.permits.take_timeout(ALL, &WRITE_TIMEOUT, limit)?;
        Ok(RwLockWriteGuard::of(self))
    }

    /// As [`write`](Self::write), with a guard that keeps the lock alive.
    ///
    /// Blocks, is cancelled and behaves on the root as [`read`](Self::read) does.
    pub fn write_owned(self: &Arc<Self>) -> OwnedRwLockWriteGuard<T> {
        self.permits.take(ALL, &WRITE_OWNED);
        OwnedRwLockWriteGuard::of(Arc::clone(self))
    }

    /// As [`try_write`](Self::try_write), with a guard that keeps the lock alive. Does not block.
    pub fn try_write_owned(self: &Arc<Self>) -> Option<OwnedRwLockWriteGuard<T>> {
        let taken = self.permits.try_take(ALL);
        taken.then(|| OwnedRwLockWriteGuard::of(Arc::clone(self)))
    }

    /// Tells whether anybody holds it now, for reading or for writing.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.permits.available() < ALL
    }

    /// Tells whether a writer holds it now.
    #[must_use]
    pub fn is_locked_exclusive(&self) -> bool {
        self.permits.available() == 0
    }

    /// Returns the value without locking: `&mut self` proves that nobody else is here.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        RwLock::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        RwLock::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RwLock");
        match self.try_read() {
            Some(guard) => out.field("value", &&*guard),
            None => out.field("value", &format_args!("<locked>")),
        };
        out.finish()
    }
}

/// A guard's type, its one constructor, reading through it, and giving back.
macro_rules! guard {
    ($(#[$meta:meta])* $name:ident [$($life:lifetime)?] by $lock:ty, $permits:ident, as $value:ty) => {
        $(#[$meta])*
        #[must_use = "a guard that is dropped at once locks nothing"]
        pub struct $name<$($life,)? T: ?Sized> {
            /// X1.
            lock: $lock,

            /// `Send` and `Sync` as what it stands for.
            value: PhantomData<$value>,
        }

        impl<$($life,)? T: ?Sized> $name<$($life,)? T> {
            /// The caller has taken the permits (X1).
            #[inline]
            fn of(lock: $lock) -> Self {
                let value = PhantomData;
                $name { lock, value }
            }
        }

        impl<$($life,)? T: ?Sized> Deref for $name<$($life,)? T> {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                // SAFETY: X1: this guard exists and is borrowed, so nobody has `&mut T`.
                unsafe { &*self.lock.value.get() }
            }
        }

        impl<$($life,)? T: ?Sized> Drop for $name<$($life,)? T> {
            #[inline]
            fn drop(&mut self) {
                self.lock.permits.put_back($permits);
            }
        }

        impl<$($life,)? T: ?Sized + fmt::Display> fmt::Display for $name<$($life,)? T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<$($life,)? T: ?Sized + fmt::Debug> fmt::Debug for $name<$($life,)? T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }
    };
}

guard! {
    /// The right to read a [`RwLock`]'s value; gives it back when dropped, on any OS thread.
    RwLockReadGuard ['a] by &'a RwLock<T>, ONE, as &'a T
}

guard! {
    /// The right to write a [`RwLock`]'s value; gives it back when dropped, on any OS thread.
    RwLockWriteGuard ['a] by &'a RwLock<T>, ALL, as &'a mut T
}

guard! {
    /// The right to read the value of a [`RwLock`] that it keeps alive; gives it back when dropped, on any OS thread.
    OwnedRwLockReadGuard [] by Arc<RwLock<T>>, ONE, as T
}

guard! {
    /// The right to write the value of a [`RwLock`] that it keeps alive; gives it back when dropped, on any OS thread.
    OwnedRwLockWriteGuard [] by Arc<RwLock<T>>, ALL, as T
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: X1: no other guard exists, and this one is borrowed mutably.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for OwnedRwLockWriteGuard<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: X1: no other guard exists, and this one is borrowed mutably.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Goes on as a reader, with no writer in between; readers in front of the line go in too. Does not block.
    ///
    /// # Examples
    /// ```
    /// use greenthread::sync::{RwLock, RwLockWriteGuard};
    /// let count = RwLock::new(1);
    /// let mut write = count.write();
    /// *write += 1;
    /// let read = RwLockWriteGuard::downgrade(write);
    /// assert_eq!(*read + *count.read(), 4);
    /// ```
    pub fn downgrade(guard: Self) -> RwLockReadGuard<'a, T> {
        let lock = guard.lock;
        mem::forget(guard);
        lock.permits.put_back(ALL - ONE);
        RwLockReadGuard::of(lock)
    }
}
