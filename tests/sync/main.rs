//! Every waiting primitive against one shared list, and what each does besides.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod barrier;
mod channel;
mod choices;
mod condvar;
mod exit;
mod once;
mod queue;
mod reentrant_mutex;
mod rw_lock;
mod semaphore;
mod shared_list;
mod stress;
mod subjects;

use support::everywhere::virtual_time;
