//! Sockets: TCP on the loopback.

#[path = "../support/mod.rs"]
mod support;

mod echo;
