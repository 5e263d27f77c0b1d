//! Standard streams, pipes and the copy: laws L10, L16 and L17, and std's behaviour.
//!
//! What changes descriptors 0, 1 and 2 happens in child processes.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod copy;
mod descriptors;
mod pipe;
mod pipe_cancel;
mod stdin;
mod stdin_kinds;
mod stdout;
