//! How long a span lasts, by counts of stacks that the test makes up: so many of them would be too much for a process whose guards are mappings.

use super::*;

/// Looks at the end of each span, while every time `each` of `all` stacks come back; how many spans that is until something is given back.
fn spans_until_given_back(all: usize, each: usize) -> u32 {
    let mut span = Span::begin(Duration::ZERO, all);
    let mut live = all;
    (1..)
        .find(|looks| {
            live = live.saturating_sub(each);
            match span.continued(SPAN * *looks, live) {
                Some(longer) => span = longer,
                None => return true,
            }
            false
        })
        .expect("at some time")
}

#[test]
fn while_a_burst_ends_nothing_goes_and_all_does_at_its_end() {
    assert_eq!(spans_until_given_back(10_000, 2_000), 5);
}

#[test]
fn a_burst_that_takes_long_to_end_gives_back_meanwhile() {
    let most = SPAN + WHILE_BUSY;
    let spans = spans_until_given_back(1_000_000, 2_000);
    assert_eq!(SPAN * spans, most);
}

#[test]
fn stacks_that_come_back_one_by_one_do_not_put_it_off() {
    assert_eq!(spans_until_given_back(10_000, 1), 1);
    assert_eq!(spans_until_given_back(10_000, 0), 1);
}
