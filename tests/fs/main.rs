//! Files and folders over the blocking pool: std's behaviour, laws L10 and L16, and bad input.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod atomic;
mod cancel;
mod faults;
mod fifo;
mod file;
mod folder;
mod full_disk;
mod path;
mod pool;
mod temporary;
