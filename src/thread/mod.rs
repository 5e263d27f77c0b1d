//! Layer 4: green threads as programs see them.
//!
//! ```text
//!   block     one allocation: header, outcome, closure           join      handles, and what went wrong
//!   spawn     spawn, Builder, Spawner; anywhere: on workers      callbacks what runs at the end, before joiners go on
//!   current   what the running green thread can do with itself   limits    timeout, shield, catch_cancel, caught
//!   scope     children that may borrow                           runtime   run, and settings for it
//!   local     green_local!, over local_table                     job       what runs on an OS thread of the blocking pool
//! ```

pub(crate) mod anywhere;
pub(crate) mod block;
pub(crate) mod callbacks;
pub(crate) mod catch;
pub(crate) mod caught;
pub(crate) mod current;
pub(crate) mod family;
pub(crate) mod job;
pub(crate) mod join;
pub(crate) mod join_error;
pub(crate) mod leftover;
pub(crate) mod local;
pub(crate) mod local_table;
mod memory;
pub(crate) mod outcome;
pub(crate) mod report;
pub(crate) mod runtime;
pub(crate) mod scope;
pub(crate) mod shared;
pub(crate) mod shield;
pub(crate) mod spawn;
pub(crate) mod spawner;
mod stuck;
pub(crate) mod timeout;
pub(crate) mod try_scope;

#[cfg(doctest)]
mod compile_fail;
