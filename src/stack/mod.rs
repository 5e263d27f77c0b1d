//! Layer 1: stacks, and the switch between them.
//!
//! ```text
//!   platform         what the kernel is asked for: a mapping, a guard          (linux.rs, portable.rs)
//!   slab             a large mapping cut into slots, each with its guard
//!   registry         every slab of the process, by address                     (for signal handlers)
//!   pool             the slots of this OS thread, reused last-in first-out
//!   pool::trim, idle what goes back to the kernel, and when
//!   overflow         what is said when a stack has run out                     (L2)
//!   coroutine        a closure on a slot, and the switch in and out            (the only file that names corosensei)
//!   fiber            tells the thread sanitizer of each switch
//!   chain            which stack runs now, and who drives it
//!   grow, grown      a bigger stack for a while, as a part of the one that runs
//!   unwinding        whether the running chain is in the middle of an unwind   (L10)
//!   way              from stack to stack along a chain, for a walk over frames
//!   backtrace        where a chain stands that is parked                       (dumps)
//!   unwinder         what the C runtime tells about frames
//!   frames           the same question asked of the frames themselves
//!   exception_table  .. and of what the compiler wrote about each of them
//! ```

pub(crate) mod backtrace;
pub(crate) mod chain;
pub(crate) mod coroutine;
pub(crate) mod grow;
pub(crate) mod grown;
pub(crate) mod idle;
pub(crate) mod overflow;
pub(crate) mod platform;
pub(crate) mod pool;
pub(crate) mod registry;
pub(crate) mod slab;
pub(crate) mod unwinder;
pub(crate) mod unwinding;
pub(crate) mod way;

mod fiber;

#[cfg(all(unix, not(target_vendor = "apple"), not(target_arch = "arm")))]
mod exception_table;
#[cfg(all(unix, not(target_vendor = "apple"), not(target_arch = "arm")))]
mod frames;

#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_arch = "arm"))))]
#[path = "frames_unread.rs"]
mod frames;
