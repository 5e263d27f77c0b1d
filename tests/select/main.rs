//! Selection among channels, and the channels that go beyond one message to one receiver.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod arms;
mod broadcast;
mod builder;
mod meeting;
mod moments;
mod stress;
mod watch;

use std::time::Duration;

use support::everywhere::virtual_time;

const SECOND: Duration = Duration::from_secs(1);
