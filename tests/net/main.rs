//! Sockets: TCP and UDP on the loopback, and Unix sockets.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
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
mod faults;
mod lookup;
mod many;
mod options;
mod os_threads;
mod pair;
mod server;
mod server_on_workers;
mod syscalls;
mod time_limits;
mod turns;
mod udp;
mod unix;
mod waiters;
