//! Where a chain stands that is parked as a whole: its return addresses.
//!
//! The unwinder can only begin where code runs. So the chain is switched to for a moment, on its own stack, and the walk runs on a stack that is lent to it: on the parked
//! one it would touch a page more. Only addresses are kept, in memory that was there before; names are for whoever reads them.

#![expect(unsafe_code, reason = "asks the unwinder, on a stack that is lent")]

use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::ptr::{self, NonNull};

use super::chain::Link;
use super::coroutine;
use super::platform;
use super::pool::{self, Stack};
use super::unwinder::{_Unwind_Backtrace, _Unwind_GetCFA, _Unwind_GetIP, Context, GO_ON, STOP};
use super::way::{Reach, Way};

/// The most frames that are kept.
pub(crate) const MOST: usize = 96;

/// Bytes below its stack pointer that a function may use.
const RED_ZONE: usize = 128;

/// More bytes than the frame has with which a walk begins on the stack that it is about.
const FRAME: usize = 512;

/// Where a chain stands.
#[derive(Debug)]
pub(crate) struct Backtrace {
    /// Return addresses, innermost first.
    addresses: [usize; MOST],

    /// How many there are.
    count: usize,

    /// Whether there are more.
    is_cut: bool,

    /// The lowest address of the first frame that stands on the chain itself; zero when there is none.
    lowest: usize,

    /// The same, for the first that stands on the chain's base.
    lowest_on_base: usize,
}

impl Backtrace {
    pub(crate) fn new() -> Self {
        Backtrace {
            addresses: [0; MOST],
            count: 0,
            is_cut: false,
            lowest: 0,
            lowest_on_base: 0,
        }
    }

    /// Forgets what it holds.
    pub(crate) fn clear(&mut self) {
        (self.count, self.is_cut) = (0, false);
        (self.lowest, self.lowest_on_base) = (0, 0);
    }

    pub(crate) fn addresses(&self) -> &[usize] {
        &self.addresses[..self.count]
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// About how deep the walk itself has touched the stack on which it began; zero when there was none.
    pub(crate) fn touched(&self) -> usize {
        self.lowest
    }

    /// How deep the base of the chain is in use, as an address; zero when the walk did not come there.
    pub(crate) fn lowest_on_base(&self) -> usize {
        self.lowest_on_base
    }

    /// Takes the trace of the chain that begins with `innermost`, on which this is called. Without a stack to lend there is none.
    pub(crate) fn take(&mut self, innermost: *const Link) {
        self.clear();
        let Ok(lent) = pool::take(pool::DEFAULT_SIZE) else {
            return;
        };
        let span = span(&lent);
        let way = Way::from(innermost, Reach::Chain);
        let walk = Walk {
            span,
            way,
            trace: self,
        };
        // SAFETY: the walk raises nothing.
        unsafe { coroutine::on_stack(lent, || walk.go()) }
    }

    fn add(&mut self, address: usize) -> bool {
        self.is_cut = self.count == MOST;
        if let Some(place) = self.addresses.get_mut(self.count) {
            *place = address;
            self.count += 1;
        }
        !self.is_cut
    }
}

/// Gives the pages back that a walk has touched on a stack below what its owner needs; `saved` is where that is suspended.
pub(crate) fn give_back_touched(touched: usize, saved: usize, limit: usize) {
    let page = platform::page_size();
    let needed = (saved - RED_ZONE) & !(page - 1);
    let lowest = touched.saturating_sub(FRAME).max(limit) & !(page - 1);
    if lowest < needed
        && let Some(start) = NonNull::new(ptr::with_exposed_provenance_mut(lowest))
    {
        // SAFETY: below where the stack's owner is suspended nothing of it stands, and above the guard; whole pages.
        unsafe { platform::give_up(start, needed - lowest) }
    }
}

/// The addresses of a stack, its head included.
fn span(stack: &Stack) -> Range<usize> {
    stack.limit().get()..stack.end()
}

/// A walk under way.
struct Walk<'a> {
    /// The stack that is lent: frames on it are the walk's own.
    span: Range<usize>,

    /// Where it has come to.
    way: Way,

    /// What it finds.
    trace: &'a mut Backtrace,
}

impl Walk<'_> {
    #[inline(never)]
    fn go(mut self) {
        // SAFETY: `visit` gets this walk, which nobody else uses meanwhile.
        unsafe { _Unwind_Backtrace(visit, (&raw mut self).cast()) };
    }

    /// Takes a frame in; false ends the walk.
    fn meet(&mut self, stack_pointer: usize, address: usize) -> bool {
        if self.span.contains(&stack_pointer) {
            return true;
        }
        // What lies outside of an OS thread's first frame has no address.
        if address == 0 || !self.way.reaches(stack_pointer) {
            return false;
        }
        if self.trace.lowest == 0 {
            self.trace.lowest = stack_pointer;
        }
        // SAFETY: C3 of `chain`: a link of the chain that stands here.
        let stack = unsafe { self.way.stack().as_ref() };
        let on_base = stack.is_some_and(|link| !link.owner().is_null());
        if on_base && self.trace.lowest_on_base == 0 {
            self.trace.lowest_on_base = stack_pointer;
        }
        self.trace.add(address)
    }
}

extern "C" fn visit(frame: *mut Context, walk: *mut c_void) -> c_int {
    // SAFETY: `go` passes its own walk.
    let walk = unsafe { &mut *walk.cast::<Walk<'_>>() };
    // SAFETY: the unwinder shows a valid frame.
    let stack_pointer = unsafe { _Unwind_GetCFA(frame) };
    // SAFETY: as above.
    let address = unsafe { _Unwind_GetIP(frame) };
    if walk.meet(stack_pointer, address) {
        GO_ON
    } else {
        STOP
    }
}
