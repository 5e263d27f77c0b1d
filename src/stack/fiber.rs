//! Tells the thread sanitizer which stack runs, where it watches.
//!
//! It keeps a list of the calls that each OS thread is inside of. A switch leaves one list and goes on in another; whom nobody tells mixes them up, and runs out of room. So each
//! coroutine has a fiber, as it is called there, and each switch into it says so. Stacks never change their OS thread (D1), and what runs on one OS thread runs one after the
//! other, so a switch is told as one that carries order along: it hides no race between OS threads.
//!
//! The calls are there only in builds with `-Zsanitizer=thread`, which say so by `--cfg greenthread_tsan`; elsewhere a [`Fiber`] is nothing.

pub(super) use told::Fiber;

#[cfg(greenthread_tsan)]
mod told {
    #![expect(unsafe_code, reason = "calls the sanitizer's runtime")]

    use std::cell::Cell;
    use std::ffi::{c_uint, c_void};

    unsafe extern "C" {
        fn __tsan_get_current_fiber() -> *mut c_void;
        fn __tsan_create_fiber(flags: c_uint) -> *mut c_void;
        fn __tsan_destroy_fiber(fiber: *mut c_void);
        fn __tsan_switch_to_fiber(fiber: *mut c_void, flags: c_uint);
    }

    /// The switch happens after all that the one before it did.
    const IN_ORDER: c_uint = 0;

    /// A stack's list of calls.
    #[derive(Debug)]
    pub(in crate::stack) struct Fiber {
        /// This stack's own.
        own: *mut c_void,

        /// The one to go on in: that of the stack which ran when this one was left, for a generator's body may park whoever drives it.
        inmost: Cell<*mut c_void>,
    }

    impl Fiber {
        pub(in crate::stack) fn new() -> Self {
            // SAFETY: D1: the fiber is entered and left on this OS thread only.
            let own = unsafe { __tsan_create_fiber(0) };
            Fiber {
                own,
                inmost: Cell::new(own),
            }
        }

        /// Runs `f`, which switches to this one's stack and comes back.
        ///
        /// Both halves are told from the stack that comes back, outside of whatever `f` calls, so each list sees as many calls end as begin. Inlined: a call of
        /// its own would begin in one list and end in the other.
        #[inline(always)]
        pub(in crate::stack) fn within<T>(&self, f: impl FnOnce() -> T) -> T {
            // SAFETY: takes nothing.
            let outer = unsafe { __tsan_get_current_fiber() };
            // SAFETY: L1: a fiber of this OS thread that is not destroyed before its stack is done with.
            unsafe { __tsan_switch_to_fiber(self.inmost.get(), IN_ORDER) };
            let result = f();
            // SAFETY: takes nothing.
            self.inmost.set(unsafe { __tsan_get_current_fiber() });
            // SAFETY: the one that runs again is the one that ran.
            unsafe { __tsan_switch_to_fiber(outer, IN_ORDER) };
            result
        }

        /// Its stack is done with.
        pub(in crate::stack) fn end(&mut self) {
            // SAFETY: L1: called once, by the owner of a coroutine that has ended or never began.
            unsafe { __tsan_destroy_fiber(self.own) };
        }
    }
}

#[cfg(not(greenthread_tsan))]
mod told {
    /// Nothing: nobody watches.
    #[derive(Debug)]
    pub(in crate::stack) struct Fiber;

    impl Fiber {
        #[inline(always)]
        pub(in crate::stack) fn new() -> Self {
            Fiber
        }

        #[inline(always)]
        pub(in crate::stack) fn within<T>(&self, f: impl FnOnce() -> T) -> T {
            f()
        }

        #[inline(always)]
        pub(in crate::stack) fn end(&mut self) {}
    }
}
