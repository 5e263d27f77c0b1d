//! Well-kept crates as they are, running on green threads. The programs are under `src/bin`; each says at its head what it shows and how it is run.

pub mod tls;
