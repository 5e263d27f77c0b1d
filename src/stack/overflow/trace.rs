//! The backtrace of a stack that has run out, taken inside the handler.
//!
//! The unwinder walks from here through the signal's frame onto the stack that faulted, and on through every switch to its driver. Only addresses are kept, the
//! first and the last ones. Names come from the program's own symbol table (`symbols`).

#![expect(unsafe_code, reason = "asks the unwinder")]

use std::ffi::{c_int, c_void};
use std::fmt::{self, Write};
use std::ops::Range;

use super::fault::Fault;
use super::symbols::Symbols;
use crate::stack::unwinder::{
    _Unwind_Backtrace, _Unwind_GetCFA, _Unwind_GetIP, Context, GO_ON, STOP,
};

/// How many of the innermost frames are shown.
const INNERMOST: usize = 24;

/// How many of the outermost.
const OUTERMOST: usize = 12;

/// Frames that are walked at the most: a quarter of a second.
const MOST: usize = 1 << 20;

/// Return addresses, innermost first.
pub(super) struct Trace {
    /// Frames count from the first one here on: what is further in belongs to the handler.
    stack: Range<usize>,

    /// How many there are.
    count: usize,

    /// The first of them.
    innermost: [usize; INNERMOST],

    /// The last of them, each at its number modulo the length.
    outermost: [usize; OUTERMOST],
}

/// Walks once, so that the handler's walk finds every lazily bound symbol bound.
pub(super) fn warm_up() {
    Trace::empty(0..0).walk();
}

impl Trace {
    fn empty(stack: Range<usize>) -> Self {
        Trace {
            stack,
            count: 0,
            innermost: [0; INNERMOST],
            outermost: [0; OUTERMOST],
        }
    }

    /// From the frame that faulted outward.
    pub(super) fn of(fault: &Fault) -> Self {
        let mut trace = Trace::empty(fault.slot.clone());
        trace.walk();
        if trace.count == 0 {
            trace.add(fault.program_counter);
        }
        trace
    }

    fn walk(&mut self) {
        // SAFETY: `visit` gets this trace, which nobody else uses meanwhile.
        unsafe { _Unwind_Backtrace(visit, std::ptr::from_mut(self).cast()) };
    }

    fn add(&mut self, address: usize) {
        if let Some(place) = self.innermost.get_mut(self.count) {
            *place = address;
        }
        self.outermost[self.count % OUTERMOST] = address;
        self.count += 1;
    }

    /// The address of a frame that was kept.
    fn frame(&self, number: usize) -> Option<usize> {
        match self.innermost.get(number) {
            Some(address) => Some(*address),
            None if number + OUTERMOST >= self.count => Some(self.outermost[number % OUTERMOST]),
            None => None,
        }
    }

    pub(super) fn show(&self, out: &mut impl Write) -> fmt::Result {
        let symbols = Symbols::of_this_program();
        writeln!(out, "  backtrace, innermost first:")?;
        for number in 0..self.count {
            match self.frame(number) {
                Some(address) => symbols.show(out, number, address)?,
                None if number == INNERMOST => {
                    let left_out = self.count - INNERMOST - OUTERMOST;
                    writeln!(out, "        .. {left_out} frames not shown ..")?;
                }
                None => {}
            }
        }
        Ok(())
    }
}

extern "C" fn visit(frame: *mut Context, trace: *mut c_void) -> c_int {
    // SAFETY: `walk` passes its own trace.
    let trace = unsafe { &mut *trace.cast::<Trace>() };
    // SAFETY: the unwinder shows a valid frame.
    let stack_pointer = unsafe { _Unwind_GetCFA(frame) };
    if trace.count > 0 || trace.stack.contains(&stack_pointer) {
        // SAFETY: as above.
        trace.add(unsafe { _Unwind_GetIP(frame) });
    }
    if trace.count < MOST { GO_ON } else { STOP }
}
