//! The part of a green thread's allocation that its handle sees: the header and the result.
//!
//! - B2 The result is written once, by `block`, before the state is ENDED. Until `Finish` is over it belongs to whoever brings it there; after that to the one
//!   handle.

#![expect(unsafe_code, reason = "the result changes hands behind a header")]

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::join_error::JoinError;
use super::report;
use crate::sched::header::Header;
use crate::sched::payload;

/// What a handle sees of the allocation.
#[repr(C)]
pub(super) struct Outcome<T> {
    /// First, so that its address is the block's.
    header: Header,

    /// B2.
    result: UnsafeCell<MaybeUninit<Result<T, JoinError>>>,
}

impl<T> Outcome<T> {
    /// Of a green thread that has not begun.
    #[inline(always)]
    pub(super) fn new(header: Header) -> Self {
        Outcome {
            header,
            result: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// Stores the result.
    ///
    /// # Safety
    /// Once, before the state is ENDED.
    #[inline]
    pub(super) unsafe fn store(&self, result: Result<T, JoinError>) {
        // SAFETY: B2: nobody else reaches it at this moment.
        let cell = unsafe { &mut *self.result.get() };
        cell.write(result);
    }

    /// The outcome behind a header.
    ///
    /// # Safety
    /// The header is of a green thread with this result type.
    pub(super) unsafe fn of(header: &Header) -> &Outcome<T> {
        // SAFETY: the caller's duty; it is the first part of the block, whatever the closure.
        unsafe { &*std::ptr::from_ref(header).cast() }
    }

    /// The result, for whoever it belongs to (B2).
    ///
    /// # Safety
    /// The state is ENDED, the result was not taken, and it belongs to the caller.
    pub(super) unsafe fn peek(&self) -> &Result<T, JoinError> {
        // SAFETY: B2: it is only read while it is shared.
        let cell = unsafe { &*self.result.get() };
        // SAFETY: the caller's duty.
        unsafe { cell.assume_init_ref() }
    }

    /// Takes the result.
    ///
    /// # Safety
    /// As for `peek`; once.
    pub(super) unsafe fn take(&self) -> Result<T, JoinError> {
        // SAFETY: B2: it belongs to the caller.
        let cell = unsafe { &*self.result.get() };
        // SAFETY: the caller's duty.
        unsafe { cell.assume_init_read() }
    }
}

/// Drops a value of the user's; a panic of its `Drop` is reported and goes no further (L18). So does a request that is raised there, unreported.
pub(crate) fn drop_quietly<V>(header: &Header, value: V) {
    let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) else {
        return;
    };
    match payload::sort(payload) {
        // It may hold the last of its reason, which is of the user's type too.
        Ok(request) => drop_quietly(header, request),
        Err(panic) => report::dropped(header, panic),
    }
}
