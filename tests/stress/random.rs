//! Numbers from a seed: Marsaglia's xorshift.

use std::cell::Cell;

/// The next number's origin.
pub(crate) struct Random(Cell<u64>);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        let random = Random(Cell::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1));
        // Near seeds begin alike.
        for _ in 0..8 {
            random.next();
        }
        random
    }

    fn next(&self) -> u64 {
        let mut x = self.0.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.0.set(x);
        x >> 11
    }

    /// From zero up to `bound`, which is left out.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// One in so many times.
    pub(crate) fn once_in(&self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// Another origin.
    pub(crate) fn fork(&self) -> Random {
        Random::new(self.next())
    }
}
