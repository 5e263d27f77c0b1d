//! The header of a root: an OS thread's own stack, which waits like a green thread but is never started, ended or freed by the loop.

#![expect(unsafe_code, reason = "allocates a header that is freed by its count")]

use std::panic::Location;
use std::ptr::NonNull;
use std::sync::Arc;

use super::header::{Counted, Header, Vtable, state};
use super::inbox::Home;
use super::peer::Peer;
use crate::base::biased::Biased;
use crate::stack::chain::Link;

/// A root's header, and the link that stands for its stack.
#[repr(C)]
struct Root {
    /// First, so that its address is the root's.
    header: Header,

    /// The end of every chain on this OS thread that does not run on a green thread.
    link: Link,
}

/// What a root can do: nothing but be freed.
static VTABLE: Vtable = Vtable {
    run: |_| unreachable!("a root is not started"),
    refuse: |_, _| unreachable!("a root needs no stack"),
    call: |_| unreachable!("a root does not end"),
    late: |_| unreachable!("a root has no handle"),
    attend: None,
    free,
};

/// A root for the OS thread that calls.
pub(super) fn make(home: Biased<Home>) -> Counted {
    let name = std::thread::current().name().map(Arc::from);
    let root = Box::leak(Box::new(Root {
        header: Header::new(1, &VTABLE, Some(home), name, Location::caller(), 0),
        link: Link::new(0..0),
    }));
    root.header.set_state(state::STARTED);
    root.link.set_owner(std::ptr::from_ref(&root.header).cast());
    // SAFETY: H1: the one reference that the header was made with.
    unsafe { Counted::from_raw(&raw const root.header) }
}

/// The link of this root.
pub(super) fn link(header: &Header) -> *const Link {
    let root = std::ptr::from_ref(header).cast::<Root>();
    // SAFETY: called with the headers that `make` made, which are the first field of a `Root`.
    unsafe { &raw const (*root).link }
}

/// # Safety
/// `peer` is part of what `make` made, and nothing refers to it any more.
unsafe fn free(peer: NonNull<Peer>) {
    // SAFETY: the caller's duty.
    drop(unsafe { Box::from_raw(peer.as_ptr().cast::<Root>()) });
}
