//! The slots of this OS thread, reused last-in first-out (D6).

#![expect(unsafe_code, reason = "placeholder")]

use std::cell::RefCell;
use std::io;
use std::num::NonZeroUsize;

use super::chain::Link;

/// The stack size when nothing else is asked for, in bytes of address space.
pub(crate) const DEFAULT_SIZE: usize = 256 * 1024;

thread_local! {
    static FREE: RefCell<Vec<Stack>> = const { RefCell::new(Vec::new()) };
}

/// A taken slot: a stack with a guard below it and its link at the top. Goes back to its pool when dropped.
#[derive(Debug)]
pub(crate) struct Stack {
    /// Just below the link.
    top: NonZeroUsize,
    /// The lowest usable address.
    limit: NonZeroUsize,
}

/// Takes a stack of at least `size` bytes: the one given back last, else a fresh slot.
pub(crate) fn take(size: usize) -> io::Result<Stack> {
    if let Some(stack) = FREE.with_borrow_mut(Vec::pop) {
        return Ok(stack);
    }
    let layout = std::alloc::Layout::from_size_align(size, 4096).unwrap();
    let base = unsafe { std::alloc::alloc(layout) } as usize;
    let link = (base + size - size_of::<Link>()) & !63;
    unsafe { (link as *mut Link).write(Link::new(base..base + size)) };
    Ok(Stack {
        top: NonZeroUsize::new(link).unwrap(),
        limit: NonZeroUsize::new(base).unwrap(),
    })
}

impl Stack {
    #[inline]
    pub(crate) fn top(&self) -> NonZeroUsize {
        self.top
    }
    #[inline]
    pub(crate) fn limit(&self) -> NonZeroUsize {
        self.limit
    }
    #[inline]
    pub(crate) fn link(&self) -> *const Link {
        self.top.get() as *const Link
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let s = Stack { top: self.top, limit: self.limit };
        let _ = FREE.try_with(|f| f.borrow_mut().push(s));
    }
}
