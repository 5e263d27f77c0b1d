//! Which seeds are tried: the first `n`, unless the environment says which.

use std::ops::Range;

/// Names a seed, or several as `from..to`, to be tried instead of the first `n`.
pub(super) const VARIABLE: &str = "GREENTHREAD_SEED";

/// What the environment says, else the first `n`.
///
/// # Panics
/// When it says what is no seed.
#[track_caller]
pub(super) fn to_try(n: u64) -> Range<u64> {
    let Some(told) = std::env::var_os(VARIABLE) else {
        return 0..n;
    };
    let told = told.to_string_lossy();
    match read(&told) {
        Some(seeds) => seeds,
        None => panic!(
            "{VARIABLE}={told}: that is no seed: say a number, or two for a range, as in 100..200"
        ),
    }
}

fn read(told: &str) -> Option<Range<u64>> {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let seeds = match told.split_once("..") {
        Some((from, to)) => number(from)?..number(to)?,
        None => {
            let seed = number(told)?;
            seed..seed.checked_add(1)?
        }
    };
    (!seeds.is_empty()).then_some(seeds)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_seed_is_a_number_and_several_are_a_range() {
        assert_eq!(read("17"), Some(17..18));
        assert_eq!(read(" 5 .. 8 "), Some(5..8));
    }

    #[test]
    fn what_is_no_seed_is_told_from_one() {
        for told in ["", "-1", "x", "1..", "5..5", "9..3", "18446744073709551615"] {
            assert_eq!(read(told), None, "{told}");
        }
    }
}
