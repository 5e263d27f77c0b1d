//! `race` and `race!`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use greenthread::{
    Elapsed, catch_cancel, checkpoint, current, race, shield, sleep, spawn, time, timeout,
    yield_now,
};

use crate::support::{Log, panic_text};
use crate::{SECOND, in_virtual_time, payload_of, quiet_panic, with_reports};

#[test]
#[apply(on_roots)]
fn the_first_value_wins_and_the_losers_have_ended_before_it_returns() {
    in_virtual_time(|| {
        let log = Log::default();
        let before = time::now();
        let winner = race([3, 1, 2].map(|n| {
            let log = &log;
            move || {
                let _end = log.on_drop("ended");
                sleep(n * SECOND);
                n
            }
        }));
        assert_eq!(winner, 1);
        assert_eq!(log.lines(), ["ended"; 3]);
        assert_eq!(time::now() - before, SECOND);
    });
}

#[test]
#[apply(on_workers)]
fn the_closures_may_borrow_and_differ_in_type() {
    let (name, mut count) = (String::from("n"), 0);
    let winner: &str = race!(
        || {
            count += 1;
            name.as_str()
        },
        || {
            greenthread::park();
            unreachable!("nobody unparks it")
        },
    );
    assert_eq!((winner, count), ("n", 1));
    assert_eq!(race!(|| 5), 5);
}

#[test]
#[apply(on_roots)]
fn the_first_panic_wins_with_its_own_payload() {
    in_virtual_time(|| {
        let payload = payload_of(|| {
            race!(|| sleep(3 * SECOND), || {
                sleep(SECOND);
                quiet_panic("first")
            })
        });
        assert_eq!(payload, "first");
    });
}

#[test]
#[apply(on_roots)]
fn l13_a_losers_panic_is_reported_and_its_value_dropped() {
    let (winner, reports) = with_reports(|| {
        race!(
            || 1,
            || {
                let caught = catch_cancel(|| sleep(9 * SECOND));
                assert!(caught.is_err());
                quiet_panic("mess")
            },
            || {
                let caught = catch_cancel(|| sleep(9 * SECOND));
                assert!(caught.is_err());
                2
            },
        )
    });
    assert_eq!(winner, 1);
    assert_eq!(reports, ["mess"]);
}

#[test]
#[apply(on_roots)]
fn a_loser_that_shields_itself_holds_the_race_up() {
    in_virtual_time(|| {
        let before = time::now();
        let winner = race!(|| 1, || {
            shield(|| sleep(5 * SECOND));
            2
        });
        assert_eq!((winner, time::now() - before), (1, 5 * SECOND));
    });
}

#[test]
#[apply(on_workers)]
fn of_two_that_end_in_the_same_turn_the_one_in_front_wins() {
    for _ in 0..3 {
        assert_eq!(race([1, 2, 3].map(|n| move || n)), 1);
    }
}

#[test]
#[apply(on_roots)]
fn l11_a_cancelled_race_cancels_all_with_the_reason_and_is_cancelled_after_their_end() {
    in_virtual_time(|| {
        let reasons = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&reasons);
        let racing = spawn(move || {
            race([1, 2].map(|n| {
                let seen = &seen;
                move || {
                    let cancelled = catch_cancel(|| sleep(9 * SECOND)).unwrap_err();
                    let reason = cancelled.reason().unwrap().to_string();
                    seen.borrow_mut().push((n, reason));
                    cancelled.resume()
                }
            }))
        });
        sleep(SECOND);
        racing.cancel_with("rain");
        let error = racing.join().unwrap_err();
        assert_eq!(error.reason().unwrap().to_string(), "rain");
        let rain = String::from("rain");
        assert_eq!(*reasons.borrow(), [(1, rain.clone()), (2, rain)]);
    });
}

#[test]
#[apply(on_roots)]
fn an_outer_timeout_ends_a_race() {
    in_virtual_time(|| {
        let raced = timeout(SECOND, || race([5, 6].map(|n| move || sleep(n * SECOND))));
        assert_eq!(raced, Err(Elapsed));
    });
}

#[test]
#[apply(on_roots)]
fn l4_a_race_that_is_won_and_cancelled_at_once_gives_the_value() {
    in_virtual_time(|| {
        let got = Rc::new(Cell::new(0));
        let seen = Rc::clone(&got);
        let racing = spawn(move || {
            let own = current();
            seen.set(race([move || {
                // The last thing it does before it has won; its wait is over already when this comes to the parent.
                let end = Cell::new(0);
                sleep(SECOND);
                spawn(move || own.cancel());
                end.get() + 1
            }]));
            checkpoint();
        });
        assert!(racing.join().unwrap_err().is_cancelled());
        assert_eq!(got.get(), 1);
    });
}

#[test]
#[apply(on_roots)]
fn l13_a_panic_that_won_a_cancelled_race_is_reported() {
    let ((), reports) = with_reports(|| {
        let racing = spawn(|| {
            let own = current();
            race([move || {
                yield_now();
                own.cancel();
                quiet_panic("won")
            }])
        });
        assert!(racing.join().is_err());
    });
    assert_eq!(reports, ["won"]);
}

#[test]
#[apply(on_workers)]
fn a_race_of_nobody_panics() {
    let text = panic_text(|| race(std::iter::empty::<fn()>()));
    assert_eq!(
        text,
        "race got 0 closures: nobody would win; at least 1 is needed"
    );
}

#[test]
#[apply(on_workers)]
fn a_race_whose_closures_were_all_cancelled_panics() {
    let text = panic_text(|| {
        race([|| {
            current().cancel();
            yield_now();
        }])
    });
    assert_eq!(text, "race: every closure was cancelled, so nobody won");
}

#[test]
#[apply(on_roots)]
fn one_that_was_cancelled_from_elsewhere_does_not_win() {
    in_virtual_time(|| {
        let winner = race!(
            || {
                current().cancel();
                yield_now();
                1
            },
            || {
                sleep(SECOND);
                2
            }
        );
        assert_eq!(winner, 2);
    });
}
