//! Faults, one at a time: each allocation and each system call that fails, peers that are killed, clocks that jump, descriptors that run out, clients that mean harm.
//!
//! What may end a process is played in a child process (`trial`), and what a fault leaves behind is proven by work that comes after it (`proof`).

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

#[path = "../support/mod.rs"]
mod support;

mod allocations;
mod clock;
mod clocks;
mod descriptors;
mod failing;
#[path = "../net/descriptors.rs"]
mod limit;
mod peers;
mod proof;
mod scenes;
mod server;
mod shim;
mod syscalls;
mod trial;
