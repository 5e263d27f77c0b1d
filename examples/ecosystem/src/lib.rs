//! Well-kept crates as they are, running on green threads. The programs are under `src/bin`; each says at its head what it shows and how it is run.
//!
//! What stands between a crate and greenthread is here, one small file each, to be copied.

pub mod http;
pub mod jobs;
pub mod postgres;
pub mod redis;
pub mod tls;
