//! A lock that its owner may take again.
//!
//! Invariants:
//! - R1 While guards exist, they are all on the OS thread of the green thread that `owner` names: a guard does not leave the OS thread that it was made on, and another
//!   green thread gets one only when `depth` is zero.
//! - R2 `owner` and `depth` change only on that OS thread, while the gate is held.

#![expect(
    unsafe_code,
    reason = "shares a value that is not `Sync` with one OS thread at a time"
)]

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::gate::Gate;
use crate::base::error::Elapsed;
use crate::sched::park;
use crate::sched::wait::Operation;

static LOCK: Operation = Operation::new("ReentrantMutex::lock");

static LOCK_TIMEOUT: Operation = Operation::new("ReentrantMutex::lock_timeout");

/// `owner` while nobody has it; no green thread has this number.
const NOBODY: u64 = 0;

/// A value for one green thread at a time, which may take it again while it has it; handed over in the order of asking.
///
/// The owner is the green thread, not its OS thread: another one on the same OS thread waits. As the owner may hold several guards, they give `&T` only.
///
/// # Examples
/// ```
/// use greenthread::sync::ReentrantMutex;
/// let names = ReentrantMutex::new(std::cell::RefCell::new(vec!["a"]));
/// let outer = names.lock();
/// names.lock().borrow_mut().push("b");
/// assert_eq!(*outer.borrow(), ["a", "b"]);
/// ```
#[derive(Default)]
pub struct ReentrantMutex<T: ?Sized> {
    /// Entered by the first guard, left by the last.
    gate: Gate,

    /// R2.
    owner: AtomicU64,

    /// How many guards exist (R2).
    depth: AtomicUsize,

    /// R1.
    value: T,
}

// SAFETY: R1: the value is reached through guards alone, all of them on one OS thread at a time, and the gate orders one owner after the other: so `&T` is used by
// one OS thread at a time, which takes `T: Send`.
unsafe impl<T: ?Sized + Send> Sync for ReentrantMutex<T> {}

impl<T> ReentrantMutex<T> {
    constant! {
        /// Makes one that nobody has.
        #[must_use]
        pub fn new(value: T) -> Self {
            ReentrantMutex {
                gate: Gate::new(),
                owner: AtomicU64::new(NOBODY),
                depth: AtomicUsize::new(0),
                value,
            }
        }
    }

    /// Returns the value.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T: ?Sized> ReentrantMutex<T> {
    /// Waits until no other green thread has it, and returns a guard that gives it back when dropped.
    ///
    /// Blocks while another has it or came before; never the one that has it. A cancellation while waiting is raised here; if it was handed over at the same moment, it
    /// goes to the next in line. On the root and on a plain OS thread the wait runs the event loop.
    ///
    /// # Panics
    /// When one green thread has taken it `usize::MAX` times.
    pub fn lock(&self) -> ReentrantMutexGuard<'_, T> {
        let me = park::who();
        if !self.is_owned_by(me) {
            let _ = self.gate.enter(&LOCK, None);
        }
        self.enter_once_more(me)
    }

    /// Returns a guard if no other green thread has it. Does not block.
    pub fn try_lock(&self) -> Option<ReentrantMutexGuard<'_, T>> {
        let me = park::who();
        let may = self.is_owned_by(me) || self.gate.try_enter();
        may.then(|| self.enter_once_more(me))
    }

    /// As [`lock`](Self::lock), waiting at most for `limit`.
    ///
    /// Blocks, is cancelled and behaves on the root as [`lock`](Self::lock) does.
    ///
    /// # Errors
    /// [`Elapsed`] when `limit` passed first.
    ///
    /// # Panics
    /// As [`lock`](Self::lock).
    pub fn lock_timeout(&self, limit: Duration) -> Result<ReentrantMutexGuard<'_, T>, Elapsed> {
        let me = park::who();
        if !self.is_owned_by(me) {
            self.gate.enter_timeout(&LOCK_TIMEOUT, limit)?;
        }
        Ok(self.enter_once_more(me))
    }

    /// Tells whether a green thread has it now.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.gate.is_held()
    }

    /// Tells whether the running green thread has it.
    #[must_use]
    pub fn is_owned_by_current(&self) -> bool {
        self.is_owned_by(park::who())
    }

    /// Returns the value without locking: `&mut self` proves that nobody else is here.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// Nobody but the OS thread of `me` writes that number, so what this reads of it is not old.
    fn is_owned_by(&self, me: u64) -> bool {
        self.owner.load(Ordering::Relaxed) == me
    }

    /// The caller is the owner, or has entered the gate.
    fn enter_once_more(&self, me: u64) -> ReentrantMutexGuard<'_, T> {
        let depth = self.depth.load(Ordering::Relaxed).checked_add(1);
        let depth = depth.expect("a ReentrantMutex is taken at most usize::MAX times");
        self.owner.store(me, Ordering::Relaxed);
        self.depth.store(depth, Ordering::Relaxed);
        ReentrantMutexGuard {
            mutex: self,
            not_send: PhantomData,
        }
    }

    fn leave_once(&self) {
        let depth = self.depth.load(Ordering::Relaxed) - 1;
        self.depth.store(depth, Ordering::Relaxed);
        if depth == 0 {
            self.owner.store(NOBODY, Ordering::Relaxed);
            self.gate.leave();
        }
    }
}

impl<T> From<T> for ReentrantMutex<T> {
    fn from(value: T) -> Self {
        ReentrantMutex::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for ReentrantMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("ReentrantMutex");
        match self.try_lock() {
            Some(guard) => out.field("value", &&*guard),
            None => out.field("value", &format_args!("<locked>")),
        };
        out.finish()
    }
}

/// The right to a [`ReentrantMutex`]'s value; gives it back when dropped.
///
/// It stays on its OS thread (R1 of the source):
/// ```compile_fail,E0277
/// fn sent<T: Send>(_: T) {}
/// sent(greenthread::sync::ReentrantMutex::new(1).lock());
/// ```
/// and is shared with no other:
/// ```compile_fail,E0277
/// fn shared<T: Sync>(_: T) {}
/// shared(greenthread::sync::ReentrantMutex::new(1).lock());
/// ```
#[must_use = "a guard that is dropped at once locks nothing"]
pub struct ReentrantMutexGuard<'a, T: ?Sized> {
    /// Entered.
    mutex: &'a ReentrantMutex<T>,

    /// R1.
    not_send: PhantomData<*const ()>,
}

impl<T: ?Sized> Deref for ReentrantMutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.mutex.value
    }
}

impl<T: ?Sized> Drop for ReentrantMutexGuard<'_, T> {
    fn drop(&mut self) {
        self.mutex.leave_once();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for ReentrantMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
