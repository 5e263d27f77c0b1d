//! Workers: what runs where, how it ends, and what may be borrowed across OS threads.
//!
//! Nobody sleeps here to let something happen: whoever must be somewhere says so through a channel or a barrier of std's, which holds a whole worker, or of ours, which holds a green
//! thread.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod borrowing;
mod cancelling;
mod crossing;
mod ending;
mod help;
mod placing;
