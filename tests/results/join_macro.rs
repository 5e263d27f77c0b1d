//! `join!`.

use std::cell::Cell;
use std::rc::Rc;

use greenthread::{Elapsed, current, join, sleep, spawn, time, timeout, yield_now};

use crate::support::{Log, panic_text};
use crate::{SECOND, in_virtual_time, payload_of, quiet_panic};

#[test]
#[apply(on_roots)]
fn a_tuple_of_different_types_comes_in_argument_order_after_the_slowest() {
    in_virtual_time(|| {
        let before = time::now();
        let (a, b, c) = join!(
            || {
                sleep(2 * SECOND);
                "a"
            },
            || sleep(SECOND),
            || 3,
        );
        assert_eq!((a, b, c), ("a", (), 3));
        assert_eq!(time::now() - before, 2 * SECOND);
    });
}

#[test]
#[apply(on_workers)]
fn one_closure_gives_a_tuple_of_one() {
    assert_eq!(join!(|| 1), (1,));
}

#[test]
#[apply(on_workers)]
fn closures_borrow_different_parts_mutably_and_nest() {
    let mut parts = [0; 4];
    let [a, b, c, d] = &mut parts;
    let (_, (x, y)) = join!(|| join!(|| *a = 1, || *b = 2), || join!(
        || {
            *c = 3;
            *c
        },
        || {
            *d = 4;
            *d
        }
    ));
    assert_eq!((parts, x, y), ([1, 2, 3, 4], 3, 4));
}

#[test]
#[apply(on_roots)]
fn l11_a_panic_cancels_the_others_and_goes_on_whichever_is_joined_first() {
    in_virtual_time(|| {
        let log = Log::default();
        let slow = || {
            let _end = log.on_drop("slow ended");
            sleep(9 * SECOND);
        };
        let bad = || {
            sleep(SECOND);
            quiet_panic("bad")
        };
        assert_eq!(payload_of(|| join!(slow, bad)), "bad");
        assert_eq!(payload_of(|| join!(bad, slow)), "bad");
        assert_eq!(
            payload_of(|| join!(|| quiet_panic("at once"), slow)),
            "at once"
        );
        // The last one had not begun.
        assert_eq!(log.lines(), ["slow ended"; 2]);
    });
}

#[test]
#[apply(on_roots)]
fn l11_cancelling_or_timing_out_a_join_ends_its_closures_first() {
    in_virtual_time(|| {
        let ended = Rc::new(Cell::new(0));
        let count = Rc::clone(&ended);
        let work = move || {
            let long = || {
                let _end = crate::cancelling::AtDrop(|| count.set(count.get() + 1));
                sleep(9 * SECOND);
            };
            join!(long, long);
        };
        assert_eq!(timeout(SECOND, work.clone()), Err(Elapsed));
        assert_eq!(ended.get(), 2);
        let joining = spawn(work);
        sleep(SECOND);
        joining.cancel();
        assert!(joining.join().unwrap_err().is_cancelled());
        assert_eq!(ended.get(), 4);
    });
}

#[test]
#[apply(on_workers)]
fn one_that_was_cancelled_from_elsewhere_gives_no_tuple() {
    let text = panic_text(|| {
        join!(|| 1, || {
            current().cancel();
            yield_now();
        })
    });
    assert!(text.starts_with("join! cannot give a value: "), "{text}");
    assert!(text.ends_with("was cancelled"), "{text}");
}
