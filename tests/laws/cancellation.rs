//! Requests: where they are raised, what consumes them, what holds them back (L9, L10).

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use greenthread::{
    Elapsed, GreenThread, JoinError, JoinHandle, catch_cancel, checkpoint, current, is_cancelled,
    park, park_timeout, shield, sleep, sleep_until, spawn, time, timeout, timeout_at, timeout_with,
    yield_now,
};

use crate::child;
use crate::help::{AtDrop, in_virtual_time, join_soon};
use crate::support::Log;
use crate::support::teardown::leaves;

const SECOND: Duration = Duration::from_secs(1);

/// A yielder of nothing for nothing.
type Y = greenthread::generator::Yielder<(), ()>;

/// Spawns `f`, lets it run to its first wait, cancels it, and returns how it ended.
fn cancelled_in<T: 'static>(f: impl FnOnce() -> T + 'static) -> Result<T, JoinError> {
    in_virtual_time(|| {
        let handle = spawn(f);
        yield_now();
        assert!(handle.cancel());
        handle.join()
    })
}

#[test]
#[apply(on_roots)]
fn l9_every_wait_point_raises() {
    assert!(cancelled_in(park).unwrap_err().is_cancelled());
    assert!(cancelled_in(|| sleep(SECOND)).unwrap_err().is_cancelled());
    assert!(
        cancelled_in(|| sleep_until(time::now() + SECOND))
            .unwrap_err()
            .is_cancelled()
    );
    assert!(
        cancelled_in(|| park_timeout(SECOND))
            .unwrap_err()
            .is_cancelled()
    );
    assert!(cancelled_in(yield_now).unwrap_err().is_cancelled());
    let left = || {
        leaves(1);
        spawn(park)
    };
    let join = move || left().join();
    assert!(cancelled_in(join).unwrap_err().is_cancelled());
    let join_timeout = move || left().join_timeout(SECOND).map(drop).map_err(drop);
    assert!(cancelled_in(join_timeout).unwrap_err().is_cancelled());
    let shared = move || left().shared().join().map_err(drop);
    assert!(cancelled_in(shared).unwrap_err().is_cancelled());
}

#[test]
#[apply(on_roots)]
fn l9_what_can_finish_at_once_does_so() {
    let ended = in_virtual_time(|| {
        let ended = spawn(|| 1);
        let handle = spawn(move || {
            yield_now_shielded();
            current().cancel();
            current().unpark();
            park();
            let value = ended.join().unwrap();
            assert_eq!(timeout(SECOND, || value), Ok(1));
            "all finished at once"
        });
        handle.join()
    });
    assert_eq!(ended.unwrap(), "all finished at once");
}

fn yield_now_shielded() {
    shield(yield_now);
}

#[test]
#[apply(on_workers)]
fn l9_checkpoint_raises_and_does_not_switch() {
    let others = Rc::new(Cell::new(0));
    let count = Rc::clone(&others);
    let handle = spawn(move || {
        checkpoint();
        let other = spawn(move || count.set(1));
        current().cancel();
        let caught = catch_unwind(checkpoint);
        assert!(caught.is_err());
        drop(other);
    });
    handle.join().unwrap();
    yield_now();
    assert_eq!(others.get(), 1);
}

#[test]
#[apply(on_roots)]
fn l9_a_request_is_raised_again_at_each_later_wait_point_until_it_is_consumed() {
    let rounds = cancelled_in(|| {
        let mut rounds = 0;
        for _ in 0..5 {
            assert!(catch_unwind(|| sleep(SECOND)).is_err());
            assert!(is_cancelled());
            rounds += 1;
        }
        catch_cancel(park).unwrap_err();
        assert!(!is_cancelled());
        sleep(SECOND);
        rounds
    });
    assert_eq!(rounds.unwrap(), 5);
}

#[test]
#[apply(on_workers)]
fn l9_the_first_reason_wins_until_it_is_consumed() {
    in_virtual_time(|| {
        let handle = spawn(|| {
            let caught = catch_cancel(park).unwrap_err();
            assert_eq!(caught.reason().unwrap().to_string(), "first");
            assert_eq!(caught.to_string(), "cancelled: first");
            park();
        });
        yield_now();
        assert!(handle.cancel_with("first"));
        assert!(handle.cancel_with("second"));
        yield_now();
        assert!(handle.cancel_with("third"));
        assert_eq!(
            handle.join().unwrap_err().reason().unwrap().to_string(),
            "third"
        );
    });
}

#[test]
#[apply(on_workers)]
fn l9_one_cancelled_before_it_began_never_runs_and_drops_its_closure_on_its_own_stack() {
    let dropped_in = Rc::new(Cell::new(0));
    let note = Rc::clone(&dropped_in);
    let guard = AtDrop(move || note.set(current().id()));
    let handle = spawn(move || {
        let _guard = guard;
        unreachable!();
    });
    let id = handle.thread().id();
    handle.cancel_with("too soon");
    let error = JoinHandle::<()>::join(handle).unwrap_err();
    assert_eq!(error.reason().unwrap().to_string(), "too soon");
    assert_eq!(dropped_in.get(), id);
}

#[test]
#[apply(on_roots)]
fn l9_the_end_of_run_cannot_be_consumed() {
    let rounds = Rc::new(Cell::new(0));
    let count = Rc::clone(&rounds);
    greenthread::run(|| {
        drop(spawn(move || {
            while catch_cancel(park).is_err() && count.get() < 4 {
                count.set(count.get() + 1);
            }
        }));
        yield_now();
    });
    assert_eq!(rounds.get(), 4);
}

#[test]
#[apply(on_roots)]
fn l9_a_request_that_becomes_forced_cannot_be_consumed_any_more() {
    let rounds = Rc::new(Cell::new(0));
    let count = Rc::clone(&rounds);
    greenthread::run(|| {
        let handle = spawn(move || {
            while catch_cancel(|| shield(yield_now)).is_ok() && count.get() < 3 {
                count.set(count.get() + 1);
            }
            while catch_cancel(park).is_err() && count.get() < 9 {
                count.set(count.get() + 1);
            }
        });
        yield_now();
        handle.cancel_with("consumable");
    });
    assert_eq!(rounds.get(), 9);
}

#[test]
#[apply(on_roots)]
fn l9_resume_goes_on_as_if_it_had_never_been_caught() {
    let ended = cancelled_in(|| {
        let outer = catch_unwind(AssertUnwindSafe(|| {
            let caught = catch_cancel(park).unwrap_err();
            sleep(SECOND);
            caught.resume()
        }));
        assert!(is_cancelled());
        resume_unwind(outer.unwrap_err())
    });
    assert!(JoinResult(ended).is_cancelled());
}

struct JoinResult(Result<(), JoinError>);

impl JoinResult {
    fn is_cancelled(&self) -> bool {
        self.0.as_ref().is_err_and(JoinError::is_cancelled)
    }
}

#[test]
#[apply(on_roots)]
fn l9_a_consumed_outer_timeout_does_not_end_its_timeout() {
    in_virtual_time(|| {
        let outcome = timeout(SECOND, || {
            let caught = catch_cancel(park).unwrap_err();
            assert!(caught.is_timeout() && caught.reason().is_none());
            sleep(SECOND);
            "went on"
        });
        assert_eq!(outcome, Ok("went on"));
    });
}

#[test]
#[apply(on_roots)]
fn l9_a_resumed_outer_timeout_ends_its_timeout() {
    in_virtual_time(|| {
        let outcome = timeout(SECOND, || catch_cancel(park).unwrap_err().resume());
        assert_eq!(outcome, Err::<(), _>(Elapsed));
    });
}

#[test]
#[apply(on_workers)]
fn l9_catch_cancel_lets_panics_pass() {
    let caught = catch_unwind(|| catch_cancel(|| panic!("mine")).map_err(drop));
    assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "mine");
}

#[test]
#[apply(on_roots)]
fn l9_a_cancellation_goes_before_a_deadline_and_the_outer_of_equal_deadlines_first() {
    in_virtual_time(|| {
        let handle = spawn(|| {
            let outcome = timeout(SECOND, || shield(|| sleep(SECOND * 2)));
            assert_eq!(outcome, Ok(()), "nothing waited after the shield");
            let outcome = timeout(SECOND, || {
                shield(|| sleep(SECOND * 2));
                checkpoint();
            });
            unreachable!("{outcome:?}");
        });
        yield_now();
        handle.cancel();
        assert!(handle.join().unwrap_err().is_cancelled());

        let moment = time::now() + SECOND;
        let outer = timeout_at(moment, || {
            let inner = timeout_at(moment, park);
            unreachable!("the outer one goes first: {inner:?}");
        });
        assert_eq!(outer, Err::<(), _>(Elapsed));
    });
}

#[test]
#[apply(on_roots)]
fn l9_a_deadline_that_passed_is_raised_again_when_it_was_swallowed() {
    in_virtual_time(|| {
        let rounds = Cell::new(0);
        let outcome = timeout(SECOND, || {
            for _ in 0..3 {
                assert!(catch_unwind(park).is_err());
                rounds.set(rounds.get() + 1);
            }
            park();
        });
        assert_eq!((outcome, rounds.get()), (Err(Elapsed), 3));
        // It is gone with its frame.
        sleep(SECOND);
    });
}

#[test]
#[apply(on_roots)]
fn a_limit_may_be_moved_while_it_runs() {
    in_virtual_time(|| {
        let start = time::now();
        let outcome = timeout_with(SECOND, |limit| {
            sleep(SECOND / 2);
            limit.reset(SECOND * 3);
            assert_eq!(limit.deadline() - start, SECOND * 7 / 2);
            sleep(SECOND * 2);
            limit.reset(Duration::ZERO);
            park();
        });
        assert_eq!(outcome, Err(Elapsed));
        assert_eq!(time::now() - start, SECOND * 5 / 2);
    });
}

#[test]
#[apply(on_roots)]
fn a_limit_moved_by_a_child_acts_on_the_parent() {
    in_virtual_time(|| {
        let start = time::now();
        let outcome = timeout_with(SECOND * 100, |limit| {
            greenthread::scope(|s| {
                s.spawn(|| limit.reset(SECOND));
                park();
            });
        });
        assert_eq!(outcome, Err(Elapsed));
        assert_eq!(time::now() - start, SECOND);
    });
}

#[test]
#[apply(on_roots)]
fn a_timeout_of_zero_ends_what_waits_and_nothing_else() {
    in_virtual_time(|| {
        assert_eq!(timeout(Duration::ZERO, || 1), Ok(1));
        assert_eq!(timeout(Duration::ZERO, park), Err(Elapsed));
        assert_eq!(timeout(Duration::MAX, || 2), Ok(2));
        assert_eq!(
            timeout_with(Duration::MAX, |l| l.deadline() > time::now()),
            Ok(true)
        );
    });
}

#[test]
#[apply(on_roots)]
fn sleeping_for_ever_can_be_cut_short() {
    in_virtual_time(|| {
        assert_eq!(timeout(SECOND, || sleep(Duration::MAX)), Err(Elapsed));
        assert_eq!(
            timeout(SECOND, || park_timeout(Duration::MAX)),
            Err(Elapsed)
        );
    });
    let sleeper = spawn(|| sleep(Duration::MAX));
    yield_now();
    sleeper.cancel();
    assert!(join_soon(sleeper).unwrap_err().is_cancelled());
}

#[test]
#[apply(on_roots)]
fn l10_a_destructor_that_waits_during_an_unwind_waits_to_the_end() {
    in_virtual_time(|| {
        let log = Log::default();
        let said = log.clone();
        let handle = spawn(move || {
            let _cleanup = AtDrop(|| {
                let start = time::now();
                sleep(SECOND);
                yield_now();
                checkpoint();
                assert_eq!(timeout(SECOND, || sleep(SECOND * 3)), Ok(()));
                assert_eq!(time::now() - start, SECOND * 4);
                assert_eq!(spawn(|| 4).join().unwrap(), 4);
                said.say("cleaned up");
            });
            park();
        });
        yield_now();
        handle.cancel();
        handle.cancel();
        assert!(handle.join().unwrap_err().is_cancelled());
        assert_eq!(log.lines(), ["cleaned up"]);
    });
}

#[test]
#[apply(on_roots)]
fn l10_one_parked_in_mid_unwind_does_not_hold_requests_of_others_back() {
    in_virtual_time(|| {
        let unwinding = spawn(|| {
            let _cleanup = AtDrop(|| sleep(SECOND * 10));
            panic!("parks in mid-unwind");
        });
        yield_now();
        yield_now();
        let other = spawn(|| timeout(SECOND, || sleep(SECOND * 5)));
        assert_eq!(other.join().unwrap(), Err(Elapsed));
        let other = spawn(park);
        yield_now();
        other.cancel();
        assert!(other.join().unwrap_err().is_cancelled());
        assert_eq!(
            timeout(SECOND, || sleep(SECOND * 5)),
            Err(Elapsed),
            "on the root"
        );
        assert!(!unwinding.is_finished());
        assert!(unwinding.join().unwrap_err().is_panic());
    });
}

#[test]
#[apply(on_roots)]
fn l10_two_parked_in_mid_unwind_are_both_left_to_finish() {
    in_virtual_time(|| {
        let log = Log::default();
        let unwinding: Vec<_> = (0..3)
            .map(|i| {
                let said = log.clone();
                spawn(move || {
                    let _cleanup = AtDrop(|| {
                        sleep(SECOND * (i + 1));
                        said.say("cleaned up");
                    });
                    park();
                })
            })
            .collect();
        yield_now();
        for handle in &unwinding {
            handle.cancel();
        }
        sleep(SECOND / 2);
        for handle in &unwinding {
            handle.cancel();
            handle.thread().unpark();
        }
        for handle in unwinding {
            assert!(handle.join().unwrap_err().is_cancelled());
        }
        assert_eq!(log.lines().len(), 3);
    });
}

#[test]
#[apply(once)]
fn l10_a_root_that_unwinds_beside_another_unwind_is_not_raised_in() {
    let ended = child::run(
        "cancellation::l10_a_root_that_unwinds_beside_another_unwind_is_not_raised_in",
        || {
            in_virtual_time(|| {
                let unwinding = spawn(|| {
                    let _cleanup = AtDrop(|| sleep(SECOND * 10));
                    panic!("parks in mid-unwind");
                });
                yield_now();
                let caught = catch_unwind(|| {
                    let _cleanup = AtDrop(|| {
                        current().cancel();
                        sleep(SECOND);
                    });
                    panic!("the root unwinds");
                });
                assert!(caught.is_err());
                assert!(catch_cancel(park).is_err());
                assert!(unwinding.join().unwrap_err().is_panic());
            });
        },
    );
    ended.succeeded();
}

#[test]
#[apply(once)]
fn l10_a_generator_driven_by_an_unwinding_root_beside_another_unwind_is_not_raised_in() {
    let ended = child::run(
        "cancellation::l10_a_generator_driven_by_an_unwinding_root_beside_another_unwind_is_not_raised_in",
        || {
            in_virtual_time(|| {
                let unwinding = spawn(|| {
                    let _cleanup = AtDrop(|| sleep(SECOND * 10));
                    panic!("parks in mid-unwind");
                });
                yield_now();
                let caught = catch_unwind(|| {
                    let _cleanup = AtDrop(|| {
                        current().cancel();
                        let g = greenthread::generator::Generator::new(|y: &Y| {
                            sleep(SECOND);
                            y.yield_(());
                        });
                        assert_eq!(g.start().yielded(), Some(()));
                    });
                    panic!("the root unwinds");
                });
                assert!(caught.is_err());
                assert!(catch_cancel(park).is_err());
                assert!(unwinding.join().unwrap_err().is_panic());
            });
        },
    );
    ended.succeeded();
}

#[test]
#[apply(once)]
fn l14_a_body_that_panics_while_an_unwinding_root_drops_its_generator_is_reported() {
    let ended = child::run(
        "cancellation::l14_a_body_that_panics_while_an_unwinding_root_drops_its_generator_is_reported",
        || {
            for with_scheduler in [false, true] {
                if with_scheduler {
                    yield_now();
                }
                let caught = catch_unwind(|| {
                    let g = greenthread::generator::Generator::new(|y: &Y| {
                        let _cleanup = AtDrop(|| panic!("in the body's drop"));
                        let _ = catch_unwind(AssertUnwindSafe(|| y.yield_(())));
                    });
                    g.start();
                    panic!("the root unwinds");
                });
                let payload = caught.unwrap_err();
                assert_eq!(*payload.downcast::<&str>().unwrap(), "the root unwinds");
            }
        },
    );
    ended.succeeded();
    assert_eq!(
        ended.times("panicked while an unwind dropped it"),
        2,
        "{}",
        ended.stderr
    );
}

#[test]
#[apply(on_roots)]
fn l10_a_generator_that_is_closed_in_mid_unwind_may_wait() {
    in_virtual_time(|| {
        let log = Log::default();
        let said = log.clone();
        let handle = spawn(move || {
            let _g = {
                let g = greenthread::generator::Generator::new(move |y: &Y| {
                    let _cleanup = AtDrop(|| {
                        sleep(SECOND);
                        said.say("closed");
                    });
                    y.yield_(());
                });
                g.start();
                g
            };
            park();
        });
        yield_now();
        handle.cancel();
        assert!(handle.join().unwrap_err().is_cancelled());
        assert_eq!(log.lines(), ["closed"]);
    });
}

#[test]
#[apply(on_workers)]
fn a_cancellation_from_another_os_thread_reaches_a_parked_one() {
    let handle = spawn(park);
    let target = handle.thread().clone();
    let other = std::thread::spawn(move || target.cancel_with("from afar"));
    let error = join_soon(handle).unwrap_err();
    assert_eq!(error.reason().unwrap().to_string(), "from afar");
    assert!(other.join().unwrap());
}

#[test]
#[apply(on_workers)]
fn cancellations_and_unparks_from_other_os_threads_race_to_one_end() {
    let (sender, receiver) = mpsc::channel::<GreenThread>();
    let other = std::thread::spawn(move || {
        for (i, target) in receiver.into_iter().enumerate() {
            if i % 2 == 0 {
                target.unpark();
            }
            target.cancel();
            target.unpark();
        }
    });
    for _ in 0..500 {
        let handle = spawn(|| {
            park();
            let granted = catch_cancel(park).is_ok();
            park_timeout(Duration::from_micros(1));
            granted
        });
        yield_now();
        sender.send(handle.thread().clone()).unwrap();
        match join_soon(handle) {
            Ok(_) => {}
            Err(error) => assert!(error.is_cancelled()),
        }
    }
    drop(sender);
    other.join().unwrap();
}

#[test]
#[apply(on_roots)]
fn a_payload_that_is_handed_to_another_green_thread_consumes_nothing_of_the_first() {
    in_virtual_time(|| {
        let slot = Rc::new(RefCell::new(None));
        let kept = Rc::clone(&slot);
        let first = spawn(move || {
            *kept.borrow_mut() = catch_unwind(park).err();
            shield(|| sleep(SECOND));
            park();
        });
        yield_now();
        first.cancel_with("for the first");
        yield_now();
        let payload = slot.borrow_mut().take().unwrap();
        let second = spawn(move || catch_cancel(|| resume_unwind(payload)).map_err(drop));
        assert!(Result::<(), ()>::is_err(&second.join().unwrap()));
        let error = first.join().unwrap_err();
        assert_eq!(error.reason().unwrap().to_string(), "for the first");
    });
}

#[test]
#[apply(on_workers)]
fn a_request_consumed_while_its_wake_is_under_way_does_not_panic() {
    in_virtual_time(|| {
        let slot = Rc::new(RefCell::new(None));
        let kept = Rc::clone(&slot);
        let first = spawn(move || {
            *kept.borrow_mut() = catch_unwind(yield_now).err();
            park();
        });
        first.thread().cancel();
        drop(first);
        // Cancelled before it began: it never ran.
        yield_now();
        assert!(slot.borrow().is_none());

        let kept = Rc::clone(&slot);
        let first = spawn(move || {
            *kept.borrow_mut() = catch_unwind(park).err();
            shield(park);
            // Wakes with the request that the second one has tried to consume.
            park();
        });
        yield_now();
        first.cancel();
        yield_now();
        let payload = slot.borrow_mut().take().unwrap();
        first.thread().unpark();
        let second = spawn(move || catch_cancel(|| resume_unwind(payload)).map_err(drop));
        assert!(Result::<(), ()>::is_err(&second.join().unwrap()));
        assert!(first.join().unwrap_err().is_cancelled());
    });
}

#[test]
#[apply(on_roots)]
fn a_reason_whose_drop_runs_code_is_dropped_outside_of_locks() {
    #[derive(Debug)]
    struct Reason(GreenThread);
    impl std::fmt::Display for Reason {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("reason")
        }
    }
    impl std::error::Error for Reason {}
    impl Drop for Reason {
        fn drop(&mut self) {
            self.0.cancel_with("from a drop");
            self.0.unpark();
        }
    }
    in_virtual_time(|| {
        let handle = spawn(|| {
            catch_cancel(park).unwrap_err();
            sleep(SECOND);
        });
        yield_now();
        let target = handle.thread().clone();
        handle.cancel_with(Reason(target.clone()));
        handle.cancel_with(Reason(target.clone()));
        let error = handle.join().unwrap_err();
        assert_eq!(error.reason().unwrap().to_string(), "from a drop");
        assert!(!target.cancel_with(Reason(target.clone())));
    });
}

#[test]
#[apply(on_workers)]
fn the_root_can_be_cancelled_and_consume_it() {
    let root = current();
    let other = spawn(move || assert!(root.cancel_with("root")));
    let caught = catch_cancel(park).unwrap_err();
    assert_eq!(caught.reason().unwrap().to_string(), "root");
    other.join().unwrap();
    yield_now();
}

#[test]
#[apply(on_roots)]
fn shields_nest_and_a_timeout_inside_one_acts() {
    in_virtual_time(|| {
        let handle = spawn(|| {
            shield(|| {
                shield(yield_now);
                assert_eq!(timeout(SECOND, park), Err(Elapsed));
            });
            park();
        });
        yield_now();
        handle.cancel();
        assert!(handle.join().unwrap_err().is_cancelled());
    });
}
