//! The limit, from the environment.

use std::env;
use std::sync::OnceLock;
use std::time::Duration;

/// Names the limit.
const VARIABLE: &str = "GREENTHREAD_WATCHDOG";

/// The units that a limit may have, in nanoseconds; the longest endings first.
const UNITS: [(&str, u64); 4] = [
    ("ms", 1_000_000),
    ("us", 1_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
];

/// What the environment says; asked once. A value that is no time is told on stderr, and the watchdog stays off.
pub(crate) fn from_environment() -> Option<Duration> {
    static SAID: OnceLock<Option<Duration>> = OnceLock::new();
    *SAID.get_or_init(|| {
        let value = env::var_os(VARIABLE)?;
        let limit = value.to_str().and_then(parse);
        if limit.is_none() {
            eprintln!(
                "greenthread: {VARIABLE}={value:?} is not a time such as 100ms, 500us, 2s or 1m: the watchdog stays off"
            );
        }
        limit
    })
}

/// A whole number and its unit; more than nothing.
fn parse(text: &str) -> Option<Duration> {
    let (number, unit) = UNITS
        .iter()
        .find_map(|(ending, unit)| Some((text.strip_suffix(ending)?, unit)))?;
    let number: u64 = number.trim().parse().ok()?;
    let nanoseconds = number.checked_mul(*unit)?;
    (nanoseconds > 0).then(|| Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_whole_number_and_a_unit() {
        assert_eq!(parse("100ms"), Some(Duration::from_millis(100)));
        assert_eq!(parse("500us"), Some(Duration::from_micros(500)));
        assert_eq!(parse("2s"), Some(Duration::from_secs(2)));
        assert_eq!(parse("1m"), Some(Duration::from_secs(60)));
        for bad in [
            "",
            "100",
            "ms",
            "-1s",
            "1.5s",
            "0ms",
            "1h",
            "99999999999999999999s",
            "18446744073709551615m",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
