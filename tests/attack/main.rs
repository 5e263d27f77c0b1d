//! Programs that try to break the laws without `unsafe`, each with what must come of it: it works, it panics clearly, or the process ends with a message.
//!
//! Programs that must not compile are in `src/thread/compile_fail.rs`. Run under the address sanitizer and valgrind too: `.ci/run asan memcheck`.

#![forbid(unsafe_code)]

#[allow(dead_code, reason = "each test file uses a part")]
#[path = "../laws/child.rs"]
mod child;
#[path = "../laws/help.rs"]
#[allow(dead_code, reason = "each test file uses a part")]
mod help;

mod cancelling;
mod crossing;
mod endings;
mod generators;
mod holes;
mod mixtures;
mod panics;
mod reentry;
mod scopes;
mod words;
