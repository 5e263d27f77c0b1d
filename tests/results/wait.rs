//! `wait` and `wait_until`.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use greenthread::{
    JoinHandle, WaitFor, Waited, checkpoint, current, sleep, spawn, time, timeout, wait,
    wait_until, yield_now,
};

use crate::support::panic_text;
use crate::support::teardown::leaves;
use crate::{SECOND, after, in_virtual_time, quiet_panic};

/// What the done and the pending ones give, in the order of the handles.
fn values(waited: Waited<u32>) -> (Vec<u32>, Vec<u32>) {
    let join = |handle: JoinHandle<u32>| handle.join().unwrap();
    let done = waited.done.into_iter().map(join).collect();
    (done, waited.pending.into_iter().map(join).collect())
}

#[test]
#[apply(on_roots)]
fn the_first_end_is_enough_for_first() {
    in_virtual_time(|| {
        let waited = wait([after(3), after(1), after(2)], WaitFor::First, None);
        assert_eq!(values(waited), (vec![1], vec![3, 2]));
    });
}

#[test]
#[apply(on_roots)]
fn all_waits_for_all_and_keeps_the_argument_order() {
    in_virtual_time(|| {
        let before = time::now();
        let waited = wait([after(3), after(1), after(2)], WaitFor::All, None);
        assert_eq!(time::now() - before, 3 * SECOND);
        assert_eq!(values(waited), (vec![3, 1, 2], vec![]));
    });
}

#[test]
#[apply(on_roots)]
fn first_error_is_a_panic_or_a_cancellation() {
    in_virtual_time(|| {
        let bad = spawn(|| {
            sleep(2 * SECOND);
            quiet_panic("bad")
        });
        let waited = wait([after(1), bad, after(3)], WaitFor::FirstError, None);
        assert_eq!((waited.done.len(), waited.pending.len()), (2, 1));
        let cancelled = after(2);
        cancelled.cancel();
        // Dropping what is pending detaches it.
        leaves(2);
        let waited = wait([after(1), cancelled], WaitFor::FirstError, None);
        assert_eq!((waited.done.len(), waited.pending.len()), (1, 1));
    });
}

#[test]
#[apply(on_roots)]
fn first_error_waits_for_all_when_there_is_none() {
    in_virtual_time(|| {
        let waited = wait([after(2), after(1)], WaitFor::FirstError, None);
        assert_eq!(values(waited), (vec![2, 1], vec![]));
    });
}

#[test]
#[apply(on_roots)]
fn a_limit_ends_the_wait_and_nothing_else() {
    in_virtual_time(|| {
        let before = time::now();
        let waited = wait([after(3), after(1)], WaitFor::All, Some(2 * SECOND));
        assert_eq!(time::now() - before, 2 * SECOND);
        assert_eq!(values(waited), (vec![1], vec![3]));
        assert_eq!(time::now() - before, 3 * SECOND);
    });
}

#[test]
#[apply(on_roots)]
fn a_limit_of_nothing_tells_how_it_stands() {
    in_virtual_time(|| {
        let ended = wait([after(0)], WaitFor::All, None).done.remove(0);
        let waited = wait([ended, after(1)], WaitFor::All, Some(Duration::ZERO));
        assert_eq!(values(waited), (vec![0], vec![1]));
    });
}

#[test]
#[apply(on_roots)]
fn l4_an_end_and_the_limit_at_the_same_moment_lose_no_handle() {
    in_virtual_time(|| {
        for member_first in [true, false] {
            let member = after(1);
            if member_first {
                yield_now();
            }
            let waited = wait([member, after(2)], WaitFor::First, Some(SECOND));
            // Equal deadlines fire in the order in which they were set (D8); the limit's, when it is first, ends the wait, and the member still ends in
            // the same turn or the next.
            let (mut done, pending) = values(waited);
            done.extend(pending);
            done.sort_unstable();
            assert_eq!(done, [1, 2], "member first: {member_first}");
        }
    });
}

#[test]
#[apply(on_roots)]
fn l4_a_wait_that_is_granted_and_cancelled_at_once_gives_its_handles_back() {
    in_virtual_time(|| {
        let got = Rc::new(Cell::new(0));
        let seen = Rc::clone(&got);
        let member = after(1);
        let waiting = spawn(move || {
            let waited = wait([member], WaitFor::All, None);
            seen.set(waited.done.len());
            checkpoint();
        });
        let thread = waiting.thread().clone();
        let meddler = spawn(move || {
            sleep(SECOND);
            thread.cancel()
        });
        assert!(waiting.join().unwrap_err().is_cancelled());
        assert!(meddler.join().unwrap());
        assert_eq!(got.get(), 1);
    });
}

#[test]
#[apply(on_roots)]
fn a_cancelled_wait_leaves_the_members_running() {
    in_virtual_time(|| {
        let ended = Rc::new(Cell::new(false));
        let end = Rc::clone(&ended);
        let member = spawn(move || {
            sleep(2 * SECOND);
            end.set(true);
        });
        let waiting = spawn(|| wait([member], WaitFor::All, None).done.len());
        sleep(SECOND);
        waiting.cancel();
        assert!(waiting.join().unwrap_err().is_cancelled());
        sleep(2 * SECOND);
        assert!(ended.get());
    });
}

#[test]
#[apply(on_workers)]
fn a_wait_that_can_finish_at_once_raises_nothing() {
    let waiting = spawn(|| {
        let ended = wait([spawn(|| ())], WaitFor::All, None).done;
        current().cancel();
        wait(ended, WaitFor::First, None).done.len()
    });
    assert_eq!(waiting.join().unwrap(), 1);
}

#[test]
#[apply(on_roots)]
fn the_same_handles_can_be_waited_for_again_and_again() {
    in_virtual_time(|| {
        let mut left = vec![after(3), after(1), after(2)];
        let mut order = Vec::new();
        while !left.is_empty() {
            // The watch of the wait that ran out is replaced by the next one's.
            if timeout(SECOND / 2, || sleep(SECOND / 4)).is_err() {
                unreachable!("a quarter is less than a half");
            }
            let waited = wait(left, WaitFor::First, Some(SECOND / 4));
            order.extend(waited.done.into_iter().map(|handle| handle.join().unwrap()));
            left = waited.pending;
        }
        assert_eq!(order, [1, 2, 3]);
    });
}

#[test]
#[apply(on_roots)]
fn wait_until_stops_at_the_first_result_that_fits_and_sees_them_in_the_order_of_their_ends() {
    in_virtual_time(|| {
        let mut seen = Vec::new();
        let fits = |result: &Result<u32, _>| {
            seen.push(*result.as_ref().unwrap());
            *result.as_ref().unwrap() >= 2
        };
        let waited = wait_until([after(3), after(2), after(1)], fits, None);
        assert_eq!(values(waited), (vec![2, 1], vec![3]));
        assert_eq!(seen, [1, 2]);
    });
}

#[test]
#[apply(on_roots)]
fn wait_until_ends_with_the_last_one_or_its_limit() {
    in_virtual_time(|| {
        let waited = wait_until([after(2), after(1)], |_| false, None);
        assert_eq!(values(waited), (vec![2, 1], vec![]));
        let waited = wait_until([after(3), after(1)], |_| false, Some(2 * SECOND));
        assert_eq!(values(waited), (vec![1], vec![3]));
    });
}

#[test]
#[apply(on_workers)]
fn waiting_on_nothing_panics() {
    let text = panic_text(|| wait::<()>([], WaitFor::All, None));
    assert_eq!(
        text,
        "wait got 0 handles: it would wait on nothing; at least 1 is needed"
    );
    let text = panic_text(|| wait_until::<()>([], |_| true, None));
    assert!(text.starts_with("wait_until got 0 handles"), "{text}");
}

#[test]
#[apply(on_roots)]
fn one_is_pending_while_its_callbacks_run() {
    in_virtual_time(|| {
        let member = after(1);
        member.on_finish(|_| sleep(2 * SECOND));
        let waited = wait([member], WaitFor::All, Some(2 * SECOND));
        assert!(waited.done.is_empty() && waited.pending[0].is_finished());
        let waited = wait(waited.pending, WaitFor::All, None);
        assert_eq!(waited.done.len(), 1);
    });
}
