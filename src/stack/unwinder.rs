//! What the unwinder of the C runtime offers, as far as we use it (Itanium C++ ABI: Exception Handling, level I).

#![expect(unsafe_code, reason = "declares foreign functions")]

use std::ffi::{c_int, c_void};

/// One frame, as the unwinder shows it.
#[derive(Debug)]
pub(crate) enum Context {}

/// The unwinder's "go on": `_URC_NO_REASON`.
pub(crate) const GO_ON: c_int = 0;

/// Any other code ends the walk: `_URC_NORMAL_STOP`.
pub(crate) const STOP: c_int = 4;

// Declared as if a panic could come out of it: else the compiler would know that none can come out of the walk, give the calls that
// lead here no call sites, and every walk would find its own frames forbidding.
unsafe extern "C-unwind" {
    pub(crate) fn _Unwind_Backtrace(
        visit: extern "C" fn(*mut Context, *mut c_void) -> c_int,
        data: *mut c_void,
    ) -> c_int;
}

unsafe extern "C" {
    pub(crate) fn _Unwind_GetCFA(frame: *mut Context) -> usize;
    pub(crate) fn _Unwind_GetIP(frame: *mut Context) -> usize;
    pub(crate) fn _Unwind_GetIPInfo(frame: *mut Context, ip_is_exact: *mut c_int) -> usize;
    pub(crate) fn _Unwind_GetLanguageSpecificData(frame: *mut Context) -> *const u8;
    pub(crate) fn _Unwind_GetRegionStart(frame: *mut Context) -> usize;
}
