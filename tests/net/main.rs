//! Sockets: TCP on the loopback.

#[path = "../support/mod.rs"]
mod support;

mod accept;
mod cancel;
mod child;
mod close;
mod connect;
mod descriptors;
mod echo;
mod ends;
mod many;
mod options;
mod os_threads;
mod pair;
mod syscalls;
mod time_limits;
mod waiters;
