//! A closure on a stack of its own, and the switch in and out.
//!
//! This is the only file that names corosensei. What it adds: the stack comes from the pool, and a coroutine that is dropped while
//! suspended leaks its stack (L1) instead of being unwound behind the owner's back (L14).

#![expect(unsafe_code, reason = "hands stacks to corosensei")]

use std::mem::ManuallyDrop;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::ptr;

use super::fiber::Fiber;
use super::pool::Stack;

pub(crate) use corosensei::{CoroutineResult, Yielder};

// SAFETY: a `Stack` owns its slot, `top` is 16-byte aligned and the bytes from `limit` up to it are mapped readable and writable, with a
// guard below `limit` (L2), until the `Stack` is dropped (L1).
unsafe impl corosensei::stack::Stack for Stack {
    #[inline]
    fn base(&self) -> NonZeroUsize {
        self.top()
    }

    #[inline]
    fn limit(&self) -> NonZeroUsize {
        self.limit()
    }
}

/// A closure on its own stack, pinned to this OS thread (D1).
pub(crate) struct Coroutine<In, Out, Ret> {
    /// Never dropped while suspended: see `Drop`.
    inner: ManuallyDrop<corosensei::Coroutine<In, Out, Ret, Stack>>,

    /// What the thread sanitizer knows of the stack.
    fiber: Fiber,
}

impl<In, Out, Ret> Coroutine<In, Out, Ret> {
    /// Puts `body` on `stack`; nothing runs before the first [`resume`](Self::resume).
    ///
    /// # Safety
    /// `body` never unwinds, and everything that it and the values passed borrow outlives this coroutine or its leak.
    #[inline]
    pub(crate) unsafe fn new<F>(stack: Stack, body: F) -> Self
    where
        F: FnOnce(&Yielder<In, Out>, In) -> Ret,
    {
        // SAFETY: the caller vouches for the lifetimes, and that no panic reaches the base.
        let inner = unsafe { corosensei::Coroutine::with_stack_unchecked(stack, body) };
        Coroutine {
            inner: ManuallyDrop::new(inner),
            fiber: Fiber::new(),
        }
    }

    /// Runs the closure until it suspends or returns. Panics when it has returned already.
    #[inline]
    pub(crate) fn resume(&mut self, value: In) -> CoroutineResult<Out, Ret> {
        let inner = &mut self.inner;
        self.fiber.within(|| inner.resume(value))
    }

    /// Gives the stack of one that has returned back: what dropping it comes to, where that is known.
    #[inline(always)]
    pub(crate) fn end(self) {
        let mut this = ManuallyDrop::new(self);
        this.fiber.end();
        // SAFETY: taken once, here, for `this` is not dropped.
        let inner = unsafe { ManuallyDrop::take(&mut this.inner) };
        drop(inner.into_stack());
    }

    /// Where it was suspended, if that is on the stack with these addresses, top excluded; `is_own` says whether that is its own one.
    ///
    /// Of the words that it consists of, two are such addresses: where it began, the higher one on its own stack, and where it stands.
    pub(crate) fn saved_pointer(&self, span: &Range<usize>, is_own: bool) -> Option<usize> {
        let words = size_of_val(&self.inner) / size_of::<usize>();
        let start = ptr::from_ref(&self.inner).cast::<usize>();
        let read = |place| {
            let word = start.wrapping_add(place);
            // SAFETY: a word of `inner`, all of which are initialised: a pointer, two addresses, a function and perhaps a fiber, without padding.
            unsafe { word.read_volatile() }
        };
        let mut inside = (0..words).map(read).filter(|word| span.contains(word));
        match (inside.next(), inside.next(), inside.next()) {
            (Some(one), Some(other), None) if is_own => Some(one.min(other)),
            (Some(one), None, None) if !is_own => Some(one),
            _ => None,
        }
    }

    /// Whether the closure has returned, or was never begun.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.inner.done() || !self.inner.started()
    }
}

/// Runs `f` on another stack, and comes back. What `f` suspends is the coroutine from which this was called.
///
/// # Safety
/// `f` does not unwind.
pub(crate) unsafe fn on_stack<T>(stack: Stack, f: impl FnOnce() -> T) -> T {
    corosensei::on_stack(stack, f)
}

impl<In, Out, Ret> Drop for Coroutine<In, Out, Ret> {
    #[inline]
    fn drop(&mut self) {
        if self.is_idle() {
            self.fiber.end();
            // SAFETY: dropped once, here; a finished or unbegun coroutine holds no frames, so its stack may go back to the pool.
            unsafe { ManuallyDrop::drop(&mut self.inner) }
        }
    }
}

impl<In, Out, Ret> std::fmt::Debug for Coroutine<In, Out, Ret> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Coroutine")
            .field("idle", &self.is_idle())
            .finish_non_exhaustive()
    }
}
