//! Whether and how an OS thread records; what is done with it is in `traced`.

use std::cell::{Cell, RefCell};

use super::header::Counted;

/// What the loop keeps for recording.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Whether this OS thread records.
    pub(super) on: Cell<bool>,

    /// How many turns are left before time and IO are looked at.
    pub(super) turns: Cell<u32>,

    /// Who began to record in the middle of its run, which is still under way: how it ends is written down when the loop looks up.
    pub(super) starter: RefCell<Option<Counted>>,
}

impl Ledger {
    #[inline]
    pub(super) fn is_on(&self) -> bool {
        self.on.get()
    }
}
