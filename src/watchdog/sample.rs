//! Who runs on an OS thread, and where: seen from a signal handler there.
//!
//! ```text
//!   IDLE ──observer──▶ ASKED ──handler──▶ WRITING ──handler──▶ DONE ──observer──▶ IDLE
//!                        └──────observer, who has waited in vain──────────────────▶ IDLE
//! ```
//!
//! The handler writes only in WRITING, and only atomics that were there before: it allocates nothing, takes no lock, and reads what its own OS thread writes. For the frames it asks
//! the unwinder of the C runtime, which is not on the list of what a handler may call (POSIX has none that is). It walked once before, so that it finds nothing left to bind; with glibc
//! 2.35 and later it takes no lock to find a frame's description. Before that, a signal inside `dlopen` may wait for the linker's lock, which its own OS thread
//! holds: one reason more why the watchdog is off unless asked for. The alternative, frame pointers, is not there: neither std nor a release build keeps them.

#![expect(unsafe_code, reason = "asks the unwinder, and follows links")]

use std::ffi::{c_int, c_void};
use std::fmt::{self, Write};
use std::ops::Range;
use std::panic::Location;
use std::ptr;
use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering,
};

use crate::stack::chain::{self, Link};
use crate::stack::unwinder::{
    _Unwind_Backtrace, _Unwind_GetCFA, _Unwind_GetIPInfo, Context, GO_ON, STOP,
};
use crate::stack::way::{Reach, Way};
use crate::stack::{grown, registry};

/// Nobody wants to know.
const IDLE: u32 = 0;

/// The observer wants to know of the OS thread `target`.
const ASKED: u32 = 1;

/// That OS thread is writing.
const WRITING: u32 = 2;

/// It has.
const DONE: u32 = 3;

/// The most frames that are kept.
const MOST: usize = 64;

/// The most bytes of a name.
const LONGEST_NAME: usize = 160;

/// The one sample: the observer asks one OS thread after the other.
static SAMPLE: Sample = Sample {
    state: AtomicU32::new(IDLE),
    target: AtomicI32::new(0),
    is_green: AtomicBool::new(false),
    name: [const { AtomicU8::new(0) }; LONGEST_NAME],
    name_length: AtomicUsize::new(0),
    site: AtomicPtr::new(ptr::null_mut()),
    frames: [const { AtomicUsize::new(0) }; MOST],
    count: AtomicUsize::new(0),
};

/// Who runs, and where.
struct Sample {
    /// Whose turn it is.
    state: AtomicU32,

    /// The kernel's number for the OS thread that is asked.
    target: AtomicI32,

    /// Whether a green thread runs there.
    is_green: AtomicBool,

    /// What it is called, in UTF-8.
    name: [AtomicU8; LONGEST_NAME],

    /// Bytes of it.
    name_length: AtomicUsize,

    /// Where it was spawned.
    site: AtomicPtr<Location<'static>>,

    /// Return addresses, innermost first.
    frames: [AtomicUsize; MOST],

    /// How many there are.
    count: AtomicUsize,
}

/// What a sample says.
#[derive(Debug)]
pub(crate) struct Found {
    /// Who runs: a number and a name.
    pub(crate) name: String,

    /// Where it was spawned.
    pub(crate) site: &'static Location<'static>,

    /// Return addresses, innermost first.
    pub(crate) frames: Vec<usize>,
}

/// Wants to know of this OS thread; whoever asks is alone.
pub(super) fn ask(target: i32) {
    SAMPLE.target.store(target, Ordering::Relaxed);
    SAMPLE.state.store(ASKED, Ordering::Release);
}

/// Whether there is an answer.
pub(super) fn is_there() -> bool {
    SAMPLE.state.load(Ordering::Acquire) == DONE
}

/// Takes the question back. False when it is just being answered.
pub(super) fn take_back() -> bool {
    let taken = SAMPLE
        .state
        .compare_exchange(ASKED, IDLE, Ordering::AcqRel, Ordering::Acquire);
    taken.is_ok()
}

/// The answer that is there: `None` when no green thread ran there at that moment.
pub(super) fn take() -> Option<Found> {
    let found = SAMPLE
        .is_green
        .load(Ordering::Relaxed)
        .then(|| SAMPLE.read())
        .flatten();
    SAMPLE.state.store(IDLE, Ordering::Release);
    found
}

/// Whether this OS thread is asked; then it must [`answer`]. For the handler.
pub(super) fn is_asked(thread: i32) -> bool {
    SAMPLE.target.load(Ordering::Relaxed) == thread
        && SAMPLE
            .state
            .compare_exchange(ASKED, WRITING, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
}

/// Writes who runs here, whose stack pointer was this when the signal came. For the handler.
pub(super) fn answer(stack_pointer: usize) {
    let stack = running_stack(stack_pointer);
    SAMPLE.is_green.store(false, Ordering::Relaxed);
    if let Some((stack, slot)) = stack {
        SAMPLE.write(stack, slot, stack_pointer);
    }
    SAMPLE.state.store(DONE, Ordering::Release);
}

/// Walks once, so that the handler's walk finds every lazily bound symbol bound.
pub(super) fn warm_up() {
    let mut walk = Walk {
        way: Way::from(ptr::null(), Reach::OwnStack),
        slot: 0..0,
        stack_pointer: 0,
        count: 0,
    };
    walk.go();
}

/// The innermost link of the chain that runs on the stack with this address, and that stack's addresses; none for the loop's, the root's and others.
fn running_stack(address: usize) -> Option<(*const Link, Range<usize>)> {
    let slot = registry::find(address)?;
    let on = match grown::owner_of(address) {
        Some(on) => on,
        None => {
            // While the loop runs, the word may name a stack that has gone: look before following it.
            registry::find(chain::word().addr())?;
            let running = chain::running();
            slot.contains(&running.addr()).then_some(running)?
        }
    };
    registry::find(on.addr())?;
    Some((on, slot))
}

impl Sample {
    fn write(&self, stack: *const Link, slot: Range<usize>, stack_pointer: usize) {
        // SAFETY: `running_stack` gives the innermost link of the chain that runs here, and it stands still as long as the handler does.
        let base = unsafe { chain::outward(stack) }.find(|link| !link.owner().is_null());
        let base = base.filter(|base| !base.is_root());
        let Some((base, owners)) = base.zip(chain::owners()) else {
            return;
        };
        self.name_length.store(0, Ordering::Relaxed);
        // What does not fit is cut off.
        let _ = (owners.name)(base.owner(), &mut Name);
        let site = ptr::from_ref((owners.site)(base.owner()));
        self.site.store(site.cast_mut(), Ordering::Relaxed);
        let mut walk = Walk {
            way: Way::from(stack, Reach::Chain),
            slot,
            stack_pointer,
            count: 0,
        };
        walk.go();
        self.count.store(walk.count, Ordering::Relaxed);
        self.is_green.store(true, Ordering::Relaxed);
    }

    fn read(&self) -> Option<Found> {
        let load = |byte: &AtomicU8| byte.load(Ordering::Relaxed);
        let length = self.name_length.load(Ordering::Relaxed);
        let name: Vec<u8> = self.name[..length].iter().map(load).collect();
        let count = self.count.load(Ordering::Relaxed);
        let frames = self.frames[..count].iter();
        Some(Found {
            name: String::from_utf8_lossy(&name).into_owned(),
            // SAFETY: null, or a location that lives for ever.
            site: unsafe { self.site.load(Ordering::Relaxed).as_ref() }?,
            frames: frames.map(|frame| frame.load(Ordering::Relaxed)).collect(),
        })
    }
}

/// Writes into the sample's name.
struct Name;

impl Write for Name {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            let length = SAMPLE.name_length.load(Ordering::Relaxed);
            let place = SAMPLE.name.get(length).ok_or(fmt::Error)?;
            place.store(byte, Ordering::Relaxed);
            SAMPLE.name_length.store(length + 1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// A walk under way.
struct Walk {
    /// Where it has come to.
    way: Way,

    /// The stack that was interrupted.
    slot: Range<usize>,

    /// Where it was: frames further in are the handler's.
    stack_pointer: usize,

    /// How many frames were kept.
    count: usize,
}

impl Walk {
    fn go(&mut self) {
        // SAFETY: `visit` gets this walk, which nobody else uses meanwhile.
        unsafe { _Unwind_Backtrace(visit, ptr::from_mut(self).cast()) };
    }

    /// Takes a frame in; false ends the walk.
    fn meet(&mut self, stack_pointer: usize, address: usize) -> bool {
        let begins = self.slot.contains(&stack_pointer) && stack_pointer > self.stack_pointer;
        if self.count == 0 && !begins {
            return true;
        }
        if address == 0 || !self.way.reaches(stack_pointer) {
            return false;
        }
        if let Some(place) = SAMPLE.frames.get(self.count) {
            place.store(address, Ordering::Relaxed);
            self.count += 1;
        }
        self.count < MOST
    }
}

extern "C" fn visit(frame: *mut Context, walk: *mut c_void) -> c_int {
    // SAFETY: `go` passes its own walk.
    let walk = unsafe { &mut *walk.cast::<Walk>() };
    // SAFETY: the unwinder shows a valid frame.
    let stack_pointer = unsafe { _Unwind_GetCFA(frame) };
    let mut is_exact = 0;
    // SAFETY: as above.
    let address = unsafe { _Unwind_GetIPInfo(frame, &mut is_exact) };
    // The interrupted instruction itself has not been passed, as a call has to which an address returns.
    let address = if is_exact == 0 { address } else { address + 1 };
    if walk.meet(stack_pointer, address) {
        GO_ON
    } else {
        STOP
    }
}
