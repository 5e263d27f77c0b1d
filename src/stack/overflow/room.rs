//! A roomy stack for a handler: an alternate signal stack may have 8 KiB, of which the registers of a modern processor take half.
//!
//! Not the switch of `coroutine`, which needs the pool that calls us; a plain call on other memory, which the unwinder can pass.

#![expect(unsafe_code, reason = "calls a function with another stack pointer")]

use std::ffi::c_void;
use std::sync::OnceLock;

use crate::stack::platform;

/// Bytes of it.
const SIZE: usize = 128 * 1024;

/// Room for one at a time.
#[derive(Debug)]
pub(crate) struct Room {
    /// Where it ends, once it is mapped.
    end: OnceLock<usize>,
}

impl Room {
    pub(crate) const fn new() -> Self {
        Room {
            end: OnceLock::new(),
        }
    }

    /// Maps it. Without memory for it, calls are made on the signal stack.
    pub(crate) fn prepare(&self) {
        if self.end.get().is_none()
            && let Ok(start) = platform::map(SIZE)
        {
            let _ = self.end.set(start.addr().get() + SIZE);
        }
    }

    /// Calls `f` in the room.
    ///
    /// # Safety
    /// Nobody else is in it, `f` does not unwind, and takes this argument.
    #[cfg(target_arch = "x86_64")]
    pub(crate) unsafe fn call(&self, f: extern "C" fn(*mut c_void), argument: *mut c_void) {
        match self.end.get() {
            // SAFETY: mapped for this, and the caller vouches that nobody is in it.
            Some(end) => unsafe { call_at(argument, *end, f) },
            None => f(argument),
        }
    }

    /// Calls `f` where it is: the room is not entered on this processor.
    ///
    /// # Safety
    /// `f` takes this argument.
    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) unsafe fn call(&self, f: extern "C" fn(*mut c_void), argument: *mut c_void) {
        f(argument);
    }
}

/// `f(argument)` with the stack pointer at `end`; the frame pointer keeps the old one, for the way back and for the unwinder.
///
/// # Safety
/// `end` is the end of a stack that nobody uses.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn call_at(argument: *mut c_void, end: usize, f: extern "C" fn(*mut c_void)) {
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
