//! One side of a store-load race for nothing, the other at the price of a system call.
//!
//! Two OS threads that each store a word and then load the other's need a full fence each, or both may miss the other's store. With `membarrier` the
//! kernel makes every running OS thread of the process pass one, so the frequent side needs none but the compiler's: whoever calls [`heavy`] knows that every
//! other OS thread's stores before some point are visible to it, and that their loads after that point see its own stores.
//!
//! Linux from 4.14 has it; where it is missing [`available`] says no, and `--cfg greenthread_portable` forces that.
//!
//! Source: membarrier(2); "Asymmetric Dekker synchronization", D. Dice, H. Huang, M. Yang, 2001.

#[cfg(all(target_os = "linux", not(greenthread_portable), not(miri)))]
pub(super) use linux::{available, heavy, is_at_hand};

#[cfg(not(all(target_os = "linux", not(greenthread_portable), not(miri))))]
pub(super) use portable::{available, heavy, is_at_hand};

#[cfg(all(target_os = "linux", not(greenthread_portable), not(miri)))]
mod linux {
    #![expect(unsafe_code, reason = "makes a system call that libc does not wrap")]

    /// Registers the process for the barrier; true when it has it.
    pub(in crate::base) fn available() -> bool {
        membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
    }

    /// Whether [`available`] takes no time: the process has this OS thread alone. Else the kernel waits until every core has passed a point that it knows of, some ten milliseconds.
    pub(in crate::base) fn is_at_hand() -> bool {
        use std::os::unix::fs::MetadataExt;
        // Of this folder the kernel counts the links: itself, its parent, and each OS thread.
        std::fs::metadata("/proc/self/task").is_ok_and(|task| task.nlink() == 3)
    }

    /// Makes every running OS thread of the process pass a full barrier, and this one too. Aborts when the process may not have it any more, under a new seccomp filter for
    /// example; a fork's child registers anew.
    pub(in crate::base) fn heavy() {
        let passed = membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
            || (available() && membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED));
        if !passed {
            // Going on would let two OS threads hold one lock; unwinding would leave it locked for ever.
            let error = std::io::Error::last_os_error();
            eprintln!(
                "greenthread: membarrier worked when this process began and fails now: {error}"
            );
            std::process::abort();
        }
    }

    fn membarrier(command: libc::c_int) -> bool {
        // SAFETY: takes no address; D4: what it orders is argued in `lock`.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }
}

#[cfg(not(all(target_os = "linux", not(greenthread_portable), not(miri))))]
mod portable {
    pub(in crate::base) fn available() -> bool {
        false
    }

    pub(in crate::base) fn is_at_hand() -> bool {
        true
    }

    pub(in crate::base) fn heavy() {
        unreachable!("a barrier that is not available")
    }
}
