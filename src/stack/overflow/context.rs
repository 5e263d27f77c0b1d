//! Where the program stood when a signal came, as the kernel wrote it down.

#![expect(unsafe_code, reason = "reads the kernel's record of the registers")]

use std::ffi::c_void;

/// The registers that tell where a program is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registers {
    /// Where its stack ends.
    pub(crate) stack_pointer: usize,

    /// The instruction that faulted.
    pub(crate) program_counter: usize,
}

/// The registers of a signal's context; `None` on systems whose record is not known here.
///
/// # Safety
/// `context` is what a handler was called with, and the handler has not returned.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) unsafe fn registers(context: *const c_void) -> Option<Registers> {
    // SAFETY: the caller's duty.
    let context = unsafe { &*context.cast::<libc::ucontext_t>() };
    let all = &context.uc_mcontext.gregs;
    Some(Registers {
        stack_pointer: all[libc::REG_RSP as usize] as usize,
        program_counter: all[libc::REG_RIP as usize] as usize,
    })
}

/// The registers of a signal's context; `None` on systems whose record is not known here.
///
/// # Safety
/// `context` is what a handler was called with, and the handler has not returned.
#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
pub(crate) unsafe fn registers(context: *const c_void) -> Option<Registers> {
    // SAFETY: the caller's duty.
    let context = unsafe { &*context.cast::<libc::ucontext_t>() };
    Some(Registers {
        stack_pointer: context.uc_mcontext.sp as usize,
        program_counter: context.uc_mcontext.pc as usize,
    })
}

/// The registers of a signal's context; `None` on systems whose record is not known here.
///
/// # Safety
/// None here.
#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
pub(crate) unsafe fn registers(_context: *const c_void) -> Option<Registers> {
    None
}
