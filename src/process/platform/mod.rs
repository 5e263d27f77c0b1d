//! What the kernel is asked for about a process.
//!
//! The contract, the same for both files here: `exit_descriptor` gives a descriptor that becomes readable when the process with this id has ended, or the error
//! `Unsupported` where there is no such thing, and SIGCHLD tells instead. The process is a child of ours that nobody has waited for yet, so that its id is not another's.
//!
//! `linux` opens a pidfd. `portable` serves other systems, and `--cfg greenthread_portable` forces it.

#[cfg(all(target_os = "linux", not(greenthread_portable)))]
mod linux;
#[cfg(all(target_os = "linux", not(greenthread_portable)))]
pub(super) use linux::exit_descriptor;

#[cfg(any(not(target_os = "linux"), greenthread_portable))]
mod portable;
#[cfg(any(not(target_os = "linux"), greenthread_portable))]
pub(super) use portable::exit_descriptor;
