//! What waits, under the model checker: the real primitives above the real door. How that can be, what it proves and what not: `sched::model_root`.
//!
//! Each model is a race that once could go wrong: a grant with a cancellation, a deadline, a close or the end of a receiver, two wakers with one waiter. A wake that is lost shows as a deadlock, which
//! loom reports; a grant that is lost or doubled as a count that does not agree. Run by `.ci/run loom`. Which line of the real
//! code is held by which model is in `mutations.md`.

mod channel;
mod select;
mod sync;
mod thread;
