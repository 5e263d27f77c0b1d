//! Asks for memory before it is needed.

#![expect(unsafe_code, reason = "an instruction without a safe name")]

use std::ops::Range;

/// Bytes that come at once.
const LINE: usize = 64;

/// Begins to bring the lines that the first and the last of these bytes lie in. Any addresses will do: what is not mapped is no fault.
#[inline(always)]
pub(crate) fn prefetch(bytes: Range<*const u8>) {
    line(bytes.start);
    line(bytes.end.wrapping_sub(1));
}

/// Begins to bring all lines that these bytes lie in.
#[inline]
pub(crate) fn prefetch_all(bytes: Range<*const u8>) {
    let length = bytes.end.addr().wrapping_sub(bytes.start.addr());
    for offset in (0..length).step_by(LINE) {
        line(bytes.start.wrapping_add(offset));
    }
    line(bytes.end.wrapping_sub(1));
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn line(address: *const u8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a hint: it never faults, and the program cannot tell whether it was followed (D6).
    unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
}

/// No safe or stable name for it here: the memory comes when it is touched.
#[cfg(not(target_arch = "x86_64"))]
fn line(_address: *const u8) {}
