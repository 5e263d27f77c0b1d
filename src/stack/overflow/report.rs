//! What is said of an overflow (L2).

#![expect(unsafe_code, reason = "follows the running chain")]

use std::fmt::{self, Write};

use super::fault::Fault;
use super::trace::Trace;
use super::words::Stderr;
use crate::stack::chain::{self, Link, Owners};
use crate::stack::slab::GUARD;
use crate::stack::{grown, registry};

/// Whose stack it was.
#[derive(Clone, Copy)]
enum Kind {
    /// A green thread's own.
    GreenThread,

    /// A generator's.
    Generator,

    /// One that `grow` gave.
    Grown,

    /// The one on which the loop runs.
    Loop,
}

/// Says who has overflowed which stack, what can be done, and how it came to it.
pub(super) fn write(fault: &Fault) {
    let mut out = Stderr::new();
    // Stderr does not fail.
    let _ = say(&mut out, fault);
    let _ = Trace::of(fault).show(&mut out);
}

fn say(out: &mut Stderr, fault: &Fault) -> fmt::Result {
    let (kind, link) = whose(fault);
    // SAFETY: `whose` gives null or a link of the running chain.
    let base = unsafe { chain::outward(link) }.find(|link| !link.owner().is_null());
    let owner = base.filter(|base| !base.is_root()).zip(chain::owners());
    write!(out, "\ngreenthread: ")?;
    say_who(out, kind, owner)?;
    let usable = fault.slot.len() - GUARD;
    writeln!(out, " has overflowed its stack of {usable} bytes")?;
    if let Some((base, owners)) = owner {
        writeln!(out, "  spawned at {}", (owners.site)(base.owner()))?;
    }
    writeln!(out, "  to raise the size: {}", remedy(kind))?;
    let below = (fault.slot.start + GUARD).saturating_sub(fault.address);
    writeln!(
        out,
        "  the access was at {:#x}, {below} bytes below the stack",
        fault.address
    )
}

/// Which kind of stack it was, and the logical stack that it belongs to.
fn whose(fault: &Fault) -> (Kind, *const Link) {
    if let Some(on) = grown::owner_of(fault.slot.end - 1) {
        return (Kind::Grown, on);
    }
    let word = chain::word();
    // While the loop runs, the word may name a stack that has gone: look before following it.
    if !word.is_null() && registry::find(word.addr()).is_none() {
        return (Kind::Loop, std::ptr::null());
    }
    let link = chain::running();
    if !fault.slot.contains(&link.addr()) {
        return (Kind::Loop, std::ptr::null());
    }
    // SAFETY: at the top of the slot on which this OS thread has just run (C3 of `chain`).
    let is_base = !unsafe { &*link }.owner().is_null();
    let kind = if is_base {
        Kind::GreenThread
    } else {
        Kind::Generator
    };
    (kind, link)
}

fn say_who(out: &mut Stderr, kind: Kind, owner: Option<(&Link, &Owners)>) -> fmt::Result {
    match kind {
        Kind::GreenThread => {}
        Kind::Generator => write!(out, "a generator, driven by ")?,
        Kind::Grown => write!(out, "in a call of `grow`, ")?,
        Kind::Loop => return write!(out, "the event loop"),
    }
    match owner {
        Some((base, owners)) => (owners.name)(base.owner(), out),
        None => write!(out, "the root of this OS thread"),
    }
}

fn remedy(kind: Kind) -> &'static str {
    match kind {
        Kind::GreenThread => {
            "Builder::stack_size(bytes) for one, Runtime::builder().stack_size(bytes) for all, \
             or grow(bytes, f) around a deep recursion"
        }
        Kind::Generator => {
            "generator::Builder::stack_size(bytes), or grow(bytes, f) around a deep recursion \
             (of green threads: Builder::stack_size, Runtime::builder().stack_size)"
        }
        Kind::Grown => {
            "the bytes that `grow` is called with \
             (of green threads: Builder::stack_size, Runtime::builder().stack_size)"
        }
        Kind::Loop => "none; this is a fault of greenthread, please report it",
    }
}
