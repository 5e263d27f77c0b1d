//! The alternate signal stack of each OS thread: a handler cannot run on a stack that has just run out.
//!
//! std gives one to the main thread and to the threads that it makes. Where there is none (threads of C code), we bring our own, and take it away at
//! the end of the OS thread.

#![expect(unsafe_code, reason = "sets the alternate signal stack")]

use std::cell::Cell;
use std::mem;
use std::ptr::{self, NonNull};

use crate::stack::platform;

/// Bytes of ours: room for the registers of any processor, and for the handler that was there before us.
const SIZE: usize = 64 * 1024;

thread_local! {
    /// Ours, if this OS thread had none.
    static OURS: Ours = const { Ours(Cell::new(None)) };
}

/// Takes the stack away again when dropped.
struct Ours(Cell<Option<NonNull<u8>>>);

/// Gives this OS thread an alternate signal stack if it has none. Without memory for one, an overflow ends the process without a word.
pub(super) fn ensure() {
    let _ = OURS.try_with(|ours| {
        if ours.0.get().is_none() && current().is_none() {
            ours.install();
        }
    });
}

/// The stack in force, by its lowest address.
fn current() -> Option<NonNull<u8>> {
    // SAFETY: a struct of plain words.
    let mut stack: libc::stack_t = unsafe { mem::zeroed() };
    // SAFETY: reads what is in force into the struct.
    let known = unsafe { libc::sigaltstack(ptr::null(), &mut stack) } == 0;
    let enabled = known && stack.ss_flags & libc::SS_DISABLE == 0;
    enabled.then(|| NonNull::new(stack.ss_sp.cast())).flatten()
}

fn set(start: *mut u8, flags: libc::c_int) -> bool {
    let stack = libc::stack_t {
        ss_sp: start.cast(),
        ss_flags: flags,
        ss_size: SIZE,
    };
    // SAFETY: either disables it, or names memory that is mapped for this alone.
    unsafe { libc::sigaltstack(&stack, ptr::null_mut()) == 0 }
}

impl Ours {
    fn install(&self) {
        if let Ok(start) = platform::map(SIZE)
            && set(start.as_ptr(), 0)
        {
            self.0.set(Some(start));
        }
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let Some(start) = self.0.take() else {
            return;
        };
        // Somebody may have set another one since; that stays.
        if current() == Some(start) {
            set(ptr::null_mut(), libc::SS_DISABLE);
        }
        // SAFETY: mapped by `install`; no handler runs on it here, and none will.
        unsafe { platform::unmap(start, SIZE) };
    }
}
