//! Blocking work on OS threads of its own, so that it holds no green thread up.
//!
//! ```text
//!   spawn_blocking ─▶ the runtime's crew, else the process's ─┐
//!   Pool::spawn ────▶ its own crew ───────────────────────────┴─▶ crew: queue, OS threads that come and go ─▶ thread::job
//! ```
//!
//! A job runs on the OS thread's own stack, as on any plain OS thread: wait points inside it run that OS thread's loop. Green threads that it spawns there and
//! leaves behind are cancelled, and have ended before its handle reads finished.

pub(crate) mod crew;
pub(crate) mod errand;
pub(crate) mod pool;
pub(crate) mod spawn;

pub use pool::Pool;
