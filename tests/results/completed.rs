//! `as_completed`.

use std::cell::RefCell;
use std::rc::Rc;

use greenthread::{
    Elapsed, as_completed, catch_cancel, checkpoint, current, sleep, spawn, timeout, yield_now,
};

use crate::support::teardown::leaves;
use crate::{SECOND, after, in_virtual_time, quiet_panic};

#[test]
#[apply(on_roots)]
fn results_come_in_the_order_of_their_ends_failures_too() {
    in_virtual_time(|| {
        let bad = spawn(|| {
            sleep(2 * SECOND);
            quiet_panic("bad")
        });
        let mut completed = as_completed([after(3), bad, after(1)]);
        assert_eq!(completed.len(), 3);
        assert_eq!(completed.next().unwrap().unwrap(), 1);
        assert!(completed.next().unwrap().unwrap_err().is_panic());
        assert_eq!(completed.next().unwrap().unwrap(), 3);
        assert!(completed.next().is_none() && completed.next().is_none());
    });
}

#[test]
#[apply(on_roots)]
fn those_that_ended_before_come_first_in_argument_order() {
    in_virtual_time(|| {
        let members = [after(2), after(1), after(5)];
        sleep(3 * SECOND);
        let values: Vec<u32> = as_completed(members).map(Result::unwrap).collect();
        assert_eq!(values, [2, 1, 5]);
    });
}

#[test]
#[apply(on_workers)]
fn nothing_is_completed_at_once() {
    assert!(as_completed::<()>([]).next().is_none());
}

#[test]
#[apply(on_roots)]
fn into_pending_gives_back_those_that_were_not_given() {
    in_virtual_time(|| {
        let mut completed = as_completed([after(3), after(1), after(2)]);
        completed.next().unwrap().unwrap();
        let pending = completed.into_pending();
        let values: Vec<u32> = pending.into_iter().map(|h| h.join().unwrap()).collect();
        assert_eq!(values, [3, 2]);
    });
}

#[test]
#[apply(on_roots)]
fn l4_a_timeout_around_next_at_the_moment_of_the_end_loses_nothing() {
    in_virtual_time(|| {
        // Members set their timers before the limits here, and behind them: both orders at each second.
        for early in [true, false] {
            let members: Vec<_> = (1..=20).map(after).collect();
            if early {
                yield_now();
            }
            let mut completed = as_completed(members);
            let (mut values, mut timeouts) = (Vec::new(), 0);
            while completed.len() > 0 {
                match timeout(SECOND, || completed.next()) {
                    Ok(result) => values.push(result.unwrap().unwrap()),
                    Err(Elapsed) => timeouts += 1,
                }
                assert!(timeouts < 100);
            }
            assert_eq!(values, (1..=20).collect::<Vec<_>>());
        }
    });
}

#[test]
#[apply(on_roots)]
fn l4_a_next_that_is_granted_and_cancelled_at_once_gives_the_result() {
    in_virtual_time(|| {
        let got = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&got);
        let mut completed = as_completed([after(1), after(2)]);
        let taking = spawn(move || {
            for result in &mut completed {
                seen.borrow_mut().push(result.unwrap());
            }
        });
        let thread = taking.thread().clone();
        let meddler = spawn(move || {
            sleep(SECOND);
            thread.cancel()
        });
        assert!(taking.join().unwrap_err().is_cancelled());
        assert!(meddler.join().unwrap());
        assert_eq!(*got.borrow(), [1]);
        // Dropping the rest detaches it.
        leaves(1);
    });
}

#[test]
#[apply(on_roots)]
fn l4_a_next_that_is_cancelled_right_before_the_end_leaves_the_result_for_the_next_call() {
    in_virtual_time(|| {
        let taking = spawn(|| {
            let own = current();
            let member = spawn(move || {
                sleep(SECOND);
                own.cancel();
                7
            });
            let mut completed = as_completed([member]);
            let caught = catch_cancel(|| completed.next());
            assert!(caught.is_err());
            checkpoint();
            completed.next().unwrap().unwrap()
        });
        assert_eq!(taking.join().unwrap(), 7);
    });
}
