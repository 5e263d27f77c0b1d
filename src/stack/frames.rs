//! Walks the frames of the running chain and asks of each whether a panic may pass it (`exception_table`).
//!
//! The walk starts here and follows the unwinder through every switch: the frame below a generator's base is the one that drives it.
//! Which stack a frame stands on is told by its stack pointer and the links' spans.

#![expect(unsafe_code, reason = "asks the unwinder")]

use std::ffi::{c_int, c_void};

use super::chain;
use super::exception_table;
use super::unwinder::{
    _Unwind_Backtrace, _Unwind_GetCFA, _Unwind_GetIPInfo, _Unwind_GetLanguageSpecificData,
    _Unwind_GetRegionStart, Context, GO_ON, STOP,
};
pub(crate) use super::way::Reach;
use super::way::Way;

/// The state of a walk.
struct Walk {
    /// Where it is, and how far it goes.
    way: Way,

    /// Whether a frame was found that no panic may pass.
    found: bool,
}

/// Whether any frame within reach stands at a call that no panic may pass.
#[cold]
#[inline(never)]
pub(crate) fn any_forbids_panic(reach: Reach) -> bool {
    let mut walk = Walk {
        way: Way::from(chain::running(), reach),
        found: false,
    };
    // SAFETY: `visit` gets the walk that lives here, and no frame is changed.
    unsafe { _Unwind_Backtrace(visit, (&raw mut walk).cast()) };
    walk.found
}

extern "C" fn visit(frame: *mut Context, walk: *mut c_void) -> c_int {
    // SAFETY: `any_forbids_panic` passes its own walk, which nobody else uses meanwhile.
    let walk = unsafe { &mut *walk.cast::<Walk>() };
    // SAFETY: the unwinder shows a valid frame.
    let stack_pointer = unsafe { _Unwind_GetCFA(frame) };
    if !walk.way.reaches(stack_pointer) {
        return STOP;
    }
    // SAFETY: as above.
    walk.found = unsafe { forbids_panic(frame) };
    if walk.found { STOP } else { GO_ON }
}

/// Whether no panic may pass the call at which this frame stands.
///
/// # Safety
/// The unwinder shows `frame` just now.
unsafe fn forbids_panic(frame: *mut Context) -> bool {
    // SAFETY: the caller's duty.
    let table = unsafe { _Unwind_GetLanguageSpecificData(frame) };
    if table.is_null() {
        return false;
    }
    let mut ip_is_exact = 0;
    // SAFETY: the caller's duty.
    let ip = unsafe { _Unwind_GetIPInfo(frame, &mut ip_is_exact) };
    // A return address may belong to the next call site; the call itself stands before it.
    let call = if ip_is_exact == 0 { ip - 1 } else { ip };
    // SAFETY: the caller's duty.
    let offset = call.wrapping_sub(unsafe { _Unwind_GetRegionStart(frame) });
    // SAFETY: the unwinder found this table for this function.
    unsafe { exception_table::forbids_panic(table, offset) }.unwrap_or(true)
}
