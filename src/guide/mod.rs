//! How to say here what is known from elsewhere: pages to read, and no code.
//!
//! - [`asyncio`]: every function and class of Python's `asyncio`, `queue`, `threading` and generators that the parity programs use, with what stands for it.
//! - [`seeing`]: timelines of what runs, and how to read them.
//! - [`std_and_go`]: what changes for those who come from `std::thread` or from Go.
//! - [`libraries`]: which libraries work on green threads and how, which do not and why.
//! - [`where_things_run`]: when to use `spawn` and when `spawn_anywhere`, with pictures.
//! - [`stuck`]: what is stuck? Dumps, the watchdog, deadlocks, gdb.
//! - [`replay`]: tests under many schedules, the failing one again, and networks that misbehave.
//!
//! # What to read first
//!
//! 1. The [front page](crate) for the rules of green threads: they are few, and what goes wrong goes wrong by them.
//! 2. [`spawn`](crate::spawn), [`JoinHandle`](crate::JoinHandle) and [`scope`](crate::scope()): how work begins, and how its end is known.
//! 3. [`timeout`](crate::timeout) and [`catch_cancel`](crate::catch_cancel): how work is cut short, and what that looks like from inside.
//! 4. [`generator`](crate::generator), which needs nothing of the rest.
//! 5. [`sync`](crate::sync), [`channel`](crate::channel) and [`net`](crate::net) by need: they are the standard library's, and wait in another way.
//! 6. [`Runtime`](crate::Runtime) for tests: under virtual time those that sleep take no time.
//!
//! Who wants to change the crate itself begins with `ARCHITECTURE.md`.

pub mod asyncio;
pub mod libraries;
pub mod replay;
pub mod seeing;
pub mod std_and_go;
pub mod stuck;
pub mod where_things_run;
