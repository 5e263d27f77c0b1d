//! Workers: OS threads that only run green threads.
//!
//! ```text
//!   Runtime::builder().workers(n) ──▶ set ──n OS threads──▶ worker: a root that waits for orders, and its loop, which begins work (sched::work)
//!   the first spawn_anywhere ──▶ of_process ──▶ set                     ▲
//!                                                                       │ orders: end what is left and answer; leave
//!                                        the end of a `run`, the drop of a Runtime
//! ```
//!
//! What may be put where, and who begins it, is in `sched::work`; this folder makes the OS threads, and ends them in order.

pub(crate) mod of_process;
pub(crate) mod orders;
pub(crate) mod set;
pub(crate) mod worker;
