//! Stackful green threads that read like `std::thread`.

#[cfg(panic = "abort")]
compile_error!(
    "greenthread cancels by unwinding: it needs `panic = \"unwind\"`, but this profile sets `panic = \"abort\"`"
);

mod base;
mod stack;

pub mod generator;
