//! What is known of an overflow.

use std::ops::Range;

/// A fault on a guard of ours.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    /// What was touched.
    pub(super) address: usize,

    /// The slot that it belongs to, guard included.
    pub(super) slot: Range<usize>,

    /// Where the program stood; zero when that cannot be read.
    pub(super) program_counter: usize,
}
