//! The word that a stack overflow gets (L2): a handler of SIGSEGV and SIGBUS that knows our guards.
//!
//! ```text
//!   fault ──▶ is the address in a guard of ours, and does the stack pointer stand on that slot?
//!              yes: hop to a roomy stack, say who it was, show the backtrace, abort           report, trace
//!              no:  whoever was there before: std's handler, a crash reporter, the kernel
//! ```
//!
//! The handler runs on the OS thread's alternate signal stack (`alternate`). It takes no lock, allocates nothing, and reads only what its own OS thread writes, and the
//! `registry`. What it needs is made ready when the first slab is mapped.
//!
//! Invariant O1: `PREVIOUS` holds what was in force for a signal before our handler can be called for it.

#![expect(unsafe_code, reason = "handles signals")]

mod alternate;
pub(crate) mod context;
mod fault;
mod report;
pub(crate) mod room;
pub(crate) mod symbols;
mod trace;
mod words;

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Once, OnceLock};

use super::registry;
use fault::Fault;
use room::Room;

/// The signals of a bad access, and what was in force for each before us (O1).
static PREVIOUS: [(libc::c_int, OnceLock<libc::sigaction>); 2] = [
    (libc::SIGSEGV, OnceLock::new()),
    (libc::SIGBUS, OnceLock::new()),
];

/// How far below a guard a stack pointer may stand and still be that stack's: a frame of C code that touches its pages in any order.
const LONGEST_STEP: usize = 1 << 20;

/// Set by the first OS thread that reports. The others wait for its abort.
static REPORTING: AtomicBool = AtomicBool::new(false);

/// Where the report is written.
static ROOM: Room = Room::new();

/// What a handler that wants to know about the fault is called with.
type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut c_void);

/// Makes overflows on this OS thread speak. Called when a slab is mapped.
pub(crate) fn watch() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(install);
    alternate::ensure();
}

/// Makes the report ready and takes both signals over.
fn install() {
    ROOM.prepare();
    trace::warm_up();
    for (signal, previous) in &PREVIOUS {
        take_over(*signal, previous);
    }
}

fn take_over(signal: libc::c_int, previous: &OnceLock<libc::sigaction>) {
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: reads what is in force into the struct.
    let known = unsafe { libc::sigaction(signal, ptr::null(), before.as_mut_ptr()) };
    if known != 0 {
        return;
    }
    // SAFETY: filled in, or all zero, which is a valid action too.
    let _ = previous.set(unsafe { before.assume_init() });
    // SAFETY: an action of zeros is valid.
    let mut ours: libc::sigaction = unsafe { std::mem::zeroed() };
    ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    ours.sa_sigaction = handle as *const () as usize;
    // SAFETY: the handler keeps to what a handler may do; O1 holds since the line above.
    unsafe { libc::sigaction(signal, &ours, ptr::null_mut()) };
}

extern "C" fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel's, for the time of this call.
    let about = unsafe { &*info };
    // SAFETY: as above.
    match unsafe { recognise(about, context) } {
        Some(fault) => die(&fault),
        None => pass_on(signal, info, context),
    }
}

/// The fault, if it is an overflow of a stack of ours.
///
/// # Safety
/// `context` is the kernel's, for this signal.
unsafe fn recognise(info: &libc::siginfo_t, context: *const c_void) -> Option<Fault> {
    // One that somebody sent has no address.
    if info.si_code <= 0 {
        return None;
    }
    // SAFETY: a signal of a bad access carries an address.
    let address = unsafe { info.si_addr() }.addr();
    let slot = registry::find(address)?;
    // SAFETY: the caller's duty.
    let registers = unsafe { context::registers(context) };
    let own = registers.is_none_or(|registers| {
        (slot.start.saturating_sub(LONGEST_STEP)..slot.end).contains(&registers.stack_pointer)
    });
    let on_guard = address - slot.start < super::slab::GUARD;
    (on_guard && own).then(|| Fault {
        address,
        slot,
        program_counter: registers.map_or(0, |registers| registers.program_counter),
    })
}

/// Reports and aborts; one OS thread of all that get here.
fn die(fault: &Fault) -> ! {
    while REPORTING.swap(true, Ordering::AcqRel) {
        // SAFETY: sleeps until a signal; the other's abort ends it.
        unsafe { libc::pause() };
    }
    // SAFETY: one report is written in the life of a process.
    unsafe { ROOM.call(write_report, ptr::from_ref(fault).cast_mut().cast()) };
    std::process::abort()
}

extern "C" fn write_report(fault: *mut c_void) {
    // SAFETY: `die` passes its fault.
    report::write(unsafe { &*fault.cast::<Fault>() });
}

/// Does what would have been done without us.
fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let previous = PREVIOUS
        .iter()
        .find(|(ours, _)| *ours == signal)
        .and_then(|(_, previous)| previous.get());
    match previous.map(|action| (action.sa_sigaction, action.sa_flags)) {
        None | Some((libc::SIG_DFL, _)) => by_default(signal, info),
        Some((libc::SIG_IGN, _)) => ignore(signal, info),
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

/// The kernel's way: the access is tried again and ends the process.
fn by_default(signal: libc::c_int, info: *mut libc::siginfo_t) {
    // SAFETY: restores the action that every process begins with.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
    // SAFETY: the kernel's, for the time of the handler.
    if unsafe { (*info).si_code } <= 0 {
        // SAFETY: sent by somebody: sent once more, it comes when the handler has returned.
        unsafe { libc::raise(signal) };
    }
}

/// A fault cannot be ignored, only a signal that somebody sent.
fn ignore(signal: libc::c_int, info: *mut libc::siginfo_t) {
    // SAFETY: the kernel's, for the time of the handler.
    if unsafe { (*info).si_code } > 0 {
        by_default(signal, info);
    }
}
