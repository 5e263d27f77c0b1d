//! The laws of the design, tried with safe code: each test is named after the law that it would see broken, or after the behaviour.
//!
//! What ends or hangs a process runs in a child process: see `child`. Time is virtual, or the event itself is awaited.

#[path = "../support/mod.rs"]
mod support;

mod child;
mod help;
mod limits;

mod cancellation;
mod checkpoints;
mod deadlocks;
mod exits;
mod finishing;
mod frames;
mod generators;
mod misuse;
mod structure;
mod waiting;
