//! What holds a `RwLock`, for reading or for writing.
//!
//! Invariants:
//! - X1 A read guard holds one permit of its lock, a write guard all of them, from `of` until it is dropped: while a write guard exists, no other guard does.

#![expect(unsafe_code, reason = "gives references to what the permits are for")]

use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::rw_lock::{ALL, ONE, RwLock};

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
            pub(super) fn of(lock: $lock) -> Self {
                let value = PhantomData;
                $name { lock, value }
            }
        }

        impl<$($life,)? T: ?Sized> Deref for $name<$($life,)? T> {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                // SAFETY: X1: this guard exists and is borrowed, so nobody has `&mut T`.
                unsafe { &*self.lock.value() }
            }
        }

        impl<$($life,)? T: ?Sized> Drop for $name<$($life,)? T> {
            #[inline]
            fn drop(&mut self) {
                self.lock.put_back($permits);
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
        unsafe { &mut *self.lock.value() }
    }
}

impl<T: ?Sized> DerefMut for OwnedRwLockWriteGuard<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: X1: no other guard exists, and this one is borrowed mutably.
        unsafe { &mut *self.lock.value() }
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
        lock.put_back(ALL - ONE);
        RwLockReadGuard::of(lock)
    }
}
