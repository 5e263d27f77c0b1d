//! The same programs in Python and in Rust say the same, byte for byte.
//!
//! `python/` holds the Python programs and what they print. Each port is a module of its own, reads line by line beside its program, and writes into a
//! [`Log`] that is compared with the Python program's output. Where the types of Rust make a line impossible, the port checks what
//! stands in its place and says the line through [`Log::instead`]; `EXCEPTIONS.md` lists these lines, and `exceptions` holds it to that.
//!
//! Ports that sleep run under virtual time, so they take no time and depend on none.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod exceptions;
mod log;

mod p01_generator_consumer;
mod p02_generator_throw_close;
mod p03_generator_delegate;
mod p04_generator_pipeline;
mod p05_tasks_interleave;
mod p06_sequential_vs_gather;
mod p07_gather_errors;
mod p08_wait_modes;
mod p09_as_completed;
mod p10_timeouts;
mod p11_cancel;
mod p12_shield;
mod p13_done_callbacks;
mod p14_event;
mod p15_lock_fairness;
mod p16_condition;
mod p17_semaphore;
mod p18_barrier;
mod p19_queue;
mod p20_queue_kinds;
mod p21_queue_workers;
mod p22_taskgroup;
mod p23_executor;
mod p24_threadsafe;
mod p25_contextvars;
mod p26_async_generator;
mod p27_streams_echo;
mod p28_subprocess;
mod p29_signals;
mod p30_threads_queue;
mod p31_thread_local_and_events;
mod p32_to_thread_files;

use std::time::Duration;

use greenthread::Runtime;

pub(crate) use log::{Finally, Log};

/// The unit of time in the programs: 30 ms, as in Python.
pub(crate) const U: Duration = Duration::from_millis(30);

/// Python's `asyncio.run`, with a clock that jumps to the next deadline when nobody is ready.
pub(crate) fn run<T>(main: impl FnOnce() -> T) -> T {
    let runtime = Runtime::builder()
        .virtual_time()
        .build()
        .expect("virtual time on one OS thread needs nothing that could be missing");
    runtime.run(main)
}

/// How the programs print a truth.
pub(crate) fn yes(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}
