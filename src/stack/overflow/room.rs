//! A roomy stack for the one report: an alternate signal stack may have 8 KiB, of which the registers of a modern processor take half.
//!
//! Not the switch of `coroutine`, which needs the pool that calls us; a plain call on other memory, which the unwinder can pass.

#![expect(unsafe_code, reason = "calls a function with another stack pointer")]

use std::sync::OnceLock;

use super::fault::Fault;
use crate::stack::platform;

/// Bytes of it.
const SIZE: usize = 128 * 1024;

/// Where it ends.
static END: OnceLock<usize> = OnceLock::new();

/// Maps it. Without memory for it, the report is written on the signal stack.
pub(super) fn prepare() {
    if let Ok(start) = platform::map(SIZE) {
        let _ = END.set(start.addr().get() + SIZE);
    }
}

/// Calls `report` in the room.
///
/// # Safety
/// Nobody else is in it, and `report` does not unwind.
#[cfg(target_arch = "x86_64")]
pub(super) unsafe fn call(report: extern "C" fn(&Fault), fault: &Fault) {
    match END.get() {
        // SAFETY: mapped for this, and the caller vouches that nobody is in it.
        Some(end) => unsafe { call_at(fault, *end, report) },
        None => report(fault),
    }
}

/// Calls `report` where it is: the room is not entered on this processor.
///
/// # Safety
/// None here.
#[cfg(not(target_arch = "x86_64"))]
pub(super) unsafe fn call(report: extern "C" fn(&Fault), fault: &Fault) {
    report(fault);
}

/// `report(fault)` with the stack pointer at `end`; the frame pointer keeps the old one, for the way back and for the unwinder.
///
/// # Safety
/// `end` is the end of a stack that nobody uses.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn call_at(fault: &Fault, end: usize, report: extern "C" fn(&Fault)) {
    std::arch::naked_asm!(
        ".cfi_startproc",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "mov rsp, rsi",
        "call rdx",
        "mov rsp, rbp",
        "pop rbp",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
    )
}
