//! Layer 4: the results of several green threads at once.
//!
//! ```text
//!   gather, try_gather     all of them, in argument order; cancelled, they cancel
//!   wait, wait_until       some of them; the handles come back, sorted into done and pending
//!   as_completed, JoinSet  one after another, in finishing order
//!   join!, race, race!     closures that may borrow, in a scope of their own
//! ```
//!
//! All of them wait in `waiting`, on one tally of who has ended (`sched::tally`): one wait, however many there are, from any OS thread.

pub(crate) mod all;
pub(crate) mod completed;
pub(crate) mod gather;
pub(crate) mod group;
pub(crate) mod join_set;
pub(crate) mod race;
pub(crate) mod wait;
pub(crate) mod waiting;
