//! A generator's body before it runs: small ones inline, so that a short-lived generator needs no allocation.

#![expect(unsafe_code, reason = "stores a closure whose type it forgets")]

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use super::switch::{Switch, SwitchBack};
use super::yielder::Yielder;
use crate::stack::coroutine::Coroutine;
use crate::stack::pool::Stack;

/// Where a body that begins to run leaves its yielder's address for the driver.
pub(super) type Announcement<In, Out> = Cell<*const Yielder<In, Out>>;

/// Room for closures that capture up to four words.
type Space = MaybeUninit<[usize; 4]>;

/// Moves a closure of known type out of its space and onto a stack.
type Begin<In, Out, Ret> =
    unsafe fn(*mut Space, Stack, *const Announcement<In, Out>) -> Switch<In, Out, Ret>;

/// A closure of forgotten type.
///
/// Invariant B1: `space` holds a closure of the type that `begin` and `discard` were made for, until one of the two is called.
pub(super) struct Body<In, Out, Ret> {
    /// The closure (B1).
    space: Space,

    /// Moves the closure onto a stack.
    begin: Begin<In, Out, Ret>,

    /// Drops the closure in place.
    discard: unsafe fn(*mut Space),
}

impl<In, Out, Ret> Body<In, Out, Ret> {
    /// Stores a closure, boxed when it is big.
    #[inline]
    pub(super) fn new<F>(body: F) -> Self
    where
        F: FnOnce(&Yielder<In, Out>) -> Ret,
    {
        if size_of::<F>() <= size_of::<Space>() && align_of::<F>() <= align_of::<Space>() {
            return Self::inline(body);
        }
        let boxed = Box::new(body);
        Self::inline(move |yielder: &Yielder<In, Out>| boxed(yielder))
    }

    #[inline]
    fn inline<F>(body: F) -> Self
    where
        F: FnOnce(&Yielder<In, Out>) -> Ret,
    {
        const { assert!(size_of::<Box<()>>() <= size_of::<Space>()) };
        assert!(size_of::<F>() <= size_of::<Space>() && align_of::<F>() <= align_of::<Space>());
        let mut space = Space::uninit();
        // SAFETY: just checked to fit, in size and alignment.
        unsafe { space.as_mut_ptr().cast::<F>().write(body) };
        Body {
            space,
            begin: begin::<F, In, Out, Ret>,
            discard: discard::<F>,
        }
    }

    /// Moves the closure onto a stack. Its first act, at the first resume, is to write its yielder's address.
    ///
    /// # Safety
    /// This body is not used again, not even dropped. `announcement` is alive at the first resume, and what the closure borrows
    /// outlives the coroutine or its leak.
    #[inline]
    pub(super) unsafe fn begin(
        &mut self,
        stack: Stack,
        announcement: *const Announcement<In, Out>,
    ) -> Switch<In, Out, Ret> {
        // SAFETY: B1; the rest is the caller's duty.
        unsafe { (self.begin)(&raw mut self.space, stack, announcement) }
    }
}

impl<In, Out, Ret> Drop for Body<In, Out, Ret> {
    fn drop(&mut self) {
        // SAFETY: B1: `begin` was not called, for its caller forgets the body.
        unsafe { (self.discard)(&raw mut self.space) }
    }
}

/// # Safety
/// `space` holds an `F`, which is moved out; the rest as for [`Body::begin`].
#[inline]
unsafe fn begin<F, In, Out, Ret>(
    space: *mut Space,
    stack: Stack,
    announcement: *const Announcement<In, Out>,
) -> Switch<In, Out, Ret>
where
    F: FnOnce(&Yielder<In, Out>) -> Ret,
{
    // SAFETY: the caller vouches for an `F` that nobody uses again.
    let body = unsafe { space.cast::<F>().read() };
    let link = stack.link();
    let base = move |switch: &SwitchBack<In, Out>, _nothing| {
        let mut yielder = Yielder::new(switch, link);
        yielder.settle();
        // SAFETY: alive at the first resume, which is now.
        let announcement = unsafe { &*announcement };
        announcement.set(&yielder);
        catch_unwind(AssertUnwindSafe(|| body(&yielder)))
    };
    // SAFETY: the closure catches every unwind of the body; the borrows are the caller's duty.
    unsafe { Coroutine::new(stack, base) }
}

/// # Safety
/// `space` holds an `F`, which nobody uses again.
unsafe fn discard<F>(space: *mut Space) {
    // SAFETY: the caller's duty.
    unsafe { ptr::drop_in_place(space.cast::<F>()) }
}
