//! Tells valgrind where stacks are, so that it takes a switch for what it is.
//!
//! A request is a sequence of instructions that does nothing on a real processor and that valgrind recognises (its manual, "The client
//! request mechanism"). It is made once for each slot, when the slot is first used.

#![expect(unsafe_code, reason = "valgrind's request is a few instructions")]

use std::ops::Range;

/// `VG_USERREQ__STACK_REGISTER`.
const STACK_REGISTER: usize = 0x1501;

/// `VG_USERREQ__STACK_DEREGISTER`.
const STACK_DEREGISTER: usize = 0x1502;

/// Registers a stack. `None` when valgrind does not run us.
pub(crate) fn register(stack: Range<usize>) -> Option<usize> {
    // Valgrind counts from one for us: zero is the main thread's stack.
    let id = request(&[STACK_REGISTER, stack.start, stack.end, 0, 0, 0]);
    (id != 0).then_some(id)
}

/// Takes a registration back.
pub(crate) fn deregister(id: usize) {
    request(&[STACK_DEREGISTER, id, 0, 0, 0, 0]);
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
fn request(words: &[usize; 6]) -> usize {
    let mut answer = 0_usize;
    // SAFETY: four rotations by 64 bits in all and an exchange of a register with itself change nothing.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") words.as_ptr(),
            inout("rdx") answer,
            options(nostack),
        );
    }
    answer
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
fn request(_words: &[usize; 6]) -> usize {
    0
}
