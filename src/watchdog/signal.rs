//! The signal by which the observer asks an OS thread: SIGURG, as in Go's runtime.
//!
//! By default it is ignored, and hardly any program uses it. Whoever handled it before us is called for those that are not ours. System calls that it
//! interrupts go on by themselves (`SA_RESTART`), as far as the kernel can; the rest (sleeps, polls) end with `EINTR`, at which std goes on.
//!
//! Invariant G1: `PREVIOUS` is what was in force before our handler can be called.

#![expect(unsafe_code, reason = "handles a signal")]

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::{Once, OnceLock};

use super::sample;
use crate::base::os_thread;
use crate::stack::overflow::context;
use crate::stack::overflow::room::Room;

/// What the observer sends.
const SIGNAL: libc::c_int = libc::SIGURG;

/// G1.
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// Where samples are taken: an alternate signal stack may be small.
static ROOM: Room = Room::new();

/// A handler that wants to know all.
type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut c_void);

/// Makes OS threads of this process answer.
pub(super) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        ROOM.prepare();
        sample::warm_up();
        take_over();
    });
}

fn take_over() {
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: reads what is in force into the struct.
    unsafe { libc::sigaction(SIGNAL, ptr::null(), before.as_mut_ptr()) };
    // SAFETY: filled in, or all zero, which is a valid action too.
    let _ = PREVIOUS.set(unsafe { before.assume_init() });
    // SAFETY: an action of zeros is valid.
    let mut ours: libc::sigaction = unsafe { std::mem::zeroed() };
    ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
    ours.sa_sigaction = handle as *const () as usize;
    // SAFETY: the handler keeps to what is said in `sample`; G1 holds since the line above.
    unsafe { libc::sigaction(SIGNAL, &ours, ptr::null_mut()) };
}

/// Interrupts the OS thread with this number of the kernel's, which is there as long as the call takes. False when it cannot be.
#[cfg(target_os = "linux")]
pub(super) fn send(thread: i32) -> bool {
    // SAFETY: a system call without arguments, which does not fail.
    let process = unsafe { libc::getpid() };
    // SAFETY: no memory is involved.
    unsafe { libc::syscall(libc::SYS_tgkill, process, thread, SIGNAL) == 0 }
}

/// Interrupts an OS thread: not known how, here.
#[cfg(not(target_os = "linux"))]
pub(super) fn send(_thread: i32) -> bool {
    false
}

extern "C" fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let error = errno();
    if sample::is_asked(os_thread::number()) {
        // SAFETY: WRITING of `sample` is one OS thread's at a time, so nobody else is in the room; nothing in it unwinds.
        unsafe { ROOM.call(take_sample, context) };
    } else {
        pass_on(signal, info, context);
    }
    set_errno(error);
}

extern "C" fn take_sample(context: *mut c_void) {
    // SAFETY: the kernel's, handed on by `handle`, which has not returned.
    let registers = unsafe { context::registers(context) };
    sample::answer(registers.map_or(0, |registers| registers.stack_pointer));
}

/// Does what would have been done without us: by default, nothing.
fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let previous = PREVIOUS.get();
    match previous.map(|action| (action.sa_sigaction, action.sa_flags)) {
        None | Some((libc::SIG_DFL | libc::SIG_IGN, _)) => {}
        Some((handler, flags)) if flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: installed as a handler of three arguments.
            let handler: Handler = unsafe { std::mem::transmute(handler) };
            handler(signal, info, context);
        }
        Some((handler, _)) => {
            // SAFETY: installed as a handler of one argument.
            let handler: extern "C" fn(libc::c_int) = unsafe { std::mem::transmute(handler) };
            handler(signal);
        }
    }
}

/// The last error of a system call of this OS thread.
#[cfg(target_os = "linux")]
fn errno() -> i32 {
    // SAFETY: a function without arguments, which does not fail.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: this OS thread's own word.
    unsafe { *place }
}

/// Puts it back.
#[cfg(target_os = "linux")]
fn set_errno(error: i32) {
    // SAFETY: a function without arguments, which does not fail.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: this OS thread's own word.
    unsafe { *place = error }
}

/// The last error of a system call: the handler makes none here.
#[cfg(not(target_os = "linux"))]
fn errno() -> i32 {
    0
}

/// Nothing to put back.
#[cfg(not(target_os = "linux"))]
fn set_errno(_error: i32) {}
