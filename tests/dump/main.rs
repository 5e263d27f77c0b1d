//! Dumps, deadlocks' circles, and what they leave alone: places in line, grants, deadlines, memory.
//!
//! What looks at the memory of a process, or ends one, runs in a process of its own.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

#[path = "../laws/child.rs"]
#[allow(dead_code, reason = "a part is used here")]
mod child;

mod circles;
mod json;
mod memory;
mod places;
mod seen;
mod signal;
mod stuck;
mod threads;
