//! Numbers that follow from a seed, so that what they choose can be chosen again. Not for secrets.

use std::cell::Cell;

use super::atomic::thread_local;

/// What the numbers of an OS thread begin with, unless a seed says otherwise.
const BEGINNING: u32 = 0x9E37_79B9;

thread_local! {
    /// The last number of this OS thread; never zero.
    static LAST: Cell<u32> = const { Cell::new(BEGINNING) };
}

/// A sequence of numbers that one seed makes.
///
/// Source: "Fast Splittable Pseudorandom Number Generators", G. Steele, D. Lea, C. Flood, 2014 (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Random {
    /// Counts up by an odd constant.
    state: Cell<u64>,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random {
            state: Cell::new(seed),
        }
    }

    /// From now on the numbers are those of `seed`.
    pub(crate) fn restart(&self, seed: u64) {
        self.state.set(seed);
    }

    pub(crate) fn next(&self) -> u64 {
        let state = self.state.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.state.set(state);
        mix(state)
    }

    /// One of `0..count`; `count` is not 0.
    pub(crate) fn below(&self, count: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(count)) >> 64) as u64
    }

    /// True so often: never for 0.0, always for 1.0.
    pub(crate) fn happens(&self, share: f64) -> bool {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        unit < share
    }
}

/// A number in which every bit depends on every bit of `number`.
pub(crate) fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// One of `0..count` by this OS thread's own numbers, which are the same in each run of a program; 0 for none.
///
/// Source: "Xorshift RNGs", G. Marsaglia, 2003.
pub(crate) fn below_here(count: usize) -> usize {
    let mut random = LAST.with(Cell::get);
    random ^= random << 13;
    random ^= random >> 17;
    random ^= random << 5;
    LAST.with(|last| last.set(random));
    (random as usize).checked_rem(count).unwrap_or(0)
}

/// Has this OS thread's own numbers follow from `seed`; what comes back has them go on where they were.
pub(crate) fn reseed_here(seed: u64) -> u32 {
    go_on_here((mix(seed) as u32).max(1))
}

/// Has this OS thread's own numbers go on after `last`.
pub(crate) fn go_on_here(last: u32) -> u32 {
    LAST.with(|own| own.replace(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_its_numbers_again_and_another_makes_others() {
        let numbers = |seed| {
            let random = Random::new(seed);
            (0..100).map(|_| random.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
        assert!(numbers(7).iter().all(|number| *number < 1000));
    }

    #[test]
    fn every_choice_comes_about_equally_often() {
        let random = Random::new(1);
        let mut met = [0; 5];
        (0..10_000).for_each(|_| met[random.below(5) as usize] += 1);
        assert!(
            met.iter().all(|met| (1_800..2_200).contains(met)),
            "{met:?}"
        );
    }

    #[test]
    fn what_happens_never_or_always_does_so() {
        let random = Random::new(1);
        assert!((0..1000).all(|_| !random.happens(0.0) && random.happens(1.0)));
        let half = (0..10_000).filter(|_| random.happens(0.5)).count();
        assert!((4_800..5_200).contains(&half), "{half}");
    }

    #[test]
    fn the_numbers_of_an_os_thread_go_on_where_they_were() {
        let numbers = || [below_here(1000), below_here(1000), below_here(1000)];
        let before = reseed_here(5);
        let first = numbers();
        reseed_here(5);
        assert_eq!(numbers(), first);
        go_on_here(before);
    }
}
