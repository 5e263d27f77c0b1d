//! Placeholder.

/// Whether the running chain is in the middle of an unwind.
pub(crate) fn chain_is_unwinding() -> bool {
    std::thread::panicking()
}
