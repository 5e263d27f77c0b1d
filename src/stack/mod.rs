//! Layer 1: stacks, and the switch between them.
//!
//! ```text
//!   platform         what the kernel is asked for: a mapping, a guard          (linux.rs, portable.rs)
//!   slab             a large mapping cut into slots, each with its guard
//!   pool             the slots of this OS thread, reused last-in first-out
//!   coroutine        a closure on a slot, and the switch in and out            (the only file that names corosensei)
//!   chain            which stack runs now, and who drives it
//!   unwinding        whether the running chain is in the middle of an unwind   (L10)
//!   frames           the same question asked of the frames themselves
//!   exception_table  .. and of what the compiler wrote about each of them
//! ```

pub(crate) mod chain;
pub(crate) mod coroutine;
pub(crate) mod platform;
pub(crate) mod pool;
pub(crate) mod slab;
pub(crate) mod unwinding;

#[cfg(all(unix, not(target_vendor = "apple"), not(target_arch = "arm")))]
mod exception_table;
#[cfg(all(unix, not(target_vendor = "apple"), not(target_arch = "arm")))]
mod frames;

#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_arch = "arm"))))]
#[path = "frames_unread.rs"]
mod frames;
