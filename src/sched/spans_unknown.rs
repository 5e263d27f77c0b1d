//! `spans` without the feature `tracing`: nothing is left, and nothing entered again.

/// Nothing.
#[derive(Debug)]
pub(super) struct Left;

#[inline(always)]
pub(super) fn leave() -> Left {
    Left
}

#[inline(always)]
pub(super) fn enter(_: Left) {}

#[inline(always)]
pub(super) fn end() {}
