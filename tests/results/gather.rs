//! `gather` and `try_gather`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use greenthread::{
    Elapsed, JoinError, JoinHandle, catch_cancel, checkpoint, current, gather, scope, shield,
    sleep, spawn, time, timeout, try_gather, yield_now,
};

use crate::support::panic_text;
use crate::{SECOND, after, in_virtual_time, payload_of, quiet_panic, with_reports};

#[test]
#[apply(on_roots)]
fn results_come_in_argument_order_and_failures_are_results() {
    in_virtual_time(|| {
        let results = gather([after(3), spawn(|| quiet_panic("bad")), after(1)]);
        assert_eq!(*results[0].as_ref().unwrap(), 3);
        assert!(results[1].as_ref().unwrap_err().is_panic());
        assert_eq!(*results[2].as_ref().unwrap(), 1);
    });
}

#[test]
#[apply(on_workers)]
fn gathering_nothing_gives_nothing_at_once() {
    assert!(gather::<()>([]).is_empty());
    assert!(try_gather::<(), JoinError>([]).unwrap().is_empty());
}

#[test]
#[apply(on_workers)]
fn a_thousand_are_gathered() {
    in_virtual_time(|| {
        let members: Vec<_> = (0..1000).map(|n| spawn(move || n)).collect();
        let sum: i32 = gather(members).into_iter().map(Result::unwrap).sum();
        assert_eq!(sum, 999 * 500);
    });
}

#[test]
#[apply(on_workers)]
fn gathering_oneself_panics() {
    let (own, text) = (
        Rc::new(RefCell::new(None)),
        Rc::new(RefCell::new(String::new())),
    );
    let (handle, said) = (Rc::clone(&own), Rc::clone(&text));
    let gathering = spawn(move || {
        let handle: Option<JoinHandle<()>> = handle.borrow_mut().take();
        *said.borrow_mut() = panic_text(|| gather(handle));
    });
    *own.borrow_mut() = Some(gathering);
    yield_now();
    assert!(text.borrow().contains("would wait for itself"), "{text:?}");
}

#[test]
#[apply(on_roots)]
fn l11_a_cancelled_gather_cancels_its_members_with_the_reason_and_waits_for_all() {
    in_virtual_time(|| {
        let reasons = Rc::new(RefCell::new(Vec::new()));
        let members = [1, 2].map(|seconds| {
            let reasons = Rc::clone(&reasons);
            spawn(move || {
                let cancelled = catch_cancel(|| sleep(100 * SECOND)).unwrap_err();
                let reason = cancelled.reason().unwrap().to_string();
                sleep(seconds * SECOND);
                reasons.borrow_mut().push((seconds, reason));
            })
        });
        let gathering = spawn(|| gather(members).len());
        yield_now();
        yield_now();
        let before = time::now();
        gathering.cancel_with("closing");
        let error = gathering.join().unwrap_err();
        assert_eq!(error.reason().unwrap().to_string(), "closing");
        assert_eq!(time::now() - before, 2 * SECOND);
        let closing = String::from("closing");
        assert_eq!(*reasons.borrow(), [(1, closing.clone()), (2, closing)]);
    });
}

#[test]
#[apply(on_roots)]
fn l11_the_wait_of_a_cancelled_gather_for_its_members_is_not_cancelled_again() {
    in_virtual_time(|| {
        let ended = Rc::new(Cell::new(false));
        let end = Rc::clone(&ended);
        let member = spawn(move || {
            shield(|| sleep(5 * SECOND));
            end.set(true);
        });
        let gathering = spawn(|| timeout(3 * SECOND, || gather([member])).is_ok());
        sleep(SECOND);
        gathering.cancel();
        sleep(SECOND);
        gathering.cancel();
        assert!(gathering.join().unwrap_err().is_cancelled());
        assert!(ended.get());
    });
}

#[test]
#[apply(on_roots)]
fn an_outer_timeout_ends_the_members_too() {
    in_virtual_time(|| {
        let member = after(10);
        let thread = member.thread().clone();
        assert_eq!(timeout(SECOND, || gather([member]).len()), Err(Elapsed));
        assert!(thread.is_finished());
    });
}

/// The reason that a member hears of.
fn heard(reasons: &Rc<RefCell<Vec<String>>>) -> JoinHandle<()> {
    let reasons = Rc::clone(reasons);
    spawn(move || {
        let cancelled = catch_cancel(|| sleep(9 * SECOND)).unwrap_err();
        reasons
            .borrow_mut()
            .push(cancelled.reason().unwrap().to_string());
    })
}

#[test]
#[apply(on_roots)]
fn members_hear_whether_a_timeout_or_a_failing_scope_ended_the_gather() {
    in_virtual_time(|| {
        let reasons = Rc::new(RefCell::new(Vec::new()));
        let gathered = timeout(SECOND, || gather([heard(&reasons)]).len());
        assert_eq!(gathered, Err(Elapsed));
        let failed = payload_of(|| {
            scope(|s| {
                s.spawn(|| {
                    sleep(SECOND);
                    quiet_panic("child")
                });
                gather([heard(&reasons)]).len()
            })
        });
        assert_eq!(failed, "child");
        let expected = ["the time was up", "another part of its scope failed"];
        assert_eq!(*reasons.borrow(), expected);
    });
}

#[test]
#[apply(on_roots)]
fn l4_a_gather_that_is_granted_and_cancelled_at_once_gives_its_results_and_is_cancelled_after() {
    in_virtual_time(|| {
        let got = Rc::new(Cell::new(0));
        let seen = Rc::clone(&got);
        let member = after(1);
        let gathering = spawn(move || {
            seen.set(gather([member]).remove(0).unwrap());
            checkpoint();
            unreachable!("the request is raised at the next wait point");
        });
        let thread = gathering.thread().clone();
        // Its timer stands right behind the member's: between the grant and the waiter's next step.
        let meddler = spawn(move || {
            sleep(SECOND);
            assert!(thread.cancel());
        });
        assert!(gathering.join().unwrap_err().is_cancelled());
        meddler.join().unwrap();
        assert_eq!(got.get(), 1);
    });
}

#[test]
#[apply(on_roots)]
fn l4_a_gather_that_is_cancelled_right_before_the_last_end_is_cancelled() {
    in_virtual_time(|| {
        let target = Rc::new(RefCell::new(None));
        let own_target = Rc::clone(&target);
        let member = spawn(move || {
            sleep(SECOND);
            let gathering = own_target.borrow_mut().take();
            let gathering: greenthread::GreenThread = gathering.unwrap();
            gathering.cancel();
            7
        });
        let gathering = spawn(|| gather([member]).len());
        *target.borrow_mut() = Some(gathering.thread().clone());
        assert!(gathering.join().unwrap_err().is_cancelled());
    });
}

#[test]
#[apply(on_roots)]
fn l13_a_members_panic_that_a_cancelled_gather_loses_is_reported() {
    let ((), reports) = with_reports(|| {
        let bad = spawn(|| quiet_panic("lost"));
        let gathering = spawn(|| gather([bad, spawn(|| sleep(9 * SECOND))]).len());
        sleep(SECOND);
        gathering.cancel();
        assert!(gathering.join().unwrap_err().is_cancelled());
    });
    assert_eq!(reports, ["lost"]);
}

#[test]
#[apply(on_roots)]
fn l8_a_deadlock_in_a_gather_is_told_when_its_members_have_ended() {
    let text = panic_text(|| {
        in_virtual_time(|| {
            let member = spawn(greenthread::park);
            gather([member]).len()
        })
    });
    assert!(text.contains("deadlock"), "{text}");
    assert!(text.contains("waits in gather"), "{text}");
}

/// What the fallible members of these tests end with.
#[derive(Debug, PartialEq)]
enum Failure {
    Own(&'static str),
    Join(bool),
}

impl From<JoinError> for Failure {
    fn from(error: JoinError) -> Self {
        Failure::Join(error.is_panic())
    }
}

#[test]
#[apply(on_roots)]
fn try_gather_gives_the_values_in_argument_order() {
    in_virtual_time(|| {
        let members = [2, 1, 3].map(|n| {
            spawn(move || {
                sleep(n * SECOND);
                Ok::<_, Failure>(n)
            })
        });
        assert_eq!(try_gather(members).unwrap(), [2, 1, 3]);
    });
}

#[test]
#[apply(on_roots)]
fn try_gather_gives_the_error_that_came_first_and_all_other_handles() {
    in_virtual_time(|| {
        let members = [(4, true), (2, false), (1, true), (3, false)].map(|(n, good)| {
            spawn(move || {
                sleep(n * SECOND);
                if good { Ok(n) } else { Err(Failure::Own("no")) }
            })
        });
        let failed = try_gather(members).unwrap_err();
        assert_eq!((failed.index, &failed.error), (1, &Failure::Own("no")));
        let ended: Vec<_> = failed
            .rest
            .into_iter()
            .map(|(i, h)| (i, h.join().unwrap()))
            .collect();
        assert_eq!(
            ended,
            [(0, Ok(4)), (2, Ok(1)), (3, Err(Failure::Own("no")))]
        );
    });
}

#[test]
#[apply(on_workers)]
fn a_panic_and_a_cancellation_fail_a_try_gather() {
    let bad = spawn(|| -> Result<(), Failure> { quiet_panic("bad") });
    assert_eq!(try_gather([bad]).unwrap_err().error, Failure::Join(true));
    let ended = spawn(|| -> Result<(), Failure> {
        current().cancel();
        checkpoint();
        Ok(())
    });
    assert_eq!(try_gather([ended]).unwrap_err().error, Failure::Join(false));
}

#[test]
#[apply(on_roots)]
fn a_cancelled_try_gather_cancels_its_members() {
    in_virtual_time(|| {
        let member = spawn(|| {
            sleep(9 * SECOND);
            Ok::<_, Failure>(())
        });
        let thread = member.thread().clone();
        let gathering = spawn(|| try_gather([member]).is_ok());
        sleep(SECOND);
        gathering.cancel();
        assert!(gathering.join().unwrap_err().is_cancelled());
        assert!(thread.is_finished());
    });
}
