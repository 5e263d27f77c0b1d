//! The part of a header that only its own OS thread touches (H2).

use std::cell::{Cell, UnsafeCell};
use std::ptr;

use super::clock::Deadline;
use super::wait::Wait;
use crate::base::atomic::AtomicU8;
use crate::stack::chain::Link;
use crate::stack::coroutine::{Coroutine, Yielder};

/// Where a debugger finds what, in bytes.
pub(crate) mod layout {
    use std::mem::offset_of;

    use super::Local;

    /// Its coroutine: words, one of which is where it is suspended.
    pub(crate) const COROUTINE: usize = offset_of!(Local, coroutine);

    /// Bytes of that.
    pub(crate) const COROUTINE_BYTES: usize = size_of::<Option<super::Coroutine<(), (), ()>>>();

    /// The address of the innermost link of its chain, while it is switched away.
    pub(crate) const INNERMOST: usize = offset_of!(Local, innermost);

    /// The address of the link at the base of its chain.
    pub(crate) const BASE: usize = offset_of!(Local, base);

    /// The address of the wait in which it is parked; 0 while it is not.
    pub(crate) const WAIT: usize = offset_of!(Local, wait);
}

/// What the loop and the wait points of the OS thread keep about a green thread or a root.
///
/// What every switch touches stands first, to lie together.
#[repr(C)]
pub(crate) struct Local {
    /// Its stack and closure, from the first run to the end. Reached by the loop and, while it runs, by nobody.
    pub(super) coroutine: UnsafeCell<Option<Coroutine<(), (), ()>>>,

    /// What it suspends with; set at its first run, null for a root.
    pub(super) yielder: Cell<*const Yielder<(), ()>>,

    /// The innermost stack of its chain, while it is switched away.
    pub(super) innermost: Cell<*const Link>,

    /// The link at the base of its chain; null before the first run.
    pub(super) base: Cell<*const Link>,

    /// Whether `finish` holds a request: what a wait point looks at. This one any OS thread may write.
    pub(super) requested: AtomicU8,

    /// Whether a request may end that wait.
    pub(super) interruptible: Cell<bool>,

    /// Whether it was unparked without being parked.
    pub(super) token: Cell<bool>,

    /// The number of the `run` in which it was spawned here; zero outside.
    pub(super) run: Cell<u32>,

    /// The wait in which it is parked.
    pub(super) wait: Cell<*const Wait>,

    /// When it was parked, by the loop's last look at the clock.
    pub(super) since: Cell<Deadline>,

    /// Whose late callbacks it calls just now, as the header's address; null but for then.
    pub(crate) calls_for: Cell<*const ()>,

    /// Its index in the scheduler's list of all, once it is there.
    pub(super) place: Cell<usize>,

    /// Where this OS thread's recorder last said who it is.
    pub(super) announced: Cell<u64>,

    /// Bytes of stack to take at the first run; zero while its OS thread has not been asked.
    pub(crate) stack_size: Cell<usize>,

    /// The values of its `green_local!`s, see `thread::local_table`; null while there are none.
    pub(crate) locals: Cell<*mut ()>,
}

impl Local {
    #[inline(always)]
    pub(crate) fn new(stack_size: usize) -> Self {
        Local {
            coroutine: UnsafeCell::new(None),
            yielder: Cell::new(ptr::null()),
            innermost: Cell::new(ptr::null()),
            base: Cell::new(ptr::null()),
            requested: AtomicU8::new(0),
            wait: Cell::new(ptr::null()),
            interruptible: Cell::new(false),
            since: Cell::new(Deadline::BEGINNING),
            calls_for: Cell::new(ptr::null()),
            token: Cell::new(false),
            place: Cell::new(0),
            run: Cell::new(0),
            announced: Cell::new(0),
            stack_size: Cell::new(stack_size),
            locals: Cell::new(ptr::null_mut()),
        }
    }

    /// Whether nothing in it wants to be dropped.
    #[inline(always)]
    pub(super) fn is_bare(&mut self) -> bool {
        self.coroutine.get_mut().is_none()
    }
}
